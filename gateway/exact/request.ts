import { isRecord } from '@behalf/directives/internal';
import { parseExactJson } from './exact-json.js';
import { ExactNumber } from './exact-number.js';
import { settleWithin } from './settle.js';

/**
 * Parses the JSON body of a GraphQL request or batch. Numbers in `variables` that a double cannot hold stay text until their
 * types are known (`settleVariables`); no other numbers in a request matter.
 *
 * @throws {SyntaxError} like `JSON.parse`
 */
export function parseRequestJson(text: string): unknown {
  const { value, holdsExact } = parseExactJson(text);
  if (!holdsExact) return value;
  return Array.isArray(value) ? value.map(settleEnvelope) : settleEnvelope(value);
}

function settleEnvelope(envelope: unknown): unknown {
  if (!isRecord(envelope) || envelope instanceof ExactNumber) return settled(envelope);
  for (const key of Object.keys(envelope)) {
    const value = envelope[key];
    const isVariables = key === 'variables' && isRecord(value) && !(value instanceof ExactNumber);
    if (!isVariables) envelope[key] = settled(value);
  }
  return envelope;
}

function settled(value: unknown): unknown {
  const holder = { value };
  settleWithin(holder);
  return holder.value;
}
