import { createHmac } from 'node:crypto';
import { getNamedType, isListType, isNonNullType, isScalarType, isSpecifiedScalarType } from 'graphql';
import type { GraphQLOutputType, GraphQLScalarType } from 'graphql';
import { awaitedLater, collect, isAsyncIterable, isIterable, isPromise } from '../enforce/values.js';
import { DirectiveError } from '../errors.js';
import type { Minimization, MinimizationStrategy } from '../specification/minimize.js';
import { decimalOf } from './decimal.js';
import type { Decimal } from './decimal.js';
import { acceptFinishedValues, FinishedValue, sentForm, serializeScalar } from './finished-value.js';
import { generalizeDate } from './generalize-date.js';
import { cutDecimals, generalizeNumber } from './generalize-number.js';
import { mask, truncate } from './graphemes.js';
import { addNoise, noiseGrid } from './noise.js';
import { TimeZone } from './time-zone.js';

/** The other input of a strategy, besides the value. */
export interface MinimizationContext {
  /** Pseudonyms and noise are stable for one client and unlinkable between clients. */
  readonly clientId: string;
}

/**
 * Returns less than the resolver did: entry by entry for a list, and as a promise for a promise. `null` and errors are
 * unchanged.
 */
export type Minimizer = (value: unknown, context: MinimizationContext) => unknown;

/**
 * Takes a value as its type serializes it, and as the resolver returned it. Returns null for an unreadable one, and a `Date` for
 * the type to write.
 */
type Strategy = (serialized: unknown, context: MinimizationContext, value: unknown) => unknown;

export interface MinimizerInput {
  readonly minimization: Minimization;
  readonly coordinate: string;
  /** The type that the field returns. */
  readonly type: GraphQLOutputType;
  /** At least 32 bytes; for `PSEUDONYMIZE` and `NOISE`. */
  readonly pseudonymKey: Uint8Array | undefined;
  /** Is called for a value that became null because it could not be serialized or read. */
  readonly onUnreadable: () => void;
}

const REDACTED = '[redacted]';

/**
 * Compiles one `@minimize` to a function of the resolver's result.
 *
 * @throws {DirectiveError} `INVALID_RULE` if the strategy does not fit the field's type, `MISSING_PSEUDONYM_KEY` if it needs a
 * key of at least 32 bytes and has none
 */
export function compileMinimizer(input: MinimizerInput): Minimizer {
  const { minimization, type, coordinate } = input;
  const named = getNamedType(type);
  if (minimization.to === 'REDACT') return through(type, redact(input));
  if (!isScalarType(named)) {
    throw new DirectiveError(
      'INVALID_RULE',
      `@minimize(to: ${minimization.to}) needs a field of a scalar type`,
      coordinate,
    );
  }
  if (!isSpecifiedScalarType(named)) acceptFinishedValues(named);
  const strategy = compileStrategy(minimization, input, named.name);
  return through(type, (value, context) => {
    const result = minimizeScalar(value, named, strategy, context);
    if (result !== null) return result;
    input.onUnreadable();
    return null;
  });
}

/** Follows the type as graphql-js does: lists of any iterable, entry by entry, promises at each position. */
function through(type: GraphQLOutputType, single: Minimizer): Minimizer {
  if (isNonNullType(type)) return through(type.ofType, single);
  const whole: Minimizer = isListType(type) ? eachOf(through(type.ofType, single)) : single;
  const minimizer: Minimizer = (value, context) => {
    if (value === null || value === undefined) return null;
    if (isPromise(value)) return value.then((settled) => minimizer(settled, context));
    return value instanceof Error ? value : whole(value, context);
  };
  return minimizer;
}

/** Takes the place of a single value where a list should be: graphql-js reports it, and cannot return it. */
const NOT_A_LIST = Object.freeze({});

function eachOf(entry: Minimizer): Minimizer {
  const list = (value: Iterable<unknown>, context: MinimizationContext): unknown[] =>
    Array.from(value, (item) => {
      try {
        return awaitedLater(entry(item, context));
      } catch (error) {
        // An entry that cannot even be looked at is an error at its place, and does not end the list.
        return error instanceof Error ? error : new Error('An entry of the list cannot be read');
      }
    });
  return (value, context) => {
    if (isIterable(value)) return list(value, context);
    // An async list, for graphql 17.
    if (isAsyncIterable(value)) return collect(value).then((items) => list(items, context));
    return NOT_A_LIST;
  };
}

/**
 * The value as the field's type serializes it, minimized, and valid for that type; null if it cannot be serialized or read. It
 * is serialized first, because the strategies read strings and numbers: identifiers or decimals that are objects would all
 * become the same constant.
 */
function minimizeScalar(
  value: unknown,
  scalar: GraphQLScalarType,
  strategy: Strategy,
  context: MinimizationContext,
): unknown {
  try {
    let minimized = strategy(sentForm(serializeScalar(scalar, value)), context, value);
    if (minimized === null) return null;
    if (typeof minimized === 'number' && !Number.isFinite(minimized)) return null;
    if (minimized instanceof Date) minimized = serializeScalar(scalar, minimized);
    return isSpecifiedScalarType(scalar) ? serializeScalar(scalar, minimized) : new FinishedValue(minimized);
  } catch {
    // The message may quote the value.
    return null;
  }
}

function redact({ type, coordinate }: MinimizerInput): Minimizer {
  // In a list, null may replace an entry only if entries may be null.
  if (!isNonNullType(type) && !isListType(type)) return () => null;
  if (!isText(getNamedType(type).name)) {
    throw new DirectiveError(
      'INVALID_RULE',
      'REDACT needs a nullable field, or one of type String or ID',
      coordinate,
    );
  }
  return () => REDACTED;
}

function compileStrategy(
  minimization: Exclude<MinimizationStrategy, { to: 'REDACT' }>,
  input: MinimizerInput,
  returns: string,
): Strategy {
  const { coordinate } = input;
  const { to } = minimization;
  switch (to) {
    case 'MASK':
      needsType(isText(returns), to, 'String or ID', coordinate);
      return ofText((text) => mask(text, minimization.keep));
    case 'TRUNCATE':
      needsType(isText(returns), to, 'String or ID', coordinate);
      return ofText((text) => truncate(text, minimization.keep));
    case 'PSEUDONYMIZE': {
      needsType(isText(returns), to, 'String or ID', coordinate);
      const digest = keyedDigest(input);
      // 128 bits: two values of one client do not collide by chance.
      return ofText((text, { clientId }) => digest(clientId, text).subarray(0, 16).toString('base64url'));
    }
    case 'NOISE': {
      needsType(isNumber(returns), to, 'Int or Float', coordinate);
      const grid = noiseGrid(minimization.spread, minimization.step, returns === 'Int');
      if (grid === undefined) {
        throw new DirectiveError(
          'INVALID_RULE',
          'NOISE needs a "spread" of at least one and a half steps and at most 2^31; steps of an Int are whole',
          coordinate,
        );
      }
      const digest = keyedDigest(input);
      return (number, { clientId }) => addNoise(number, grid, digest(clientId, String(number)));
    }
    case 'GENERALIZE': {
      const { by } = minimization;
      if ('unit' in by) {
        needsType(!isNumber(returns) && returns !== 'Boolean', to, 'a date', coordinate);
        const { unit, timeZone } = by;
        const zone = timeZone === undefined ? undefined : new TimeZone(timeZone);
        return (serialized, _context, value) => generalizeDate(serialized, value, { unit, zone });
      }
      if ('step' in by) {
        needsType(returns !== 'Boolean', to, 'a number', coordinate);
        const step = stepOf(by.step, returns, coordinate);
        return (number) => generalizeNumber(number, step);
      }
      needsType(!isText(returns) && !isWhole(returns) && returns !== 'Boolean', to, 'Float', coordinate);
      return (number) => cutDecimals(number, by.decimals);
    }
  }
}

/** A schema's own `String` or `ID` may be written as anything; what is not a text is null. */
function ofText(minimize: (text: string, context: MinimizationContext) => string): Strategy {
  return (serialized, context) => (typeof serialized === 'string' ? minimize(serialized, context) : null);
}

/** The largest `Int`. */
const MAX_INT = 2 ** 31 - 1;

/** @throws {DirectiveError} `INVALID_RULE` if no value of the type is a multiple of the step, except 0 */
function stepOf(step: number, returns: string, coordinate: string): Decimal {
  const exact = decimalOf(step);
  const fits =
    exact !== undefined && (!isWhole(returns) || exact.scale === 0) && (returns !== 'Int' || step <= MAX_INT);
  if (fits) return exact;
  throw new DirectiveError(
    'INVALID_RULE',
    `@minimize(to: GENERALIZE): a "step" of ${step} does not fit a field of type ${returns}`,
    coordinate,
  );
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
  // Lengths are part of the input, so that different pairs of client and value never concatenate alike.
  return (clientId, value) =>
    createHmac('sha256', pseudonymKey)
      .update(`${coordinate.length}:${coordinate}${clientId.length}:${clientId}${value}`)
      .digest();
}

function isText(type: string): boolean {
  return type === 'String' || type === 'ID';
}

/** Scalars of integers have no standard but these names (graphql-scalars, graphql-java, Hasura, PostGraphile, Hot Chocolate). */
const WHOLE = new RegExp(
  [
    // BigInt, UnsignedBigInt, NonNegativeInt, Int53, LongInt, PositiveLong, UInt256
    String.raw`^(?:Huge|Big|Medium|Small|Tiny|Long|Short|Safe|Signed|Unsigned|[US]|(?:Non_?)?(?:Positive|Negative)|_)*(?:Int(?:eger)?|Long|Short|Byte)\d{0,3}$`,
    String.raw`^(?:I|U)(?:8|16|32|64|128|256)$`,
    String.raw`^(?:Big|Small)?Serial\d?$`,
    String.raw`^(?:Whole|Natural|Integral)(?:Number)?$`,
  ].join('|'),
  'i',
);

function isWhole(type: string): boolean {
  return WHOLE.test(type);
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
