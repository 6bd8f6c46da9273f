import { DirectiveError } from '../../errors.js';
import { isGiven, readCount } from '../parameters.js';
import { byDetail, isText, needsType } from '../strategy.js';
import type { StrategyComparison } from '../strategy.js';
import type { GeneralizationDefinition } from './generalization.js';

export interface HierarchyParameters {
  /** Each list is a category, and what it covers: values, or narrower categories. */
  readonly hierarchy: readonly (readonly string[])[];
  /** How many categories upwards; what has fewer above it becomes its topmost. */
  readonly up: number;
}

const MAX_NAMES = 10_000;
const MAX_UP = 100;

/** Values by the broader category that the schema puts them in. */
export const hierarchy: GeneralizationDefinition<HierarchyParameters> = {
  arguments: { hierarchy: '[[String!]!]', up: 'Int' },
  read: (args, coordinate) => {
    const lists = readLists(args.hierarchy, coordinate);
    const parents = parentsOf(lists, coordinate);
    refuseCycles(parents, coordinate);
    return {
      hierarchy: lists,
      up: isGiven(args.up) ? readCount(args.up, 'up', coordinate, [1, MAX_UP]) : 1,
    };
  },
  fitsEnums: true,
  compile: ({ hierarchy: lists, up }, { coordinate, typeName, enumValues }) => {
    needsType(
      isText(typeName) || enumValues !== undefined,
      'GENERALIZE',
      'String, ID or an enum',
      coordinate,
    );
    const unknown = lists.flat().find((name) => enumValues?.has(name) === false);
    if (unknown !== undefined) refuse(`the enum ${typeName} has no value "${unknown}"`, coordinate);
    const parents = parentsOf(lists, coordinate);
    const categories = new Map(lists.flat().map((name) => [name, ancestorOf(name, up, parents)]));
    return (value) => (typeof value === 'string' ? (categories.get(value) ?? null) : null);
  },
  compare: (before, after): StrategyComparison =>
    JSON.stringify(before.hierarchy) === JSON.stringify(after.hierarchy)
      ? byDetail(-before.up, -after.up)
      : 'incomparable',
};

function refuse(problem: string, coordinate: string): never {
  throw new DirectiveError('INVALID_RULE', problem, coordinate);
}

function readLists(value: unknown, coordinate: string): readonly (readonly string[])[] {
  const lists: readonly unknown[] = Array.isArray(value) ? value : [];
  const isReadable = lists.every(
    (list) =>
      Array.isArray(list) &&
      list.length > 1 &&
      list.every((name: unknown) => typeof name === 'string' && name !== ''),
  );
  if (lists.length === 0 || !isReadable)
    refuse('"hierarchy" must be lists, each of a category and what it covers', coordinate);
  const read = lists as readonly (readonly string[])[];
  if (read.flat().length > MAX_NAMES) refuse(`"hierarchy" must have at most ${MAX_NAMES} names`, coordinate);
  const categories = new Set<string>();
  for (const [category = ''] of read) {
    if (categories.has(category)) refuse(`"hierarchy" has two lists of "${category}"`, coordinate);
    categories.add(category);
  }
  return read;
}

/** @returns name → its category. The topmost have none */
function parentsOf(lists: readonly (readonly string[])[], coordinate: string): ReadonlyMap<string, string> {
  const parents = new Map<string, string>();
  for (const [category = '', ...covered] of lists) {
    for (const name of covered) {
      if (parents.has(name)) refuse(`"hierarchy" covers "${name}" twice`, coordinate);
      parents.set(name, category);
    }
  }
  return parents;
}

/** Each name is visited once, whatever is above it. */
function refuseCycles(parents: ReadonlyMap<string, string>, coordinate: string): void {
  const finished = new Set<string>();
  for (const start of parents.keys()) {
    const path = new Set<string>();
    for (let name: string | undefined = start; name !== undefined; name = parents.get(name)) {
      if (path.has(name)) refuse(`"hierarchy" covers "${name}" by itself`, coordinate);
      if (finished.has(name)) break;
      path.add(name);
    }
    for (const name of path) finished.add(name);
  }
}

function ancestorOf(name: string, up: number, parents: ReadonlyMap<string, string>): string {
  let ancestor = name;
  for (let step = 0; step < up; step += 1) ancestor = parents.get(ancestor) ?? ancestor;
  return ancestor;
}
