import { createHmac } from 'node:crypto';
import { DirectiveError } from '../errors.js';
import type { DateUnit, Minimization } from '../specification/minimize.js';

/** What a strategy may know beside the value. */
export interface MinimizationContext {
  /** Pseudonyms and noise are stable for one client and unlinkable between clients. */
  readonly clientId: string;
}

/** Returns less than the value it is given. `null` stays `null`. Never throws. */
export type Minimizer = (value: unknown, context: MinimizationContext) => unknown;

export interface MinimizerInput {
  readonly minimization: Minimization;
  readonly coordinate: string;
  /** Name of the type that the field returns, without lists and non-null. */
  readonly returns: string;
  readonly isNonNull: boolean;
  /** At least 32 bytes; for `PSEUDONYMIZE` and `NOISE`. */
  readonly pseudonymKey: Uint8Array | undefined;
}

const REDACTED = '[redacted]';

/**
 * Compiles one `@minimize` to a function of the value.
 *
 * @throws {DirectiveError} `INVALID_RULE` when the strategy cannot give a value of the field's type,
 *   `MISSING_PSEUDONYM_KEY` when it needs a key of at least 32 bytes and has none.
 */
export function compileMinimizer(input: MinimizerInput): Minimizer {
  const single = compileSingle(input);
  const minimizer: Minimizer = (value, context) => {
    if (value === null || value === undefined) return null;
    if (Array.isArray(value)) return value.map((entry) => minimizer(entry, context));
    return single(value, context);
  };
  return minimizer;
}

function compileSingle(input: MinimizerInput): Minimizer {
  const { minimization, coordinate, returns } = input;
  switch (minimization.to) {
    case 'REDACT':
      if (!input.isNonNull) return () => null;
      if (!isText(returns)) {
        throw new DirectiveError(
          'INVALID_RULE',
          'REDACT needs a nullable field, or one of type String or ID',
          coordinate,
        );
      }
      return () => REDACTED;
    case 'MASK': {
      needsType(isText(returns), minimization.to, 'String or ID', coordinate);
      const { keep } = minimization;
      return (value) => mask(textOf(value), keep);
    }
    case 'TRUNCATE': {
      needsType(isText(returns), minimization.to, 'String or ID', coordinate);
      const { keep } = minimization;
      return (value) => Array.from(textOf(value)).slice(0, keep).join('');
    }
    case 'PSEUDONYMIZE': {
      needsType(isText(returns), minimization.to, 'String or ID', coordinate);
      const digest = keyedDigest(input);
      // 128 bits: no two values of one client meet by chance.
      return (value, { clientId }) => digest(clientId, textOf(value)).subarray(0, 16).toString('base64url');
    }
    case 'NOISE': {
      needsType(isNumber(returns), minimization.to, 'Int or Float', coordinate);
      const { spread } = minimization;
      const digest = keyedDigest(input);
      const round = returns === 'Int' ? Math.round : (number: number): number => number;
      return (value, { clientId }) => {
        if (typeof value !== 'number') return null;
        // The same value moves by the same amount each time: asking again averages nothing out.
        const unit = digest(clientId, String(value)).readUInt32BE(0) / 0xffff_ffff;
        return round(value + (unit * 2 - 1) * spread);
      };
    }
    case 'GENERALIZE': {
      const { by } = minimization;
      if ('unit' in by) {
        needsType(!isNumber(returns), minimization.to, 'a date', coordinate);
        return (value) => generalizeDate(value, by.unit);
      }
      if ('step' in by) return (value) => generalizeNumber(value, by.step);
      needsType(returns !== 'Int', minimization.to, 'Float', coordinate);
      const factor = 10 ** by.decimals;
      // Truncation, not rounding: a coordinate names the cell that it lies in.
      return (value) => (typeof value === 'number' ? Math.trunc(value * factor) / factor : null);
    }
  }
}

function mask(text: string, keep: number): string {
  const characters = Array.from(text);
  let kept = 0;
  for (let index = characters.length - 1; index >= 0; index -= 1) {
    const character = characters[index] ?? '';
    if (!/[\p{L}\p{N}]/u.test(character)) continue;
    if (kept < keep) kept += 1;
    else characters[index] = '*';
  }
  // A text no longer than what may stay would stay whole: then nothing of it stays.
  return kept >= Array.from(text).filter((character) => /[\p{L}\p{N}]/u.test(character)).length
    ? '*'.repeat(characters.length)
    : characters.join('');
}

/** Numbers stay numbers; decimal strings (money in its exact form) stay strings with the same decimals. */
function generalizeNumber(value: unknown, step: number): unknown {
  if (typeof value === 'number') return Math.floor(value / step) * step;
  if (typeof value === 'bigint') {
    const whole = BigInt(Math.max(1, Math.trunc(step)));
    const rest = value % whole;
    return value - (rest < 0n ? rest + whole : rest);
  }
  if (typeof value === 'string' && /^-?\d+(\.\d+)?$/.test(value)) {
    const decimals = value.split('.')[1]?.length ?? 0;
    return (Math.floor(Number(value) / step) * step).toFixed(decimals);
  }
  // What cannot be read cannot be generalized, and must not travel whole.
  return null;
}

const DATE = /^(\d{4})-(\d{2})-(\d{2})(T.*)?$/;

function generalizeDate(value: unknown, unit: DateUnit): unknown {
  const text = value instanceof Date && !Number.isNaN(value.getTime()) ? value.toISOString() : value;
  const match = typeof text === 'string' ? DATE.exec(text) : null;
  if (match === null) return null;
  const [, year = '', month = '', day = '', time] = match;
  const first = {
    DAY: `${year}-${month}-${day}`,
    MONTH: `${year}-${month}-01`,
    YEAR: `${year}-01-01`,
    DECADE: `${year.slice(0, 3)}0-01-01`,
  }[unit];
  const shortened = time === undefined ? first : `${first}T00:00:00.000Z`;
  return value instanceof Date ? new Date(`${first}T00:00:00.000Z`) : shortened;
}

function keyedDigest({
  pseudonymKey,
  coordinate,
}: MinimizerInput): (clientId: string, value: string) => Buffer {
  if (pseudonymKey === undefined || pseudonymKey.length < 32) {
    throw new DirectiveError(
      'MISSING_PSEUDONYM_KEY',
      'this strategy needs a pseudonymKey of at least 32 bytes',
      coordinate,
    );
  }
  // Lengths are part of the input, so that no client and value run into another pair.
  return (clientId, value) =>
    createHmac('sha256', pseudonymKey)
      .update(`${coordinate.length}:${coordinate}${clientId.length}:${clientId}${value}`)
      .digest();
}

function textOf(value: unknown): string {
  return typeof value === 'string' || typeof value === 'number' || typeof value === 'bigint'
    ? String(value)
    : '';
}

function isText(type: string): boolean {
  return type === 'String' || type === 'ID';
}

function isNumber(type: string): boolean {
  return type === 'Int' || type === 'Float';
}

function needsType(fits: boolean, strategy: string, wanted: string, coordinate: string): void {
  if (!fits)
    throw new DirectiveError(
      'INVALID_RULE',
      `@minimize(to: ${strategy}) needs a field of type ${wanted}`,
      coordinate,
    );
}
