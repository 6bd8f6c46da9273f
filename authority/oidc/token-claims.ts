import type { KoaContextWithOIDC } from 'oidc-provider';

import type { Policy } from '@behalf/policy';
import { errors } from './oidc-provider.js';
import type { AccountRegister } from '../accounts/register.js';
import type { FindClient } from '../clients/find.js';
import { serviceScopes } from '../clients/service-scopes.js';
import { lesserDetail } from '../details/access.js';
import { joinLevels } from '../consent/levels.js';
import { readGrantedAccess } from '../details/read.js';
import type { SuspensionRegister } from '../consent/suspensions.js';
import type { ConsentLevels } from '@behalf/directives';
import type { DetailLevel } from '../consent/types.js';
import type { StatusRegister, TokenToList } from '../status/register.js';
import type { AuthorityDatabase } from '../schema.js';
import { accessTokenClaims } from './claims.js';
import type { TokenExchange } from './exchange.js';
import type { IssueTimes } from './issue-times.js';
import { refuseSuspended } from './suspended.js';

/** A token, as far as it is known when its claims are requested. */
interface TokenInTheMaking extends TokenToList {
  readonly kind?: string;
  readonly scope?: string | undefined;
  readonly rar?: unknown;
}

/** The state against which a token is checked. */
interface TokenRules {
  readonly db: AuthorityDatabase;
  readonly accounts: AccountRegister;
  readonly findClient: FindClient;
  readonly policy: Policy;
  readonly suspensions: SuspensionRegister;
  readonly exchange: TokenExchange;
  readonly statuses: StatusRegister;
  readonly issueTimes: IssueTimes;
}

/**
 * The claims of any access token. This is the last step before signing, which can still refuse any kind of token.
 *
 * @throws errors.InvalidGrant, errors.InvalidScope, and the errors of `refuseSuspended`
 */
export async function claimsOf(
  ctx: KoaContextWithOIDC,
  token: TokenInTheMaking,
  rules: TokenRules,
): Promise<Record<string, unknown>> {
  // Before anything is read that a concurrent revocation could change.
  const { issuedAt, status } = await rules.statuses.allocate(token, rules.exchange.lineageOf(token));
  rules.issueTimes.set(token, issuedAt);
  return { ...(await claimsByKind(ctx, token, rules)), status };
}

async function claimsByKind(
  ctx: KoaContextWithOIDC,
  token: TokenInTheMaking,
  rules: TokenRules,
): Promise<Record<string, unknown> | undefined> {
  if (token.kind === 'ClientCredentials') return ownTokenClaims(token, rules);
  if (rules.exchange.isExchanged(token)) return rules.exchange.claimsOf(token);
  return narrowed(await accessTokenClaims(ctx, token, rules), token);
}

/** RFC 6749 section 4.4: there is no consent, and so no purpose, and nothing beyond registration and policy. */
async function ownTokenClaims(
  { clientId = '', scope = '' }: TokenInTheMaking,
  { accounts, findClient, policy, suspensions }: TokenRules,
): Promise<undefined> {
  await refuseSuspended(suspensions, clientId);
  const client = await findClient(clientId);
  const registered = client?.oauth?.clientCredentials?.scopes ?? [];
  const scopes = scope.split(' ').filter((name) => name !== '');
  // RFC 6749 section 3.3: there is no default scope.
  if (scopes.length === 0) throw new errors.InvalidScope('a client names the scopes that it asks for', scope);
  const { beyond } = serviceScopes(scopes, clientId, policy);
  const refused = scopes.find((name) => beyond.includes(name) || !registered.includes(name));
  if (refused !== undefined) throw new errors.InvalidScope('requested scope is not allowed', refused);
  // Checked at the start and again here, because accounts may be added later, and `@subject` compares `sub`.
  if (await accounts.isSubject(clientId)) throw new errors.InvalidGrant('the client has the id of a person');
  return undefined;
}

interface ConsentInTheMaking {
  readonly purposes: readonly string[];
  readonly detail: DetailLevel;
  readonly levels?: ConsentLevels;
  readonly until: number;
}

/** Gateways decide by the `consent` claim, so an access granted by RFC 9396 reduces it too. */
function narrowed(claims: Record<string, unknown>, token: TokenInTheMaking): Record<string, unknown> {
  const access = readGrantedAccess(token.rar);
  if (access === undefined) return claims;
  const consent = claims['consent'] as ConsentInTheMaking;
  return {
    ...claims,
    consent: {
      ...consent,
      purposes: consent.purposes.filter((name) => access.purposes.includes(name)),
      detail: lesserDetail(consent.detail, access.detail),
      levels: joinLevels(consent.levels ?? {}, access.levels),
      until: Math.min(consent.until, access.until),
    },
  };
}
