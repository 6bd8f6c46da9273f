import { DirectiveError } from '../../errors.js';
import { oneOf } from '../../option-checks.js';
import { DATE_UNITS } from '../date-unit.js';
import type { DateUnit } from '../date-unit.js';
import { isGiven } from '../parameters.js';
import { isNumber, needsType } from '../strategy.js';
import type { StrategyComparison } from '../strategy.js';
import { TimeZone } from '../time-zone.js';
import { generalizeDate } from './generalize-date.js';
import type { GeneralizationDefinition } from './generalization.js';

export interface UnitParameters {
  /** Reduces a date to the first day of its unit. */
  readonly unit: DateUnit;
  /** Where a time is a date (IANA). */
  readonly timeZone?: string;
}

/** Dates by a unit of the calendar. */
export const unit: GeneralizationDefinition<UnitParameters> = {
  arguments: { unit: 'behalf__DateUnit', timeZone: 'String' },
  read: (args, coordinate) => {
    const problem = oneOf(...DATE_UNITS)(args.unit);
    if (problem !== undefined) throw new DirectiveError('INVALID_RULE', `"unit" ${problem}`, coordinate);
    const read = { unit: args.unit as DateUnit };
    return isGiven(args.timeZone) ? { ...read, timeZone: readTimeZone(args.timeZone, coordinate) } : read;
  },
  compile: (parameters, { coordinate, typeName }) => {
    needsType(!isNumber(typeName) && typeName !== 'Boolean', 'GENERALIZE', 'a date', coordinate);
    const { timeZone } = parameters;
    const zone = timeZone === undefined ? undefined : new TimeZone(timeZone);
    return (serialized, _context, value) =>
      generalizeDate(serialized, value, { unit: parameters.unit, zone });
  },
  compare: (before, after): StrategyComparison => {
    // Days of another time zone begin elsewhere.
    if (before.timeZone !== after.timeZone) return 'incomparable';
    if (before.unit === after.unit) return 'equal';
    if (isWithin(before.unit, after.unit)) return 'stronger';
    return isWithin(after.unit, before.unit) ? 'weaker' : 'incomparable';
  },
};

/** Whether each of the one lies in one of the other: a week can lie in two months. */
function isWithin(fine: DateUnit, coarse: DateUnit): boolean {
  return DATE_UNITS.indexOf(fine) < DATE_UNITS.indexOf(coarse) && fine !== 'WEEK';
}

/** Offsets, which Node 22 takes for time zones, change with the seasons. */
function readTimeZone(value: unknown, coordinate: string): string {
  if (typeof value === 'string' && /^[A-Za-z]/.test(value)) {
    try {
      new Intl.DateTimeFormat('en', { timeZone: value });
      return value;
    } catch {
      // Unknown.
    }
  }
  throw new DirectiveError(
    'INVALID_RULE',
    '"timeZone" must be a name of the IANA database, such as "Europe/Vienna"',
    coordinate,
  );
}
