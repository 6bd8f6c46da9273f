import { GraphQLError } from 'graphql';

/** Codes that a client of the gateway can meet, beside `UNAUTHORIZED_FIELD_OR_TYPE` and those of GraphQL itself. */
export type GatewayErrorCode =
  /** No token, and the gateway serves nobody without one. */
  | 'UNAUTHENTICATED'
  /** A token that is not valid; the client is told no more (RFC 6750 section 3.1 `invalid_token`). */
  | 'INVALID_TOKEN'
  /** Credentials that cannot be read as one bearer token (RFC 6750 section 3.1 `invalid_request`). */
  | 'INVALID_REQUEST'
  /** An administrator's token without the administrators' scope (RFC 6750 section 3.1 `insufficient_scope`). */
  | 'INSUFFICIENT_SCOPE'
  /** The issuer's keys cannot be had, so no token can be verified. */
  | 'ISSUER_KEYS_UNAVAILABLE'
  /** More requests of the client for this subject than its rate class allows. */
  | 'RATE_LIMITED'
  /** The gateway does not know what was revoked lately, so nothing is permitted. */
  | 'REVOCATION_STATE_STALE'
  /** Introspection is not for this caller. */
  | 'INTROSPECTION_DISABLED'
  /** The record of this request could not be made durable, so its data does not leave. */
  | 'AUDIT_UNAVAILABLE'
  /** A subgraph could not be reached, or answered with an HTTP error. */
  | 'SUBREQUEST_HTTP_ERROR'
  /** A subgraph's answer is no GraphQL response. */
  | 'SUBREQUEST_MALFORMED_RESPONSE';

/** A refusal of the whole request, with the HTTP status and headers that go with it. */
export interface Refusal {
  readonly code: GatewayErrorCode;
  readonly message: string;
  readonly status: number;
  readonly headers?: ReadonlyMap<string, string>;
  /** For the log and the record; never for the client. */
  readonly reason?: string;
}

/** Thrown where a request is refused as a whole. */
export class RefusedError extends GraphQLError {
  constructor(readonly refusal: Refusal) {
    super(refusal.message, {
      extensions: {
        code: refusal.code,
        http: { status: refusal.status, headers: headerMap(refusal.headers) },
      },
    });
  }
}

/** Apollo Server merges header maps by its own HeaderMap's rules: a Map with lower-case names. */
function headerMap(headers: ReadonlyMap<string, string> | undefined): Map<string, string> {
  return new Map(headers ?? []);
}

/** A configuration that cannot be served. `path` names the key. */
export class ConfigurationError extends Error {
  override readonly name = 'ConfigurationError';
  readonly code = 'CONFIGURATION';

  constructor(
    readonly path: string,
    message: string,
  ) {
    super(path === '' ? message : `${path}: ${message}`);
  }
}
