import { isUtf8 } from 'node:buffer';
import { isRecord } from '@behalf/directives/internal';
import { parseExactJson } from '../exact/exact-json.js';
import type { ParsedJson } from '../exact/exact-json.js';
import { ExactNumber } from '../exact/exact-number.js';
import type { SubgraphAnswer } from './subgraph-http.js';
import { UnreadableAnswerError } from './unreadable-answer.js';

/** A GraphQL response (GraphQL section 7.1), without members that are null. */
export interface ReadAnswer {
  readonly data: Record<string, unknown> | null;
  /** Each has a message. Empty only if there are data. */
  readonly errors: readonly unknown[];
  readonly extensions: Record<string, unknown>;
  /** Whether a part of it contains {@link ExactNumber}s. */
  readonly holdsExact: boolean;
}

const JSON_TYPES: ReadonlySet<string> = new Set(['application/json', 'application/graphql-response+json']);
/** JSON is UTF-8 (RFC 8259 section 8.1), of which ASCII is a part. */
/** RFC 9110 section 5.6.6: the value of a parameter can be quoted, and then hold anything. */
const PARAMETER = /;\s*([^\s=;"]+)\s*=\s*(?:"((?:[^"\\]|\\.)*)"|([^;]*))/g;
const CHARSETS: ReadonlySet<string> = new Set(['utf-8', 'utf8', 'us-ascii']);
const BYTE_ORDER_MARK = '\uFEFF';

/**
 * Reads a subgraph's answer as a GraphQL response. `docs/reference/subgraph-answers.md` lists the outcome for each kind of
 * answer.
 *
 * The data of an HTTP error are not used, because nothing says that they are complete; its errors are (GraphQL over HTTP).
 *
 * @throws {UnreadableAnswerError}
 */
export function readAnswer(answer: SubgraphAnswer): ReadAnswer {
  const { status } = answer;
  if (status >= 200 && status <= 299) return readResponse(answer);
  const errors = status >= 400 ? errorsOf(answer) : [];
  if (errors.length === 0) throw new UnreadableAnswerError('SUBREQUEST_HTTP_ERROR', `HTTP_${status}`);
  return { data: null, errors, extensions: {}, holdsExact: false };
}

/** The errors of a GraphQL response, or none. */
function errorsOf(answer: SubgraphAnswer): readonly unknown[] {
  try {
    return readResponse(answer).errors;
  } catch {
    return [];
  }
}

function readResponse({ contentType, body }: SubgraphAnswer): ReadAnswer {
  requireJsonType(contentType);
  const { value, holdsExact } = parse(textOf(body));
  if (!isObject(value)) throw malformed('NO_OBJECT');
  // A member that is null says the same as one that is absent, and so does an empty list of errors.
  const data = value.data ?? null;
  const errors = value.errors ?? [];
  const extensions = value.extensions ?? {};
  if (data !== null && !isObject(data)) throw malformed('SHAPE');
  if (!Array.isArray(errors) || !errors.every(isGraphQLError)) throw malformed('SHAPE');
  if (!isObject(extensions)) throw malformed('SHAPE');
  if (data === null && errors.length === 0) throw malformed('NO_DATA');
  return { data, errors, extensions, holdsExact };
}

function requireJsonType(contentType: unknown): void {
  if (typeof contentType !== 'string') throw malformed('CONTENT_TYPE');
  const [type = ''] = contentType.split(';', 1);
  if (!JSON_TYPES.has(type.trim().toLowerCase())) throw malformed('CONTENT_TYPE');
  for (const [, name = '', quoted, plain = ''] of contentType.matchAll(PARAMETER)) {
    if (name.toLowerCase() !== 'charset') continue;
    if (!CHARSETS.has((quoted ?? plain.trim()).toLowerCase())) throw malformed('CHARSET');
  }
}

/** Replacing invalid bytes would change values. RFC 8259 section 8.1 permits to ignore a byte order mark. */
function textOf(body: Buffer): string {
  if (!isUtf8(body)) throw malformed('CHARSET');
  const text = body.toString('utf8');
  return text.startsWith(BYTE_ORDER_MARK) ? text.slice(1) : text;
}

function parse(text: string): ParsedJson {
  try {
    return parseExactJson(text);
  } catch {
    throw malformed('JSON');
  }
}

function malformed(reason: string): UnreadableAnswerError {
  return new UnreadableAnswerError('SUBREQUEST_MALFORMED_RESPONSE', reason);
}

function isObject(value: unknown): value is Record<string, unknown> {
  return isRecord(value) && !(value instanceof ExactNumber);
}

function isGraphQLError(value: unknown): boolean {
  return isRecord(value) && typeof value.message === 'string';
}
