import type { JWK } from 'jose';
import type { TxnTokenExchangeOptions } from './txn-token-exchange.js';

/** The transaction tokens for subgraphs. */
export interface PropagationSettings {
  /** `iss` of the transaction tokens: the gateway, as the subgraphs know it. */
  readonly issuer: string;
  /** Seconds; at most 60, which is what subgraphs accept. Default 15. */
  readonly tokenLifetimeSeconds: number;
  /**
   * `none`: one token per transaction and subgraph. `body`: one per subgraph request, valid once and for that request only, at
   * the cost of a signature (about 30 µs) and a canonical text each. Default `none`.
   */
  readonly bind: 'none' | 'body';
  /** Ed25519 private key (RFC 8037). Default: generated, for as long as the gateway runs. */
  readonly key: JWK | undefined;
  /**
   * Seconds for which one key signs; the next one is published meanwhile. Longer than subgraphs cache a key set (10 minutes).
   * Default: as long as the gateway runs.
   */
  readonly rotateKeysAfterSeconds: number | undefined;
  /** Workloads that may exchange a transaction token for one with another audience. Default: none. */
  readonly passOn: TxnTokenExchangeOptions | undefined;
}
