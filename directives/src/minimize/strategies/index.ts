import type { Arguments } from '../../specification/read-arguments.js';
import { needsScalar } from '../strategy.js';
import type {
  MinimizedField,
  StatementDefinition,
  Strategy,
  StrategyComparison,
  StrategyDefinition,
} from '../strategy.js';
import { aggregate } from './aggregate.js';
import type { AggregateParameters } from './aggregate.js';
import { generalize } from './generalize.js';
import type { GeneralizeParameters } from './generalize.js';
import { mask } from './mask.js';
import type { MaskParameters } from './mask.js';
import { noise } from './noise.js';
import type { NoiseParameters } from './noise.js';
import { pseudonymize } from './pseudonymize.js';
import type { PseudonymizeParameters } from './pseudonymize.js';
import type { RedactParameters } from './redact.js';
import { shift } from './shift.js';
import type { ShiftParameters } from './shift.js';
import { truncate } from './truncate.js';
import type { TruncateParameters } from './truncate.js';

/** The parameters of each strategy, in the order of the documentation. */
interface ParametersOf {
  readonly KEEP: object;
  readonly REDACT: RedactParameters;
  readonly MASK: MaskParameters;
  readonly TRUNCATE: TruncateParameters;
  readonly GENERALIZE: GeneralizeParameters;
  readonly SHIFT: ShiftParameters;
  readonly PSEUDONYMIZE: PseudonymizeParameters;
  readonly NOISE: NoiseParameters;
  readonly AGGREGATE: AggregateParameters;
}

/** A strategy with parameters. `KEEP` leaves the value, and `REDACT` replaces it: see {@link redactedValue}. */
type StatedName = Exclude<keyof ParametersOf, 'KEEP' | 'REDACT'>;

/** A strategy that reads each value by itself. `AGGREGATE` reads all rows: see {@link compileAggregator}. */
type ReadingName = Exclude<StatedName, 'AGGREGATE'>;

export type StrategyName = keyof ParametersOf;

/** A strategy with its checked parameters. */
export type MinimizationStrategy<Names extends StrategyName = StrategyName> = {
  [Name in Names]: { readonly to: Name } & ParametersOf[Name];
}[Names];

const reading: { readonly [Name in ReadingName]: StrategyDefinition<ParametersOf[Name]> } = {
  MASK: mask,
  TRUNCATE: truncate,
  GENERALIZE: generalize,
  SHIFT: shift,
  PSEUDONYMIZE: pseudonymize,
  NOISE: noise,
};

const definitions: { readonly [Name in StatedName]: StatementDefinition<ParametersOf[Name]> } = {
  ...reading,
  AGGREGATE: aggregate,
};

export const STRATEGY_NAMES: readonly StrategyName[] = Object.freeze([
  'KEEP',
  'REDACT',
  ...(Object.keys(definitions) as StatedName[]),
]);

function isStated(to: StrategyName): to is StatedName {
  return Object.hasOwn(definitions, to);
}

/** The arguments of each strategy, by name, with their types in the schema. */
export function argumentsOfStrategy(to: StrategyName): Readonly<Record<string, string>> {
  return isStated(to) ? definitions[to].arguments : {};
}

/** @throws {DirectiveError} `INVALID_RULE` for unreadable arguments */
export function readStrategy(to: StrategyName, args: Arguments, coordinate: string): MinimizationStrategy {
  if (!isStated(to)) return { to };
  const parameters: object = definitions[to].read(args, coordinate);
  return { to, ...parameters } as MinimizationStrategy;
}

/** @throws {DirectiveError} `INVALID_RULE` if it does not fit the field; `MISSING_PSEUDONYM_KEY` */
export function compileStrategy<Name extends ReadingName>(
  strategy: MinimizationStrategy<Name>,
  field: MinimizedField,
): Strategy {
  const { compile, fitsEnums } = reading[strategy.to];
  if (field.enumValues !== undefined && fitsEnums?.(strategy) !== true)
    needsScalar(strategy.to, field.coordinate);
  return compile(strategy, field);
}

/**
 * The rest of a value under the one and the other: `weaker` if the other leaves more. Nothing is left by `REDACT`, and everything
 * by `KEEP`.
 */
export function compareStrategies(
  before: MinimizationStrategy,
  after: MinimizationStrategy,
): StrategyComparison {
  if (before.to !== after.to) {
    if (after.to === 'REDACT' || before.to === 'KEEP') return 'stronger';
    if (before.to === 'REDACT' || after.to === 'KEEP') return 'weaker';
    return 'incomparable';
  }
  const comparison = isStated(before.to) ? compareBy(before as Stated, after as Stated) : 'equal';
  // A parameter that is not compared must not pass for equal.
  return comparison === 'equal' && textOf(before) !== textOf(after) ? 'incomparable' : comparison;
}

type Stated = MinimizationStrategy<StatedName>;

/** The strategy alone, whoever it applies to. */
function textOf(strategy: MinimizationStrategy): string {
  return JSON.stringify({ ...strategy, level: undefined, unless: undefined });
}

function compareBy<Name extends StatedName>(
  before: MinimizationStrategy<Name>,
  after: MinimizationStrategy<Name>,
): StrategyComparison {
  return definitions[before.to].compare(before, after);
}
