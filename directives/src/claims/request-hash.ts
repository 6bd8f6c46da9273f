import { createHash } from 'node:crypto';
import { canonicalJson, NotCanonicalError } from './canonical-json.js';
import { isRecord } from '../is-record.js';

/** Domain separation: no other use of SHA-256 yields this hash. */
const DOMAIN = 'behalf:graphql-request:v1\n';

/**
 * The hash that binds a transaction token to one GraphQL request: SHA-256, base64url, over the canonical JSON (RFC 8785) of
 * what is executed. One JSON document holds all three parts, so that no part can pass for another.
 *
 * Absent and null `variables` and `operationName` hash alike, because they execute alike. Other members, such as `extensions`,
 * are ignored.
 *
 * @param body the parsed body: `{ query, variables, operationName }`
 * @returns undefined for anything but a single GraphQL request with its text, such as a batch or a persisted query
 */
export function graphqlRequestHash(body: unknown): string | undefined {
  if (!isRecord(body)) return undefined;
  const query = own(body, 'query');
  const variables = own(body, 'variables') ?? null;
  const operationName = own(body, 'operationName') ?? null;
  if (typeof query !== 'string') return undefined;
  if (variables !== null && !isRecord(variables)) return undefined;
  if (operationName !== null && typeof operationName !== 'string') return undefined;
  let text: string;
  try {
    text = canonicalJson({ operationName, query, variables });
  } catch (error) {
    if (error instanceof NotCanonicalError) return undefined;
    throw error;
  }
  return createHash('sha256').update(DOMAIN).update(text).digest('base64url');
}

function own(record: Readonly<Record<string, unknown>>, name: string): unknown {
  return Object.hasOwn(record, name) ? record[name] : undefined;
}
