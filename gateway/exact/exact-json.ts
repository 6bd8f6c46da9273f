import { randomBytes } from 'node:crypto';
import { ExactNumber } from './exact-number.js';
import { replaceMembers } from './members.js';

/**
 * A number that `JSON.parse` may round: 16 or more digits, or an exponent. It stands after what can stand before a value, so
 * that most identifiers and times inside strings are not even looked at.
 */
const HAS_SUSPECT = /(?:^|[[:,\s])-?(?:\d[\d.]{15}|\d[\d.]*[eE])/;
/** The same, each as a whole; to look behind takes twice as long. */
const SUSPECT = /(?<=^|[[:,\s])-?(?:\d[\d.]{15}|\d[\d.]*[eE])[\d.eE+-]*/g;
const THEN_COLON = /\s*:/y;

export interface ParsedJson {
  readonly value: unknown;
  /** Whether some of its numbers are {@link ExactNumber}s, which its reader has to settle. */
  readonly holdsExact: boolean;
}

/**
 * `JSON.parse`, except that numbers which it would round are {@link ExactNumber}s. (In Node 20 a reviver is not told the text
 * of a number.) Texts without such numbers, which is nearly all, cost one look at them.
 *
 * @throws {SyntaxError} as `JSON.parse`.
 */
export function parseExactJson(text: string): ParsedJson {
  if (!HAS_SUSPECT.test(text)) return { value: JSON.parse(text), holdsExact: false };
  // Nobody who writes a text can know it, so no string in it can pass for a number.
  const mark = randomBytes(12).toString('base64url');
  const { marked, numbers } = markNumbers(text, mark);
  const value: unknown = JSON.parse(marked);
  if (numbers.length === 0) return { value, holdsExact: false };
  const root = { value };
  unmark(root, mark, numbers);
  return { value: root.value, holdsExact: true };
}

/** Puts each number that would be rounded into a string of its own. What is not JSON stays so. */
function markNumbers(
  text: string,
  mark: string,
): { readonly marked: string; readonly numbers: readonly ExactNumber[] } {
  const strings = new StringScanner(text);
  const numbers: ExactNumber[] = [];
  const parts: string[] = [];
  let copied = 0;
  SUSPECT.lastIndex = 0;
  for (let match = SUSPECT.exec(text); match !== null; match = SUSPECT.exec(text)) {
    const [token] = match;
    const after = match.index + token.length;
    const endOfString = strings.endOfStringAround(match.index);
    if (endOfString !== undefined) {
      SUSPECT.lastIndex = endOfString;
      continue;
    }
    const number = ExactNumber.read(token);
    THEN_COLON.lastIndex = after;
    // As a key it is not JSON, and must not become so.
    if (!(number instanceof ExactNumber) || THEN_COLON.test(text)) continue;
    parts.push(text.slice(copied, match.index), `"${mark}${numbers.push(number) - 1}"`);
    copied = after;
  }
  return { marked: numbers.length === 0 ? text : parts.join('') + text.slice(copied), numbers };
}

/** Tells what of a text of JSON stands in strings. It goes forward only, so that all questions cost one reading. */
class StringScanner {
  /** All before it was looked at, and it stands outside of strings. */
  #outside = 0;
  #quote: number;
  readonly #text: string;

  constructor(text: string) {
    this.#text = text;
    this.#quote = text.indexOf('"');
  }

  /** Where the string around a place is over; undefined outside of strings. @param place Not before an earlier one. */
  endOfStringAround(place: number): number | undefined {
    while (this.#quote !== -1 && this.#quote < place) {
      this.#outside = this.#endOfString(this.#quote);
      this.#quote = this.#text.indexOf('"', this.#outside);
      if (this.#outside > place) return this.#outside;
    }
    return undefined;
  }

  /** After its closing quote, or at the end of a text that has none. */
  #endOfString(start: number): number {
    for (let at = start + 1; ;) {
      const quote = this.#text.indexOf('"', at);
      if (quote === -1) return this.#text.length;
      let backslashes = 0;
      while (this.#text[quote - 1 - backslashes] === '\\' && quote - 1 - backslashes > start)
        backslashes += 1;
      if (backslashes % 2 === 0) return quote + 1;
      at = quote + 1;
    }
  }
}

/** Turns the marked strings into numbers, in place. Without recursion: JSON may be nested deeper than the stack is. */
function unmark(root: object, mark: string, numbers: readonly ExactNumber[]): void {
  const pending: object[] = [root];
  const exact = (value: unknown): unknown => {
    if (typeof value === 'string' && value.startsWith(mark)) return numbers[Number(value.slice(mark.length))];
    if (typeof value === 'object' && value !== null) pending.push(value);
    return value;
  };
  for (let container = pending.pop(); container !== undefined; container = pending.pop())
    replaceMembers(container, exact);
}
