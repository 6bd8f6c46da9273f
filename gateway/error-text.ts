/** Longer than any sentence of graphql-js, and than what of an input is worth repeating. */
const MAX_CHARACTERS = 1_000;
const SUGGESTION = ' Did you mean ';

/**
 * What graphql-js says of a client's own input, which it may quote as a whole, and again in each of its errors: cut, and
 * without the suggestion at its end, which is the schema's.
 *
 * Not by a regular expression: an input that consists of the words before a suggestion would make it begin at each of them.
 *
 * @param suggests Whether names of the schema may be told.
 */
export function clientMessage(message: string, suggests: boolean): string {
  const text = suggests ? message : withoutSuggestion(message);
  return text.length <= MAX_CHARACTERS ? text : `${text.slice(0, MAX_CHARACTERS)}…`;
}

function withoutSuggestion(message: string): string {
  // What quotes the client ends otherwise; a suggestion quotes names only, so the last one is the whole of it.
  const start = message.endsWith('?') ? message.lastIndexOf(SUGGESTION) : -1;
  return start === -1 ? message : message.slice(0, start);
}
