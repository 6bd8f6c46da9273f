import type { ErrorDescription } from '@behalf/directives/internal';

/** Codes of the gateway's own server for requests that it answers before, or without, the pipeline. */
export const httpErrors = Object.freeze({
  NOT_FOUND: { description: 'The gateway does not have this address.', since: '0.1.0', status: 404 },
  METHOD_NOT_ALLOWED: {
    description: 'The address does not support the method; the header Allow lists those that it does.',
    since: '0.1.0',
    status: 405,
  },
  REQUEST_MALFORMED: {
    description:
      'The request is not HTTP that the server can read, its query is not UTF-8 in percent-encoding, or its body broke off.',
    since: '0.1.0',
    status: 400,
  },
  REQUEST_TIMEOUT: { description: 'The request did not arrive in time.', since: '0.1.0', status: 408 },
  HEADERS_TOO_LARGE: {
    description: 'The headers are larger than the server reads (16 kB).',
    since: '0.1.0',
    status: 431,
  },
  EXPECTATION_FAILED: {
    description: 'The header Expect asks for something other than 100-continue.',
    since: '0.1.0',
    status: 417,
  },
  UNSUPPORTED_MEDIA_TYPE: {
    description: 'The address does not read bodies of this Content-Type.',
    since: '0.1.0',
    status: 415,
  },
  UNSUPPORTED_CONTENT_ENCODING: {
    description: 'The body has a Content-Encoding, such as gzip; the gateway reads plain bodies only.',
    since: '0.1.0',
    status: 415,
  },
  BODY_TOO_LARGE: { description: 'The body is larger than any real request.', since: '0.1.0', status: 413 },
  BODY_TIMEOUT: { description: 'The body did not arrive in time.', since: '0.1.0', status: 408 },
  BODY_ABORTED: { description: 'The body did not arrive completely.', since: '0.1.0', status: 400 },
  BODY_MALFORMED: {
    description: 'The body is not JSON with the members that the address reads.',
    since: '0.1.0',
    status: 400,
  },
  BATCHES_NOT_SUPPORTED: {
    description: 'The body is a list of operations, and the configuration has no http.batch.',
    since: '0.1.0',
    status: 400,
  },
  BATCH_SIZE: {
    description: 'The list of operations is empty, or has more than maxOperations.',
    since: '0.1.0',
    status: 400,
  },
  BATCH_ENTRY_INVALID: {
    description:
      'An entry of the list, whose position (from 0) is in entry, is not a request: an object whose query and operationName are texts, and whose variables and extensions are objects. No operation of the list was executed.',
    since: '0.1.0',
    status: 400,
  },
  NOT_ACCEPTABLE: {
    description:
      'The header Accept permits neither application/json nor application/graphql-response+json. Nothing was executed.',
    since: '0.1.0',
    status: 406,
  },
  OPERATION_INVALID: {
    description:
      'The operation to explain cannot be parsed, or does not fit the schema; errors says why. As the reason of a record: an operation that was not executed, because it cannot be read, does not fit the schema, or has variables that cannot be used.',
    since: '0.1.0',
    status: 400,
  },
  INTERNAL_SERVER_ERROR: {
    description: 'The request could not be answered. The log of the gateway has the error.',
    since: '0.1.0',
    status: 500,
  },
  METRICS_UNAVAILABLE: { description: 'The metrics could not be collected.', since: '0.1.0', status: 500 },
  KEYS_UNAVAILABLE: {
    description: 'The gateway has no keys yet; the header Retry-After says when to ask again.',
    since: '0.1.0',
    status: 503,
  },
  STARTING: {
    description: 'The gateway is starting; the header Retry-After says when to ask again.',
    since: '0.1.0',
    status: 503,
  },
} satisfies Record<string, Required<ErrorDescription>>);

/** Every code of {@link httpErrors}. The codes are stable. */
export type HttpErrorCode = keyof typeof httpErrors;
