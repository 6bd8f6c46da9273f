import type { Arguments } from '../../specification/read-arguments.js';
import type { MinimizedField, Strategy, StrategyComparison } from '../strategy.js';

/** One way to generalize; each has its own file, and one argument by which it is chosen. */
export interface GeneralizationDefinition<Parameters extends object> {
  /** By name, with their types in the schema; the first one chooses it. */
  readonly arguments: Readonly<Record<string, string>>;
  /** @throws {DirectiveError} `INVALID_RULE` */
  readonly read: (args: Arguments, coordinate: string) => Parameters;
  /** Whether a field of an enum's type can have it. Absent: only a scalar's. */
  readonly fitsEnums?: true;
  /** @throws {DirectiveError} `INVALID_RULE` if it does not fit the field */
  readonly compile: (parameters: Parameters, field: MinimizedField) => Strategy;
  readonly compare: (before: Parameters, after: Parameters) => StrategyComparison;
}
