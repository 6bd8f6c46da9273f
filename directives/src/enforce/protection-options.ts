import type { Delegation } from '../claims/delegation.js';
import type { PassOnOptions } from '../claims/exchange-txn-token.js';
import type { GatewayTrust } from '../claims/read-txn-token.js';
import type { TxnTokenRefusal } from '../claims/txn-token-refusals.js';
import type { TxnTokenBinding } from '../claims/verify-txn-token.js';
import type { SubgraphLog } from '../log.js';

/** `enforce`: rules hold. `shadow`: nothing is refused or minimized, and only the record tells what would have been. */
export type Enforcement = 'enforce' | 'shadow';

/** How one subgraph is protected, however its schema was made. */
export interface ProtectionOptions extends TxnTokenBinding {
  /** Name of the subgraph, as in `supergraph.yaml`: the only audience whose tokens it accepts. */
  readonly name: string;
  /** Which gateway's transaction tokens are believed. */
  readonly gateway: GatewayTrust;
  /**
   * `required` (the default): a field without a rule, none inherited, and not `@public` is refused.
   * `open`: it is open, as the standard directives have it.
   */
  readonly coverage?: 'required' | 'open';
  /**
   * `enforce` (the default), or `shadow`: every field resolves as it would without this library, nothing is denied and
   * nothing minimized, and only the record tells what would have been. For the time in which rules are introduced. It is
   * set here alone: no token and no caller can bring it about.
   */
  readonly enforcement?: Enforcement;
  /** At least 32 bytes, the same on every instance; for `PSEUDONYMIZE` and `NOISE`. */
  readonly pseudonymKey?: Uint8Array;
  /** How the subgraph gets tokens for other services that it calls in the same transaction, see `txnTokenHeaders`. */
  readonly passOn?: PassOnOptions;
  /**
   * For subscriptions: gives a signal that aborts when this delegation is revoked. It is called once, when a subscription begins;
   * the subscription then ends at once, and at the latest when the token or the consent ends.
   */
  readonly revocationSignal?: (delegation: Delegation) => AbortSignal | undefined;
  /** Hears what the team should know: rows of others, values that cannot be minimized. Default: a line of JSON on stderr. */
  readonly log?: SubgraphLog | undefined;
  /** Hears why a transaction token was not accepted. It is given a code, never the token. */
  readonly onRefusedToken?: (reason: Exclude<TxnTokenRefusal, 'TXN_TOKEN_MISSING'>) => void;
}
