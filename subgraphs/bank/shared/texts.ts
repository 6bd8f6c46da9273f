const ID = /^[\w-]{1,64}$/;
const UNSTORABLE = /[\p{Cc}\p{Cs}]/u;

/**
 * Whether a value can be the identifier of a stored row. Anything else is answered as an unknown identifier, without asking the
 * database: a representation sent to `_entities` may hold any value at all.
 */
export function isId(value: unknown): value is string {
  return typeof value === 'string' && ID.test(value);
}

/** Whether a text has control characters, or characters that PostgreSQL cannot store (NUL, half a surrogate pair). */
export function isUnstorable(text: string): boolean {
  return UNSTORABLE.test(text);
}
