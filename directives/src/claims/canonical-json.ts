/** Deeper than any real variables, and far from overflowing the stack. */
const MAX_DEPTH = 256;

/** A value that JSON cannot hold, or one nested too deep. */
export class NotCanonicalError extends Error {
  override readonly name = 'NotCanonicalError';
}

/**
 * The canonical text of a JSON value (RFC 8785, JSON Canonicalization Scheme): members sorted by UTF-16 code units, numbers and
 * strings as in ECMAScript, no white space. RFC 8785 does not define lone surrogates; they are escaped like in
 * `JSON.stringify`, so that distinct strings have distinct texts.
 *
 * Undefined members of an object are omitted, as in `JSON.stringify`.
 *
 * @throws {NotCanonicalError}
 */
export function canonicalJson(value: unknown, depth = 0): string {
  if (depth > MAX_DEPTH) throw new NotCanonicalError('nested too deep');
  if (value === null || typeof value === 'string' || typeof value === 'boolean' || typeof value === 'number')
    return JSON.stringify(value);
  if (typeof value !== 'object' || 'toJSON' in value) throw new NotCanonicalError('not a JSON value');
  if (Array.isArray(value)) {
    const entries = (value as unknown[]).map((entry) =>
      entry === undefined ? 'null' : canonicalJson(entry, depth + 1),
    );
    return `[${entries.join(',')}]`;
  }
  const members = value as Readonly<Record<string, unknown>>;
  const written = Object.keys(members)
    .filter((key) => members[key] !== undefined)
    .sort()
    .map((key) => `${JSON.stringify(key)}:${canonicalJson(members[key], depth + 1)}`);
  return `{${written.join(',')}}`;
}
