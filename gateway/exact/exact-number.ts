/** JSON's numbers (RFC 8259 section 6), which are GraphQL's too. */
const GRAMMAR = /^(-?)(0|[1-9]\d*)(?:\.(\d+))?(?:[eE]([+-]?\d+))?$/;
/** More digits than any identifier has; `1e999999999` is not expanded. */
const MAX_DIGITS = 100;

/**
 * A number as text, because `Number` rounds it, or may: an integer beyond 2^53, or more digits than a double holds. It must not
 * stay in a response or request: code that knows its type settles it.
 */
export class ExactNumber {
  /** @param text a JSON number */
  private constructor(readonly text: string) {}

  /** A number that loses nothing is returned as a number. Undefined for what is not a JSON number. */
  static read(text: string): number | ExactNumber | undefined {
    const value = Number(text);
    const isSafe = Number.isSafeInteger(value) || !Number.isInteger(value);
    // ECMAScript's spelling, which is the most common.
    if (isSafe && String(value) === text) return value;
    if (!GRAMMAR.test(text)) return undefined;
    return isSafe && fitsDouble(text) ? value : new ExactNumber(text);
  }

  /** Whether a double has exactly this value, so that it can be written out again. */
  get fitsDouble(): boolean {
    return fitsDouble(this.text);
  }

  /** As digits alone; undefined for a fraction, and for too many digits. */
  get integer(): string | undefined {
    const decimal = readDecimal(this.text);
    if (decimal === undefined) return undefined;
    const { negative, digits, exponent } = decimal;
    if (digits === '') return '0';
    if (exponent < 0 || digits.length + exponent > MAX_DIGITS) return undefined;
    return `${negative ? '-' : ''}${digits}${'0'.repeat(exponent)}`;
  }

  /** Even if nothing settled it, it is not rounded. */
  toJSON(): string {
    return this.text;
  }
}

function fitsDouble(text: string): boolean {
  const value = Number(text);
  const [sent, written] = [
    readDecimal(text),
    Number.isFinite(value) ? readDecimal(String(value)) : undefined,
  ];
  return sent !== undefined && written !== undefined && isSame(sent, written);
}

/** `digits` × 10^`exponent`, the digits without zeros at either end: equal numbers have equal parts. Zero has no digits. */
interface Decimal {
  readonly negative: boolean;
  readonly digits: string;
  readonly exponent: number;
}

function readDecimal(text: string): Decimal | undefined {
  const match = GRAMMAR.exec(text);
  if (match === null) return undefined;
  const [, sign, whole = '', fraction = '', exponent = '0'] = match;
  const all = `${whole}${fraction}`.replace(/^0+/, '');
  const digits = withoutTrailingZeros(all);
  return {
    negative: sign === '-' && digits !== '',
    digits,
    exponent: digits === '' ? 0 : Number(exponent) - fraction.length + (all.length - digits.length),
  };
}

/** Not a regular expression: many zeros before a digit would make it backtrack at each. */
function withoutTrailingZeros(digits: string): string {
  let end = digits.length;
  while (end > 0 && digits[end - 1] === '0') end -= 1;
  return digits.slice(0, end);
}

function isSame(one: Decimal, other: Decimal): boolean {
  return one.negative === other.negative && one.digits === other.digits && one.exponent === other.exponent;
}
