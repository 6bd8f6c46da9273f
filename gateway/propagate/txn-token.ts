import { randomUUID } from 'node:crypto';
import type { Clock, ConsentClaim, Delegation } from '@behalf/directives';
import {
  type DetailClaim,
  systemClock,
  type TxnTokenClaims,
  withoutUndefined,
} from '@behalf/directives/internal';
import type { AudienceVocabulary } from './audience.js';
import type { SigningKeys } from './signing-keys.js';

/** Long enough for a slow subgraph, short enough to be worthless when found. */
export const TXN_TOKEN_LIFETIME_SECONDS = 15;

export interface TxnTokenSettings {
  /** `iss` of the transaction tokens: the gateway, as the subgraphs know it. */
  readonly issuer: string;
  /** Default {@link TXN_TOKEN_LIFETIME_SECONDS}; at most 60, which is what subgraphs accept. */
  readonly tokenLifetimeSeconds?: number | undefined;
  /**
   * `none` (the default): one token per transaction and subgraph. `body`: one per subgraph request, valid once and for that
   * request only, at the cost of a signature (about 30 µs) and a canonical text each.
   */
  readonly bind?: 'none' | 'body' | undefined;
}

/** The content of one transaction token. */
export interface TxnTokenContent {
  readonly delegation: Delegation;
  readonly transactionId: string;
  /** The one subgraph or service that may accept it. */
  readonly audience: string;
  readonly vocabulary: AudienceVocabulary;
  /** When the delegation ends, seconds since the epoch: the token does not outlive it. */
  readonly notAfter: number;
  /** Hash of the one request that it is for. */
  readonly boundTo?: string | undefined;
  /** Workloads that passed the transaction on, the first one first. */
  readonly passedOnBy?: readonly string[];
}

/**
 * Mints one transaction token (draft-ietf-oauth-transaction-tokens section 5), with only the scopes, policies, purposes and
 * roles that its audience can require.
 */
export function mintTxnToken(
  keys: SigningKeys,
  options: TxnTokenSettings,
  { delegation, transactionId, audience, vocabulary, notAfter, boundTo, passedOnBy = [] }: TxnTokenContent,
  clock: Pick<Clock, 'now'> = systemClock,
): string {
  const issuedAt = Math.floor(clock.now() / 1000);
  const lifetimeSeconds = options.tokenLifetimeSeconds ?? TXN_TOKEN_LIFETIME_SECONDS;
  const policies = held(vocabulary.policies, delegation.policies);
  const roles = delegation.roles.filter((role) => vocabulary.roles.has(role));
  const claims: TxnTokenClaims = withoutUndefined({
    iss: options.issuer,
    iat: issuedAt,
    exp: Math.min(issuedAt + lifetimeSeconds, notAfter),
    txn: transactionId,
    aud: audience,
    sub: delegation.subject,
    scope: held(vocabulary.scopes, delegation.scopes).join(' '),
    req_wl: [options.issuer, ...passedOnBy].join(','),
    jti: boundTo === undefined ? undefined : randomUUID(),
    bind: boundTo === undefined ? undefined : { body: boundTo },
    tctx: withoutUndefined({
      service: delegation.service === true ? true : undefined,
      consent: delegation.consent === undefined ? undefined : narrowed(delegation.consent, vocabulary),
      detail: detailClaim(delegation),
      policies: policies.length === 0 ? undefined : policies,
      roles: roles.length === 0 ? undefined : roles,
    }),
    rctx: withoutUndefined({ client_id: delegation.clientId, act: delegation.actor }),
  });
  return keys.sign(claims);
}

/**
 * The limits of a delegation, whichever the audience's own schema has: unlike a right, a limit must not get lost when the token is
 * exchanged for another audience's.
 */
function detailClaim({ detail }: Delegation): DetailClaim | undefined {
  if (detail === undefined) return undefined;
  const { levels, nothingLifts } = detail;
  return withoutUndefined({
    nothing_lifts: nothingLifts,
    levels:
      levels === undefined
        ? undefined
        : Object.fromEntries([...levels].map(([name, names]) => [name, [...names]] as const)),
  });
}

/** The levels that the person chose are part of the detail in force. */
function narrowed(
  { levels: _levels, ...consent }: ConsentClaim,
  vocabulary: AudienceVocabulary,
): ConsentClaim {
  if (vocabulary.isKeyedByPurposes) return consent;
  return { ...consent, purposes: consent.purposes.filter((purpose) => vocabulary.purposes.has(purpose)) };
}

function held(asked: ReadonlySet<string>, holds: ReadonlySet<string>): string[] {
  return [...asked].filter((name) => holds.has(name));
}
