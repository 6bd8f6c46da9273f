import type { ErrorDescription } from '@behalf/directives/internal';
import { fileErrors } from '@behalf/policy/internal';
import { GraphQLError } from 'graphql';

/** The gateway's error codes, in addition to `UNAUTHORIZED_FIELD_OR_TYPE` and GraphQL's own. */
export const gatewayErrors = Object.freeze({
  UNAUTHENTICATED: {
    description: 'There is no token, and the gateway does not serve anonymous callers.',
    since: '0.1.0',
    status: 401,
  },
  INVALID_TOKEN: {
    description: 'The token is invalid; the client gets no details (RFC 6750 section 3.1 `invalid_token`).',
    since: '0.1.0',
    status: 401,
  },
  INVALID_REQUEST: {
    description: 'The credentials are not exactly one access token (RFC 6750 section 3.1 `invalid_request`).',
    since: '0.1.0',
    status: 400,
  },
  INVALID_DPOP_PROOF: {
    description:
      'The token is bound to a key, and the request has no valid proof of it (RFC 9449 section 7.1 `invalid_dpop_proof`).',
    since: '0.1.0',
    status: 401,
  },
  USE_DPOP_NONCE: {
    description:
      'The proof must contain the nonce from the header `DPoP-Nonce` (RFC 9449 section 9 `use_dpop_nonce`).',
    since: '0.1.0',
    status: 401,
  },
  INSUFFICIENT_SCOPE: {
    description:
      'The address is for administrators, and the token lacks their scope (RFC 6750 section 3.1 `insufficient_scope`).',
    since: '0.1.0',
    status: 403,
  },
  INSUFFICIENT_USER_AUTHENTICATION: {
    description:
      'The address is for administrators, and the sign-in is too weak or too old for their scope (RFC 9470 section 3).',
    since: '0.1.0',
    status: 401,
  },
  ISSUER_KEYS_UNAVAILABLE: {
    description: "The issuer's keys are unavailable, so its tokens cannot be verified.",
    since: '0.1.0',
    status: 503,
  },
  TOKEN_INTROSPECTION_UNAVAILABLE: {
    description: 'The opaque token cannot be introspected (RFC 7662), so it is not accepted.',
    since: '0.1.0',
    status: 503,
  },
  RATE_LIMITED: {
    description:
      'The client sent more requests for this subject than its rate class allows; see `Retry-After`. Without that header, the operation alone exceeds a whole window of the class.',
    since: '0.1.0',
    status: 429,
  },
  OPERATION_LIMIT_EXCEEDED: {
    description:
      'The operation is larger than the gateway allows: `limit` names the limit, `maximum` its value and `actual` the count.',
    since: '0.1.0',
    status: 400,
  },
  PLANNING_LIMIT_EXCEEDED: {
    description: 'The operation takes longer to plan than the gateway allows for one request.',
    since: '0.1.0',
    status: 400,
  },
  PLANNER_BUSY: {
    description: 'Too many new operations wait for planning; see `Retry-After`.',
    since: '0.1.0',
    status: 503,
  },
  REVOCATION_STATE_STALE: {
    description: 'The gateway does not know recent revocations, so it permits nothing.',
    since: '0.1.0',
    status: 503,
  },
  CLIENT_SUSPENDED: {
    description:
      'An administrator suspended the application. Its tokens are valid again when it is resumed; another token would not help.',
    since: '0.1.0',
    status: 403,
  },
  EMERGENCY_STOP: {
    description: 'An administrator stopped everything that needs a token; see `Retry-After`.',
    since: '0.1.0',
    status: 503,
  },
  REPLAY_STORE_UNAVAILABLE: {
    description: 'It is unknown whether the DPoP proof was used before, so it is refused.',
    since: '0.1.0',
    status: 503,
  },
  INTROSPECTION_DISABLED: {
    description: 'This caller may not introspect the schema.',
    since: '0.1.0',
    status: 403,
  },
  BAD_USER_INPUT: {
    description:
      'A variable is not a value of its type, or is null where null may not stand (GraphQL sections 6.1.2 and 6.4.1). Subgraphs use the code as well.',
    since: '0.1.0',
    status: 400,
  },
  NUMBER_NOT_EXACT: {
    description:
      'A number would lose precision as a double: in a variable, or a Float literal beyond every double (the operation is refused); or in a subgraph response (null at its path).',
    since: '0.1.0',
    status: 400,
  },
  OPERATION_RESOLUTION_FAILURE: {
    description:
      'The document has no operation with the requested name, or has several and the request names none.',
    since: '0.1.0',
    status: 400,
  },
  OPERATION_UNSUPPORTED: {
    description: 'An operation of a kind that the schema does not have, such as a mutation.',
    since: '0.1.0',
    status: 400,
  },
  SUBSCRIPTION_UNSUPPORTED: {
    description: 'The operation is a subscription, and the gateway executes queries and mutations only.',
    since: '0.1.0',
    status: 400,
  },
  AUDIT_UNAVAILABLE: {
    description: 'The record of this request could not be stored, so no data is returned.',
    since: '0.1.0',
    status: 503,
  },
  OUTCOME_NOT_RECORDED: {
    description:
      'The mutation may have run, and its outcome could not be recorded yet, so it is not returned. Find out before repeating the mutation.',
    since: '0.1.0',
    status: 500,
  },
  SUBREQUEST_HTTP_ERROR: {
    description: 'A subgraph could not be reached, or answered with an HTTP error and no errors of GraphQL.',
    since: '0.1.0',
  },
  SUBREQUEST_MALFORMED_RESPONSE: {
    description: "A subgraph's response is not a GraphQL response.",
    since: '0.1.0',
  },
  DOWNSTREAM_SERVICE_ERROR: {
    description:
      'A subgraph reported an error without a code that can be passed on. Its message is not returned.',
    since: '0.1.0',
  },
  ERRORS_OMITTED: {
    description: 'The response has more errors than listed; `omittedErrors` says how many more.',
    since: '0.1.0',
  },
  INTERNAL_SERVER_ERROR: {
    description: 'The operation ended in an unexpected error. The log has its transaction.',
    since: '0.1.0',
  },
} satisfies Record<string, ErrorDescription>);

/** Every code of a refused request, see {@link Refusal}. The codes are stable. */
export type GatewayErrorCode = keyof typeof gatewayErrors;

/** A refusal of the whole request, with the HTTP status and headers that go with it. */
export interface Refusal {
  readonly code: GatewayErrorCode;
  readonly message: string;
  readonly status: number;
  readonly headers?: ReadonlyMap<string, string>;
  /** Further members of the error's `extensions`, for the client. */
  readonly details?: Readonly<Record<string, string | number>>;
  /** For the log and the record; never for the client. */
  readonly reason?: string;
  /** The code of the failure behind the reason, for the log only. */
  readonly cause?: string | undefined;
}

/**
 * Thrown where a request is refused as a whole. It is a GraphQLError, so Apollo Server sends its status and headers by itself.
 *
 * @example
 * ```ts
 * import { type IncomingRequest, type ProtectedGateway, RefusedError } from '@behalf/gateway';
 *
 * export async function statusOf(gateway: ProtectedGateway, incoming: IncomingRequest): Promise<number> {
 *   try {
 *     await gateway.context(incoming);
 *     return 200;
 *   } catch (error) {
 *     if (error instanceof RefusedError) return error.refusal.status;
 *     throw error;
 *   }
 * }
 * ```
 */
export class RefusedError extends GraphQLError {
  /** The response's headers, in lower case because Apollo Server merges them; the gateway adds to them. */
  readonly headers: Map<string, string>;
  /** The client of a token that was refused although its signature is valid, for the record; never for the client. */
  namedClient: string | undefined;

  constructor(readonly refusal: Refusal) {
    const headers = new Map(refusal.headers ?? []);
    super(refusal.message, {
      extensions: { ...refusal.details, code: refusal.code, http: { status: refusal.status, headers } },
    });
    this.headers = headers;
    // It is the client's answer, and a server that shows stacks would reveal where it was made.
    Object.defineProperty(this, 'stack', { value: undefined, configurable: true, writable: true });
  }
}

export { httpErrors } from './http-errors.js';
export type { HttpErrorCode } from './http-errors.js';

/** Codes of mistakes in the configuration, or in the use of the library. */
export const configurationErrors = Object.freeze({
  ...fileErrors,
  CONFIGURATION: {
    description:
      'The configuration cannot be served, or a function of the library was given something that it cannot use; the message begins with the path of the key, or of the argument.',
    since: '0.1.0',
  },
} satisfies Record<string, ErrorDescription>);

/**
 * A configuration that cannot be served, or a misused function of the library. `path` names the key or the argument, and the
 * message begins with it. Its code is
 * `CONFIGURATION`, or `FILE_UNREADABLE`.
 *
 * @example
 * ```ts
 * import { ConfigurationError, readConfig } from '@behalf/gateway';
 *
 * try {
 *   await readConfig('gateway.yaml');
 * } catch (error) {
 *   if (!(error instanceof ConfigurationError)) throw error;
 *   console.error(error.message); // issuers[0].issuer: …
 * }
 * ```
 */
export class ConfigurationError extends Error {
  override readonly name = 'ConfigurationError';

  constructor(
    readonly path: string,
    message: string,
    readonly code: keyof typeof configurationErrors = 'CONFIGURATION',
  ) {
    super(path === '' ? message : `${path}: ${message}`);
  }
}
