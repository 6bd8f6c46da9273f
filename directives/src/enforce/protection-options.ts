import type { FormerPseudonymKey } from '../minimize/pseudonyms.js';
import type { GraphQLResolveInfo } from 'graphql';
import type { Delegation } from '../claims/delegation.js';
import type { PassOnOptions } from '../claims/exchange-txn-token.js';
import type { GatewayTrust } from '../claims/read-txn-token.js';
import type { TxnTokenRefusal } from '../claims/txn-token-refusals.js';
import type { TxnTokenBinding } from '../claims/verify-txn-token.js';
import type { SubgraphLog } from '../log.js';

/** `enforce`: rules are enforced. `shadow`: nothing is refused or minimized; only the record shows what would have been. */
export type Enforcement = 'enforce' | 'shadow';

/** Declared as a method, so that a resolver may narrow its parameters. */
type DefaultResolver = {
  resolve(source: unknown, args: unknown, context: unknown, info: GraphQLResolveInfo): unknown;
}['resolve'];

/** How one subgraph is protected, however its schema was built. */
export interface ProtectionOptions extends TxnTokenBinding {
  /** Name of the subgraph, as in `supergraph.yaml`: its tokens' only accepted audience. */
  readonly name: string;
  /** The gateway whose transaction tokens are trusted. */
  readonly gateway: GatewayTrust;
  /**
   * `required` (the default): a field without a rule of its own or an inherited one, and not `@public`, is refused. `open`: it
   * is open, as in the standard.
   */
  readonly coverage?: 'required' | 'open';
  /**
   * `enforce` (the default), or `shadow` for introducing rules: every field resolves as without this library, nothing is denied
   * or minimized, and only the record shows what would have been. Only this option sets it: no token and no caller can.
   */
  readonly enforcement?: Enforcement;
  /**
   * Resolves the fields that have no resolver of their own. Give the server's `fieldResolver` here, if it has one: every
   * protected field has a resolver, so graphql-js never calls the server's. Default: graphql-js's `defaultFieldResolver`.
   */
  readonly fieldResolver?: DefaultResolver;
  /** The same for the source of a subscription whose field has no `subscribe` function. */
  readonly subscribeFieldResolver?: DefaultResolver;
  /** At least 32 bytes, the same on every instance; for `PSEUDONYMIZE`, `NOISE` and `SHIFT`. */
  readonly pseudonymKey?: Uint8Array;
  /**
   * Keys that were the `pseudonymKey` before. Pseudonyms that they made are recognized until a time each, see `pseudonymsOf`;
   * new ones are made by the `pseudonymKey`. Default: none.
   */
  readonly formerPseudonymKeys?: readonly FormerPseudonymKey[];
  /** How the subgraph gets tokens for other services in the same transaction, see `txnTokenHeaders`. */
  readonly passOn?: PassOnOptions;
  /**
   * For subscriptions: returns a signal that aborts when this delegation is revoked. It is called once, when a subscription
   * begins; the subscription then ends at once, and otherwise when the token or the consent ends.
   */
  readonly revocationSignal?: (delegation: Delegation) => AbortSignal | undefined;
  /** Receives what the team should know: foreign rows, values that cannot be minimized. Default: a line of JSON on stderr. */
  readonly log?: SubgraphLog | undefined;
  /** Receives the reason why a transaction token was refused: a code, never the token. */
  readonly onRefusedToken?: (reason: Exclude<TxnTokenRefusal, 'TXN_TOKEN_MISSING'>) => void;
}
