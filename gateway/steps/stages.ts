import type { Delegation } from '@behalf/directives';
import type { AuthenticatedToken } from '../authenticate/token.js';
import type { Authorization, ClientOperation, ExecutionOutcome } from '../authorize/index.js';
import type { Propagation } from '../propagate/propagation.js';
import type { PolicyRules } from '../rules.js';
import type { Exchange } from '../request/exchange.js';
import type { SharedUse } from '../request/shared-use.js';
import type { SplitSchemaIntrospection } from '../schema-introspection/index.js';

/**
 * How far an operation has come. Every stage holds what can be put on record of it so far; each later one has more. A step takes
 * the stage before it and returns the next, so the compiler checks their order.
 */
export interface Stage {
  readonly exchange: Exchange;
  /** What the operations of the same HTTP request have used together. */
  readonly usage: SharedUse;
  readonly isAuthenticated: boolean;
  readonly delegation?: Delegation | undefined;
  readonly operation?: ClientOperation;
  readonly authorization?: Authorization;
  /** The denials are only noted: what the client asked for is executed whole. */
  readonly isShadow?: boolean;
  readonly propagation?: Propagation;
  /** For the answer's `DPoP-Nonce` (RFC 9449 section 8.2), when the client is to change to it. */
  readonly nextNonce?: string | undefined;
}

/** A request has arrived; its credentials have not been looked at. */
export interface Incoming extends Stage {
  readonly isAuthenticated: false;
}

/** It is known on whose behalf the client asks, or that it shows no credentials and may do so. */
export interface Authenticated extends Stage {
  readonly isAuthenticated: true;
  /** As the issuer made it; {@link token} is what the rules leave of it. */
  readonly verified: AuthenticatedToken | undefined;
  /** The rules that {@link token} was cut by. */
  readonly rules: PolicyRules;
  readonly token: AuthenticatedToken | undefined;
  readonly delegation: Delegation | undefined;
  /** Whether it was counted as one request against the client's rate class. */
  readonly isCounted: boolean;
}

/** The operation is known as the client sent it, with every number in it exact. */
export interface Prepared extends Authenticated {
  readonly operation: ClientOperation;
}

/** It is decided what may be planned. */
export interface Authorized extends Prepared {
  readonly variables: Readonly<Record<string, unknown>>;
  /** The part of the operation that asks for the schema, if it is answered by what the caller can reach. */
  readonly schemaIntrospection: SplitSchemaIntrospection | undefined;
  /** The part that asks for data: the whole operation, unless a part is answered otherwise. */
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

/** The answer has the shape that the client asked for. */
export interface Completed extends Executed {
  readonly answer: ExecutionOutcome;
}
