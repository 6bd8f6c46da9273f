import type { ActorClaim, ConsentClaim, ConsentLevels } from './delegation.js';

/** Header that carries the token (draft-ietf-oauth-transaction-tokens section 6). Lower case, as Node gives it. */
export const TXN_TOKEN_HEADER = 'txn-token';
/** `typ` of the token (draft-ietf-oauth-transaction-tokens section 5.1). */
export const TXN_TOKEN_TYPE = 'txntoken+jwt';
/** The only signature algorithm (RFC 8037 with RFC 9864's name kept as `EdDSA` for today's libraries). */
export const TXN_TOKEN_ALGORITHM = 'EdDSA';

/** Claims of a transaction token as Behalf's gateway mints it, one per transaction and subgraph. */
export interface TxnTokenClaims {
  /** The gateway. */
  readonly iss: string;
  /** Seconds since the epoch. */
  readonly iat: number;
  readonly exp: number;
  /** One identifier for the whole request, the same for every subgraph. */
  readonly txn: string;
  /** The name of the one subgraph that may accept this token. */
  readonly aud: string;
  /** The person whose data it is, or the service that acts for itself. */
  readonly sub: string;
  /** Space-separated scopes, only those that a rule of this subgraph can require. */
  readonly scope: string;
  /**
   * The requesting workloads: the gateway, followed by each that exchanged the token for its own, separated by commas
   * (draft-ietf-oauth-transaction-tokens, replacement of Txn-Tokens).
   */
  readonly req_wl: string;
  /** Only in a token that is bound to one request, which is valid once. */
  readonly jti?: string;
  /** Only in a token that is bound to one request. */
  readonly bind?: RequestBinding;
  /** Transaction context: the basis of the subgraph's decisions. */
  readonly tctx: TransactionContext;
  /** Requester context: for the record, not for decisions. */
  readonly rctx: RequesterContext;
}

export interface RequestBinding {
  /** Hash of the query, the variables and the operation name, see `graphqlRequestHash`. */
  readonly body: string;
}

export interface TransactionContext {
  /** A service acts for itself; `sub` then begins with `urn:behalf:service:`. */
  readonly service?: true;
  readonly consent?: ConsentClaim;
  /** Less detail than the schema gives by default. */
  readonly detail?: DetailClaim;
  /** Policies that hold, only those that a rule of this subgraph can require. */
  readonly policies?: readonly string[];
  readonly roles?: readonly string[];
}

/** {@link DetailInForce} as a claim. */
export interface DetailClaim {
  readonly nothing_lifts?: true;
  readonly levels?: ConsentLevels;
}

export interface RequesterContext {
  readonly client_id: string;
  readonly act?: ActorClaim;
}
