import type { AudienceVocabulary } from './audience.js';
import type { TxnTokenSettings } from './txn-token.js';
import type { WorkloadOptions } from './workloads.js';

/** RFC 8693 section 2.1. */
const GRANT_TYPE = 'urn:ietf:params:oauth:grant-type:token-exchange';
/** draft-ietf-oauth-transaction-tokens section 7. */
export const TXN_TOKEN_TYPE = 'urn:ietf:params:oauth:token-type:txn_token';
/** SHA-256, base64url. */
const REQUEST_HASH = /^[A-Za-z0-9_-]{43}$/;
const KNOWN_PARAMETERS: ReadonlySet<string> = new Set([
  'grant_type',
  'subject_token',
  'subject_token_type',
  'requested_token_type',
  'audience',
  'request_hash',
  'client_assertion_type',
  'client_assertion',
]);

/** RFC 6749 section 5.2 and RFC 8693 section 2.2.2. */
export type OAuthErrorCode =
  'invalid_request' | 'invalid_client' | 'invalid_target' | 'unsupported_grant_type';

/** The error is for the workload. The reason is for the log and the record. */
export interface ExchangeRefusal {
  readonly error: OAuthErrorCode;
  readonly reason: string;
}

/** The audiences of tokens. */
export interface Audiences {
  /** The permitted content of a token for an audience; undefined for an unknown audience. */
  readonly vocabularyOf: (audience: string) => AudienceVocabulary | undefined;
  readonly isSubgraph: (audience: string) => boolean;
}

/** The token that a workload asks for. */
export interface WantedToken {
  readonly audience: string;
  readonly vocabulary: AudienceVocabulary;
  /** Hash of the one request for which the token will be valid. */
  readonly requestHash: string | undefined;
  readonly error?: never;
}

/** RFC 6749 section 3.2: no parameter twice. */
export function hasRepeatedParameter(form: URLSearchParams): boolean {
  return new Set(form.keys()).size !== [...form.keys()].length;
}

/** Reads the request of an authenticated workload (RFC 8693 section 2.1), except for the token that it holds. */
export function readWantedToken(
  form: URLSearchParams,
  workload: WorkloadOptions,
  {
    propagation,
    vocabularyOf,
    isSubgraph,
  }: Audiences & { readonly propagation: Pick<TxnTokenSettings, 'bind'> },
): WantedToken | ExchangeRefusal {
  if (form.get('grant_type') !== GRANT_TYPE) return { error: 'unsupported_grant_type', reason: 'GRANT_TYPE' };
  // To leave out `scope` or `actor_token` would give another token than the one that was asked for.
  if ([...form.keys()].some((key) => !KNOWN_PARAMETERS.has(key))) return invalid('PARAMETER');
  if (form.get('subject_token_type') !== TXN_TOKEN_TYPE) return invalid('TOKEN_TYPE');
  if ((form.get('requested_token_type') ?? TXN_TOKEN_TYPE) !== TXN_TOKEN_TYPE)
    return invalid('REQUESTED_TYPE');
  const audience = form.get('audience');
  if (audience === null || !workload.audiences.includes(audience))
    return { error: 'invalid_target', reason: 'AUDIENCE' };
  const vocabulary = vocabularyOf(audience);
  if (vocabulary === undefined) return { error: 'invalid_target', reason: 'AUDIENCE_UNKNOWN' };
  const requestHash = form.get('request_hash') ?? undefined;
  if (requestHash !== undefined && !REQUEST_HASH.test(requestHash)) return invalid('REQUEST_HASH');
  // Where requests are bound, a subgraph's are, whoever sends them.
  if (requestHash === undefined && propagation.bind === 'body' && isSubgraph(audience))
    return invalid('REQUEST_HASH_MISSING');
  return { audience, vocabulary, requestHash };
}

function invalid(reason: string): ExchangeRefusal {
  return { error: 'invalid_request', reason };
}
