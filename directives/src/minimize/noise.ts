import { decimalOf, toDouble } from './decimal.js';

/** Maximum number of steps on one side. With far more, a double could not distinguish them beside the value. */
const MAX_STEPS = 2 ** 31;
/** Integers up to here are exact, and so is the step that a value lies on. */
const MAX_INDEX = Number.MAX_SAFE_INTEGER - 2 * MAX_STEPS;

/** The largest `Int`. */
const MAX_INT = 2n ** 31n - 1n;

/** Discrete noise: results are multiples of `step`, whatever the value was. */
export interface NoiseGrid {
  readonly step: number;
  /** The noise is one of `-maxSteps … maxSteps`, times `step`. */
  readonly maxSteps: number;
}

/**
 * Computes the grid of a `NOISE`. Snapping a value to the grid moves it by up to half a step, which counts towards `spread`.
 *
 * @param spread above 0
 * @param step as the schema states it; by default a thousandth of the spread, for integers at least 1
 * @returns undefined if it cannot work: the step leaves no noise, does not fit integers, or fits too often into the spread
 */
export function noiseGrid(spread: number, step: number | undefined, isWhole: boolean): NoiseGrid | undefined {
  const chosen = step ?? (isWhole ? Math.max(1, Math.round(spread / 1_000)) : spread / 1_000);
  if (isWhole && !Number.isInteger(chosen)) return undefined;
  const snapped = isWhole && chosen === 1 ? 0 : chosen / 2;
  const maxSteps = Math.floor((spread - snapped) / chosen);
  // A step that is 0 fits infinitely often, and one below 0 less than once.
  if (!(maxSteps >= 1) || maxSteps > MAX_STEPS) return undefined;
  return { step: chosen, maxSteps };
}

/**
 * Moves the value by noise drawn from the digest, all steps equally likely.
 *
 * @param digest at least 128 bits, and the same for the same value, so that repeated queries average nothing out
 * @returns as {@link addSteps}
 */
export function addNoise(value: unknown, { step, maxSteps }: NoiseGrid, digest: Buffer): number | null {
  const drawn = (digest.readBigUInt64BE(0) << 64n) | digest.readBigUInt64BE(8);
  // 128 bits: the remainder favours no step by more than one in 2^96.
  const noise = (drawn % BigInt(2 * maxSteps + 1)) - BigInt(maxSteps);
  return addSteps(value, { step, isInt: false }, noise);
}

/**
 * Moves the value to a step, and by a number of steps. The result depends only on a number of whole steps, so the low bits of the
 * double reveal nothing about the value.
 *
 * @returns null for a value that is not a number, or is too large to lie exactly on a step; of an Int the closest one that its
 * type can write
 */
export function addSteps(
  value: unknown,
  { step, isInt }: { readonly step: number; readonly isInt: boolean },
  noise: bigint,
): number | null {
  const exactStep = decimalOf(step);
  if (typeof value !== 'number' || exactStep === undefined) return null;
  const index = Math.round(value / step);
  if (!(Math.abs(index) <= MAX_INDEX)) return null;
  const { digits, scale } = exactStep;
  let steps = BigInt(index) + noise;
  if (isInt) {
    const most = MAX_INT / digits;
    if (steps > most) steps = most;
    if (steps < -most) steps = -most;
  }
  // Three steps of 0.1 are 0.3, as people write it; the product of the doubles is another double.
  return toDouble({ digits: steps * digits, scale });
}
