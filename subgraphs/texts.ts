const ID = /^[\w-]{1,64}$/;
const UNSTORABLE = /[\p{Cc}\p{Cs}]/u;

/**
 * Whether a value can be the identifier of a row. What cannot be one is answered like the identifier of no row, without a
 * question to the database: a representation for `_entities` holds whatever its sender wrote.
 */
export function isId(value: unknown): value is string {
  return typeof value === 'string' && ID.test(value);
}

/** Whether a text has characters that the database does not store (NUL, half a surrogate pair), or control characters. */
export function isUnstorable(text: string): boolean {
  return UNSTORABLE.test(text);
}
