/** Longer than any sentence of graphql-js, and than any useful part of an input. */
const MAX_CHARACTERS = 1_000;
const SUGGESTION = ' Did you mean ';

/**
 * Shortens a graphql-js message about a client's input, and removes the suggestion at its end, which reveals the schema. The
 * message may quote the whole input, and repeat it in each error.
 *
 * Not a regular expression: an input that repeats the words before a suggestion would make it start at each of them.
 *
 * @param suggests whether names of the schema may be revealed
 */
export function clientMessage(message: string, suggests: boolean): string {
  const text = suggests ? message : withoutSuggestion(message);
  return text.length <= MAX_CHARACTERS ? text : `${text.slice(0, MAX_CHARACTERS)}…`;
}

function withoutSuggestion(message: string): string {
  // A quote of the client ends differently; a suggestion quotes names only, so the last one is all of it.
  const start = message.endsWith('?') ? message.lastIndexOf(SUGGESTION) : -1;
  return start === -1 ? message : message.slice(0, start);
}
