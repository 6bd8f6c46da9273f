import { DirectiveError } from '../../errors.js';
import { readString, readStringList } from '../../specification/read-arguments.js';
import type { Arguments } from '../../specification/read-arguments.js';
import { withoutUndefined } from '../../without-undefined.js';
import { buckets } from '../generalize/buckets.js';
import type { BucketsParameters } from '../generalize/buckets.js';
import { isGiven, readCount } from '../parameters.js';
import { byDetail } from '../strategy.js';
import type { StatementDefinition, StrategyComparison } from '../strategy.js';

export interface AggregateParameters extends Partial<BucketsParameters> {
  /** Property of a row with the number that is added up, averaged or put in buckets. Absent: rows are only counted. */
  readonly of?: string;
  /** Properties of a row by which rows are grouped; each is also a field of the returned type. */
  readonly groups: readonly string[];
  /** Property of a row with the person whose it is. */
  readonly subject: string;
  /** How many distinct subjects a group has at least; another group is omitted. */
  readonly floor: number;
}

/** Fields of the returned type that have a meaning, so that no group can be called like them. */
export const STATISTIC_FIELDS = Object.freeze(['count', 'subjects', 'sum', 'average', 'bucket'] as const);

export type StatisticField = (typeof STATISTIC_FIELDS)[number];

/** Of two people, each knows the other's number from the sum. */
const FLOOR = { least: 3, most: 100_000 } as const;
const MAX_GROUPINGS = 8;

/** Numbers about groups of people, in place of a list's rows. */
export const aggregate: StatementDefinition<AggregateParameters> = {
  arguments: {
    of: 'String',
    groups: '[String!]',
    subject: 'String',
    floor: 'Int',
    ...buckets.arguments,
  },
  read: (args, coordinate) => {
    if (isGiven(args.level)) refuse('AGGREGATE takes no "level": a statistic is nobody’s detail', coordinate);
    if (isGiven(args.unless))
      refuse('AGGREGATE takes no "unless": rows cannot be returned in the type of a statistic', coordinate);
    const of = isGiven(args.of) ? readString(args.of, 'of', coordinate) : undefined;
    if (isGiven(args.names) && !isGiven(args.buckets)) refuse('"names" are of "buckets"', coordinate);
    if (isGiven(args.buckets) && of === undefined) refuse('"buckets" need a number: "of"', coordinate);
    const stated = isGiven(args.buckets) ? buckets.read(args, coordinate) : undefined;
    return withoutUndefined({
      of,
      groups: readGroups(args, coordinate),
      subject: readString(args.subject, 'subject', coordinate),
      floor: readCount(args.floor, 'floor', coordinate, [FLOOR.least, FLOOR.most]),
      buckets: stated?.buckets,
      names: stated?.names,
    });
  },
  compare: (before, after): StrategyComparison => {
    const [then, now] = [before, after].map(({ floor: _floor, groups: _groups, ...others }) =>
      JSON.stringify(others),
    );
    if (then !== now) return 'incomparable';
    const details = [
      byDetail(-before.floor, -after.floor),
      compareGroups(before.groups, after.groups),
    ].filter((each) => each !== 'equal');
    return details.every((each) => each === details[0]) ? (details[0] ?? 'equal') : 'incomparable';
  },
};

function refuse(problem: string, coordinate: string): never {
  throw new DirectiveError('INVALID_RULE', problem, coordinate);
}

function readGroups(args: Arguments, coordinate: string): readonly string[] {
  if (!isGiven(args.groups)) return [];
  const groups = readStringList(args.groups, 'groups', coordinate);
  if (new Set(groups).size < groups.length || groups.length > MAX_GROUPINGS)
    refuse(`"groups" must be at most ${MAX_GROUPINGS}, each once`, coordinate);
  const taken = STATISTIC_FIELDS.find((name) => groups.includes(name));
  if (taken !== undefined) refuse(`a group cannot be called "${taken}"`, coordinate);
  return groups;
}

/** Fewer groupings join groups. */
function compareGroups(before: readonly string[], after: readonly string[]): StrategyComparison {
  const isWithin = (some: readonly string[], others: readonly string[]): boolean =>
    some.every((name) => others.includes(name));
  if (isWithin(after, before)) return byDetail(before.length, after.length);
  return isWithin(before, after) ? 'weaker' : 'incomparable';
}
