import type { ConsentClaim, Delegation, TxnTokenClaims } from '@behalf/directives';
import type { SubgraphVocabulary } from '../authorize/index.js';
import type { SigningKeys } from './signing-keys.js';

/** Long enough for a slow subgraph to look at it, short enough to be worth nothing when it is found. */
export const TXN_TOKEN_LIFETIME_SECONDS = 15;

export interface PropagationOptions {
  /** `iss` of the transaction tokens: the gateway, as the subgraphs know it. */
  readonly issuer: string;
  /** Default {@link TXN_TOKEN_LIFETIME_SECONDS}; at most 60, which is what subgraphs accept. */
  readonly tokenLifetimeSeconds?: number;
}

/**
 * Mints the transaction token of one subgraph (draft-ietf-oauth-transaction-tokens section 5), with only what that subgraph's
 * own rules can ask for: its scopes, its policies, its purposes.
 */
export function mintTxnToken(
  keys: SigningKeys,
  options: PropagationOptions,
  delegation: Delegation,
  transactionId: string,
  subgraph: string,
  vocabulary: SubgraphVocabulary,
  /** When the delegation ends, seconds since the epoch: the token does not outlive it. */
  notAfter: number,
): string {
  const issuedAt = Math.floor(Date.now() / 1000);
  const lifetimeSeconds = options.tokenLifetimeSeconds ?? TXN_TOKEN_LIFETIME_SECONDS;
  const policies = held(vocabulary.policies, delegation.policies);
  const claims: TxnTokenClaims = {
    iss: options.issuer,
    iat: issuedAt,
    exp: Math.min(issuedAt + lifetimeSeconds, notAfter),
    txn: transactionId,
    aud: subgraph,
    sub: delegation.subject,
    scope: held(vocabulary.scopes, delegation.scopes).join(' '),
    req_wl: options.issuer,
    tctx: {
      ...(delegation.consent === undefined ? {} : { consent: narrowed(delegation.consent, vocabulary) }),
      ...(policies.length === 0 ? {} : { policies }),
      // Rules in code ask for roles, and what they ask for cannot be read from a schema.
      ...(delegation.roles.length === 0 ? {} : { roles: delegation.roles }),
    },
    rctx: {
      client_id: delegation.clientId,
      ...(delegation.actor === undefined ? {} : { act: delegation.actor }),
    },
  };
  return keys.sign(claims);
}

function narrowed(consent: ConsentClaim, vocabulary: SubgraphVocabulary): ConsentClaim {
  return { ...consent, purposes: consent.purposes.filter((purpose) => vocabulary.purposes.has(purpose)) };
}

function held(asked: ReadonlySet<string>, holds: ReadonlySet<string>): string[] {
  return [...asked].filter((name) => holds.has(name));
}
