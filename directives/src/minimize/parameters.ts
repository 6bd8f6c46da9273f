import { DirectiveError } from '../errors.js';

/** GraphQL's null means "not given" here. */
export function isGiven(value: unknown): boolean {
  return value !== undefined && value !== null;
}

/** @throws {DirectiveError} `INVALID_RULE` */
export function readCount(
  value: unknown,
  argument: string,
  coordinate: string,
  [least, most]: readonly [number, number],
): number {
  if (typeof value === 'number' && Number.isInteger(value) && value >= least && value <= most) return value;
  throw new DirectiveError(
    'INVALID_RULE',
    `"${argument}" must be a whole number from ${least} to ${most}`,
    coordinate,
  );
}

/** @throws {DirectiveError} `INVALID_RULE` */
export function readPositive(value: unknown, argument: string, coordinate: string): number {
  if (typeof value === 'number' && Number.isFinite(value) && value > 0) return value;
  throw new DirectiveError('INVALID_RULE', `"${argument}" must be a number above 0`, coordinate);
}

/** A double holds every decimal number of this many digits, and not every longer one: it would be another number. */
const MAX_DIGITS = 15;

/** @throws {DirectiveError} `INVALID_RULE` */
export function readStep(value: unknown, coordinate: string): number {
  return exactly(readPositive(value, 'step', coordinate), 'step', coordinate);
}

/** @throws {DirectiveError} `INVALID_RULE` for a number that a double does not hold as it was written */
export function exactly(number: number, argument: string, coordinate: string): number {
  const [significand = ''] = String(number).split('e');
  if (significand.replace(/[-.]/g, '').replace(/^0+|0+$/g, '').length <= MAX_DIGITS) return number;
  throw new DirectiveError(
    'INVALID_RULE',
    `"${argument}" must have at most ${MAX_DIGITS} digits, zeros at its ends not counted`,
    coordinate,
  );
}
