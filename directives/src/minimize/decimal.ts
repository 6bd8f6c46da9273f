/**
 * A decimal number, exactly: `digits / 10 ** scale`. Doubles do not hold most decimal fractions, so with them 0.3 is below three
 * steps of 0.1.
 */
export interface Decimal {
  readonly digits: bigint;
  /** Number of decimals; not negative. */
  readonly scale: number;
}

/** Longer numbers, written out, are not read: they would take long to divide. A double needs at most 325 decimals. */
const MAX_LENGTH = 1_000;

const DECIMAL = /^(-?\d+)(?:\.(\d+))?(?:[eE]([+-]?\d{1,4}))?$/;

/** @returns undefined for anything but a decimal number, and for one of more than a thousand digits */
export function parseDecimal(text: string): Decimal | undefined {
  if (text.length > MAX_LENGTH) return undefined;
  const match = DECIMAL.exec(text);
  if (match === null) return undefined;
  const [, whole = '0', fraction = '', exponent] = match;
  const scale = fraction.length - Number(exponent ?? 0);
  if (Math.abs(scale) > MAX_LENGTH) return undefined;
  const decimals = Math.max(scale, 0);
  return { digits: BigInt(whole + fraction) * power(decimals - scale), scale: decimals };
}

/** The number that JavaScript writes for a double, such as 0.1. @returns undefined if it is not finite */
export function decimalOf(double: number): Decimal | undefined {
  return parseDecimal(String(double));
}

/** The multiple of `step`, which is above 0, at or below the number: -1 by steps of 100 is -100. */
export function floorTo(number: Decimal, step: Decimal): Decimal {
  const scale = Math.max(number.scale, step.scale);
  const digits = digitsAt(number, scale);
  const steps = digitsAt(step, scale);
  const rest = digits % steps;
  return { digits: digits - rest - (rest < 0n ? steps : 0n), scale };
}

/** The number with fewer decimals, closer to 0. */
export function truncateTo({ digits, scale }: Decimal, decimals: number): Decimal {
  const kept = Math.min(scale, decimals);
  return { digits: digits / power(scale - kept), scale: kept };
}

export function addDecimals(one: Decimal, other: Decimal): Decimal {
  if (one.scale === other.scale) return { digits: one.digits + other.digits, scale: one.scale };
  const scale = Math.max(one.scale, other.scale);
  return { digits: digitsAt(one, scale) + digitsAt(other, scale), scale };
}

/** The quotient, whose divisor is above 0, with this many decimals, at least the number's own. Halves go to the even digit. */
export function divideTo(number: Decimal, divisor: bigint, decimals: number): Decimal {
  const digits = digitsAt(number, decimals);
  const [quotient, rest] = [digits / divisor, digits % divisor];
  const twice = (rest < 0n ? -rest : rest) * 2n;
  const isAway = twice > divisor || (twice === divisor && quotient % 2n !== 0n);
  return { digits: quotient + (isAway ? (digits < 0n ? -1n : 1n) : 0n), scale: decimals };
}

/** Halves between doubles have at most 53 decimals from 1 on, and 1,075 below. */
const DECIMALS_OF_HALVES = { above1: 60, below1: 1_100 } as const;

/** The double closest to the quotient, whose divisor is above 0: rounded once. */
export function closestQuotient(number: Decimal, divisor: bigint): number {
  const ones = divisor * power(number.scale);
  const isAbove1 = number.digits >= ones || number.digits <= -ones;
  const { above1, below1 } = DECIMALS_OF_HALVES;
  const decimals = Math.max(number.scale, isAbove1 ? above1 : below1);
  const digits = digitsAt(number, decimals);
  // One more digit tells what is behind the others, which decides only beside a half.
  const behind = digits % divisor === 0n ? 0n : digits < 0n ? -1n : 1n;
  return Number(`${(digits / divisor) * 10n + behind}e-${decimals + 1}`);
}

/** The number written out, without an exponent, with this many decimals or as many more as it has. */
export function formatDecimal(number: Decimal, decimals: number): string {
  let { digits, scale } = number;
  for (; scale > 0 && digits % 10n === 0n; scale -= 1) digits /= 10n;
  const shown = Math.max(scale, decimals);
  const isNegative = digits < 0n;
  const all = digitsAt({ digits: isNegative ? -digits : digits, scale }, shown)
    .toString()
    .padStart(shown + 1, '0');
  const point = all.length - shown;
  return `${isNegative ? '-' : ''}${all.slice(0, point)}${shown > 0 ? `.${all.slice(point)}` : ''}`;
}

/** The closest double. */
export function toDouble(number: Decimal): number {
  return Number(formatDecimal(number, 0));
}

/** Below 0 if the first is less, above 0 if it is more. */
export function compareDecimals(one: Decimal, other: Decimal): number {
  const scale = Math.max(one.scale, other.scale);
  const difference = digitsAt(one, scale) - digitsAt(other, scale);
  return difference === 0n ? 0 : difference < 0n ? -1 : 1;
}

/** Whether a step, such as 0.3, is a whole number of steps of the other size, such as 0.1. Both are above 0 and finite. */
export function isMultipleOf(step: number, other: number): boolean {
  const [whole, part] = [decimalOf(step), decimalOf(other)];
  if (whole === undefined || part === undefined) return false;
  const scale = Math.max(whole.scale, part.scale);
  return digitsAt(whole, scale) % digitsAt(part, scale) === 0n;
}

function digitsAt({ digits, scale }: Decimal, wanted: number): bigint {
  return digits * power(wanted - scale);
}

function power(exponent: number): bigint {
  return 10n ** BigInt(exponent);
}
