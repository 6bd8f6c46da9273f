import { randomBytes } from 'node:crypto';
import { ExactNumber } from './exact-number.js';
import { replaceMembers } from './members.js';

/**
 * A number that `JSON.parse` may round: 16 or more digits, or an exponent. It must follow what can precede a value, which skips
 * most identifiers and times inside strings.
 */
const HAS_SUSPECT = /(?:^|[[:,\s])-?(?:\d[\d.]{15}|\d[\d.]*[eE])/;
/** The same as whole matches; a lookbehind takes twice as long. */
const SUSPECT = /(?<=^|[[:,\s])-?(?:\d[\d.]{15}|\d[\d.]*[eE])[\d.eE+-]*/g;
const THEN_COLON = /\s*:/y;

export interface ParsedJson {
  readonly value: unknown;
  /** Whether it contains {@link ExactNumber}s, which its reader has to settle. */
  readonly holdsExact: boolean;
}

/**
 * `JSON.parse`, except that numbers which it would round become {@link ExactNumber}s. (In Node 20 a reviver does not get a
 * number's text.) Nearly all texts have no such number, and cost one scan.
 *
 * @throws {SyntaxError} like `JSON.parse`
 */
export function parseExactJson(text: string): ParsedJson {
  if (!HAS_SUSPECT.test(text)) return { value: JSON.parse(text), holdsExact: false };
  // Unknown to the sender of a text, so that no string in it can pass for a number.
  const mark = randomBytes(12).toString('base64url');
  const { marked, numbers } = markNumbers(text, mark);
  const value: unknown = JSON.parse(marked);
  if (numbers.length === 0) return { value, holdsExact: false };
  const root = { value };
  unmark(root, mark, numbers);
  return { value: root.value, holdsExact: true };
}

/** Puts each number that would be rounded into a marked string. Invalid JSON stays invalid. */
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
    // As a key it is not valid JSON, and must not become valid.
    if (!(number instanceof ExactNumber) || THEN_COLON.test(text)) continue;
    parts.push(text.slice(copied, match.index), `"${mark}${numbers.push(number) - 1}"`);
    copied = after;
  }
  return { marked: numbers.length === 0 ? text : parts.join('') + text.slice(copied), numbers };
}

/** Tells which parts of a JSON text are inside strings. It only moves forward, so that all queries cost one pass. */
class StringScanner {
  /** Everything before it was scanned, and it is outside of strings. */
  #outside = 0;
  #quote: number;
  readonly #text: string;

  constructor(text: string) {
    this.#text = text;
    this.#quote = text.indexOf('"');
  }

  /** The end of the string around a position; undefined outside of strings. @param place not before an earlier one */
  endOfStringAround(place: number): number | undefined {
    while (this.#quote !== -1 && this.#quote < place) {
      this.#outside = this.#endOfString(this.#quote);
      this.#quote = this.#text.indexOf('"', this.#outside);
      if (this.#outside > place) return this.#outside;
    }
    return undefined;
  }

  /** After its closing quote, or at the end of an unterminated text. */
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

/** Turns the marked strings into numbers, in place. Without recursion: JSON may be nested deeper than the stack. */
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
