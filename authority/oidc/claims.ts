import type { KoaContextWithOIDC } from 'oidc-provider';

import type { Policy } from '@behalf/policy';
import { withoutUndefined } from '@behalf/directives/internal';
import { errors } from './oidc-provider.js';
import type { AccountRegister } from '../accounts/register.js';
import type { SuspensionRegister } from '../consent/suspensions.js';
import { consentForToken } from '../consent/token.js';
import type { AuthorityDatabase } from '../schema.js';
import { grantableScopes, permittedPurposes } from './offer.js';
import { signInClaims } from './sign-in.js';
import { refuseSuspended } from './suspended.js';

/** An RFC 9068 token, as far as it is known when its claims are requested. */
interface TokenInTheMaking {
  readonly accountId?: string | undefined;
  readonly clientId?: string | undefined;
  readonly grantId?: string | undefined;
  /** The person's session at this server. */
  readonly sessionUid?: string | undefined;
  readonly scope?: string | undefined;
}

/** The state against which a token is checked. */
interface TokenRules {
  readonly db: AuthorityDatabase;
  readonly accounts: AccountRegister;
  readonly policy: Policy;
  readonly suspensions: SuspensionRegister;
}

/**
 * The claims that Behalf adds to an access token. Without a consent in force that covers the token, none is issued. This is the
 * last step before signing.
 *
 * @throws errors.InvalidGrant, and the errors of `refuseSuspended`
 */
export async function accessTokenClaims(
  ctx: KoaContextWithOIDC,
  token: TokenInTheMaking,
  { db, accounts, policy, suspensions }: TokenRules,
): Promise<Record<string, unknown>> {
  await refuseSuspended(suspensions, token.clientId);
  const { RefreshToken: refreshToken, AuthorizationCode: code } = ctx.oidc.entities;
  const issuedAtSeconds = refreshToken?.iiat ?? code?.iat;
  const { accountId, clientId, grantId, sessionUid: sessionId } = token;
  if (
    accountId === undefined ||
    clientId === undefined ||
    grantId === undefined ||
    issuedAtSeconds === undefined
  ) {
    throw new errors.InvalidGrant('a token needs a consent');
  }
  const source = { consentId: grantId, subject: accountId, clientId, issuedAtSeconds, sessionId };
  const consent = await consentForToken(db, source);
  if (consent === undefined) throw new errors.InvalidGrant('the consent is not in force');
  const account = await accounts.find(accountId);
  if (account === undefined) throw new errors.InvalidGrant('the account does not exist');
  const scopes = (token.scope ?? '').split(' ').filter((scope) => scope !== '');
  if (!scopes.every((scope) => consent.scopes.includes(scope))) {
    throw new errors.InvalidGrant('the consent does not cover the scope');
  }
  // The policy may have become narrower since the person agreed.
  if (grantableScopes(scopes, account, clientId, policy).length !== scopes.length) {
    throw new errors.InvalidGrant('the policy does not permit the scope');
  }
  return withoutUndefined({
    ...signInClaims(refreshToken ?? code ?? {}),
    consent: {
      id: consent.id,
      version: consent.version,
      purposes: permittedPurposes(consent, policy),
      until: Math.floor(consent.until.getTime() / 1000),
      detail: consent.detail,
      levels: Object.keys(consent.levels).length === 0 ? undefined : consent.levels,
    },
    sid: sessionId,
    roles: account.roles.length > 0 ? account.roles : undefined,
    policies: account.policies.length > 0 ? account.policies : undefined,
  });
}
