import type { Delegation } from '@behalf/directives';
import type { AuthenticatedToken } from '../authenticate/token.js';
import type { Authorization, ClientOperation, ExecutionOutcome } from '../authorize/index.js';
import type { Propagation } from '../propagate/propagation.js';
import type { PolicyRules } from '../rules/policy-rules.js';
import type { Exchange } from '../request/exchange.js';
import type { SharedUse } from '../request/shared-use.js';
import type { SplitSchemaIntrospection } from '../schema-introspection/index.js';

/**
 * The progress of an operation. Every stage holds what is known so far for the record; each later one holds more. A step takes
 * the stage before it and returns the next, so the compiler checks their order.
 */
export interface Stage {
  readonly exchange: Exchange;
  /** Resources that the operations of the same HTTP request have used together. */
  readonly usage: SharedUse;
  readonly isAuthenticated: boolean;
  /** The rules that cut the caller's token. */
  readonly rules?: PolicyRules;
  readonly delegation?: Delegation | undefined;
  /** The client of a refused token, if a valid signature named it. */
  readonly namedClient?: string | undefined;
  /** The code of the failure behind a refusal, for the log. */
  readonly cause?: string | undefined;
  readonly operation?: ClientOperation;
  readonly authorization?: Authorization;
  /** The supergraph that decides and executes it. */
  readonly supergraph?: string;
  /** Denials are only reported: the client's operation is executed whole. */
  readonly isShadow?: boolean;
  readonly propagation?: Propagation;
  /** For the response's `DPoP-Nonce` (RFC 9449 section 8.2), if the client should switch to it. */
  readonly nextNonce?: string | undefined;
}

/** A request has arrived; its credentials are unverified. */
export interface Incoming extends Stage {
  readonly isAuthenticated: false;
}

/** The caller is known, or may be anonymous. */
export interface Authenticated extends Stage {
  readonly isAuthenticated: true;
  /** As issued; {@link token} is cut by the rules. */
  readonly verified: AuthenticatedToken | undefined;
  readonly rules: PolicyRules;
  readonly token: AuthenticatedToken | undefined;
  readonly delegation: Delegation | undefined;
  /** Whether it was counted as one request against the client's rate class. */
  readonly isCounted: boolean;
}

/** The client's operation is known, with every number in it exact. */
export interface Prepared extends Authenticated {
  readonly operation: ClientOperation;
}

/** It is decided what may be planned. */
export interface Authorized extends Prepared {
  readonly variables: Readonly<Record<string, unknown>>;
  /** The introspection part of the operation, which is not planned. */
  readonly schemaIntrospection: SplitSchemaIntrospection | undefined;
  /** The data part: the whole operation, unless a part is answered otherwise. */
  readonly asked: ClientOperation | undefined;
  readonly authorization: Authorization;
  readonly isShadow: boolean;
  readonly propagation: Propagation;
}

/** The subgraphs have answered. */
export interface Executed extends Authorized {
  readonly outcome: ExecutionOutcome;
  readonly schemaIntrospectionOutcome: ExecutionOutcome | undefined;
}

/** The response has the shape that the client requested. */
export interface Completed extends Executed {
  readonly answer: ExecutionOutcome;
}
