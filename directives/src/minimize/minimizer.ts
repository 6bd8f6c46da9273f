import {
  getNamedType,
  isEnumType,
  isLeafType,
  isListType,
  isNonNullType,
  isSpecifiedScalarType,
} from 'graphql';
import type { GraphQLLeafType, GraphQLOutputType } from 'graphql';
import { awaitedLater, collect, isAsyncIterable, isIterable, isPromise } from '../enforce/values.js';
import { DirectiveError } from '../errors.js';
import type { MinimizeStatement } from '../specification/minimize.js';
import { compileAggregator } from './aggregate/compile-aggregate.js';
import { acceptFinishedValues, FinishedValue, sentForm, serializeLeaf } from './finished-value.js';
import { keyedDigest } from './keyed-digest.js';
import type { KeyedDigest } from './keyed-digest.js';
import { compileStrategy } from './strategies/index.js';
import { redactedValue } from './strategies/redact.js';
import { needsScalar } from './strategy.js';
import type { MinimizationContext, Strategy } from './strategy.js';

/**
 * Returns less than the resolver did: entry by entry for a list (except `AGGREGATE`), and as a promise for a promise. `null` and errors are
 * unchanged.
 */
export type Minimizer = (value: unknown, context: MinimizationContext) => unknown;

export interface MinimizerInput {
  readonly statement: MinimizeStatement;
  readonly coordinate: string;
  /** The type that the field returns. */
  readonly type: GraphQLOutputType;
  /** At least 32 bytes; for `PSEUDONYMIZE`, `NOISE` and `SHIFT`. */
  readonly pseudonymKey: Uint8Array | undefined;
  /** Is called for a value that became null because it could not be serialized or read. */
  readonly onUnreadable: () => void;
}

/**
 * Compiles one `@minimize` to a function of the resolver's result.
 *
 * @throws {DirectiveError} `INVALID_RULE` if the strategy does not fit the field's type, `MISSING_PSEUDONYM_KEY` if it needs a
 * key of at least 32 bytes and has none
 */
export function compileMinimizer(input: MinimizerInput): Minimizer {
  const { statement, type, coordinate } = input;
  if (statement.to === 'KEEP') return (value) => value;
  if (statement.to === 'REDACT') {
    const redacted = redactedValue(type, coordinate);
    return through(type, () => redacted);
  }
  if (statement.to === 'AGGREGATE') {
    const { onUnreadable } = input;
    return compileAggregator({ parameters: statement, coordinate, type, onUnreadable });
  }
  const named = getNamedType(type);
  if (!isLeafType(named)) return needsScalar(statement.to, coordinate);
  const field = {
    coordinate,
    typeName: named.name,
    enumValues: isEnumType(named) ? new Set(named.getValues().map(({ name }) => name)) : undefined,
    keyedDigest: (domain?: string): KeyedDigest => digestOf(input, domain),
  };
  const strategy = compileStrategy(statement, field);
  if (!isSpecifiedScalarType(named)) acceptFinishedValues(named);
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
  type: GraphQLLeafType,
  strategy: Strategy,
  context: MinimizationContext,
): unknown {
  try {
    let minimized = strategy(sentForm(serializeLeaf(type, value)), context, value);
    if (minimized === null) return null;
    if (typeof minimized === 'number' && !Number.isFinite(minimized)) return null;
    if (minimized instanceof Date) minimized = serializeLeaf(type, minimized);
    return isSpecifiedScalarType(type) ? serializeLeaf(type, minimized) : new FinishedValue(minimized);
  } catch {
    // The message may quote the value.
    return null;
  }
}

function digestOf({ pseudonymKey, coordinate }: MinimizerInput, domain = coordinate): KeyedDigest {
  if (pseudonymKey === undefined || pseudonymKey.length < 32) {
    throw new DirectiveError(
      'MISSING_PSEUDONYM_KEY',
      'this strategy needs a pseudonymKey of at least 32 bytes',
      coordinate,
    );
  }
  return keyedDigest(pseudonymKey, domain);
}
