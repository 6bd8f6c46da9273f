import type { FieldVocabulary, PolicyFinding } from './findings.js';
import { isCoordinate } from './detail.js';
import type { Policy } from './policy.js';

/** Compares the categories and levels of a policy with those of a schema, in both directions. */
export function compareDetails(
  policy: Policy,
  fields: ReadonlyMap<string, FieldVocabulary>,
): readonly PolicyFinding[] {
  return [...compareCategories(policy, fields), ...compareRules(policy, fields)];
}

function* compareCategories(
  policy: Policy,
  fields: ReadonlyMap<string, FieldVocabulary>,
): Iterable<PolicyFinding> {
  const byCategory = fieldsByCategory(fields);
  for (const { name, levels } of policy.categories.values()) {
    const ofCategory = byCategory.get(name) ?? [];
    if (ofCategory.length === 0) {
      yield { kind: 'category-not-in-schema', severity: 'warning', name, coordinates: [] };
    }
    const [first] = levels;
    if (first === undefined) continue;
    // A person who chooses a level is told that it holds for the whole category. So each field says what it leaves at the first
    // one, if only that it keeps the value; at the next ones the same holds, unless it says more.
    // A level that no field states leaves what the one before leaves, and people would choose it for nothing.
    for (const level of ofCategory.length === 0 ? [] : levels) {
      if (ofCategory.some(([, field]) => states(field, level.name))) continue;
      yield {
        kind: 'level-not-in-schema',
        severity: 'error',
        name: `${name}: ${level.name}`,
        coordinates: [],
      };
    }
    const misordered = ofCategory.filter(([, field]) => !keepsOrder(field, levels));
    if (misordered.length > 0)
      yield {
        kind: 'level-order-differs',
        severity: 'error',
        name,
        coordinates: misordered.map(([coordinate]) => coordinate),
      };
    const without = ofCategory.filter(([, field]) => !states(field, first.name));
    if (without.length > 0)
      yield {
        kind: 'field-without-level',
        severity: 'error',
        name: `${name}: ${first.name}`,
        coordinates: without.map(([coordinate]) => coordinate),
      };
  }
  for (const [name, ofCategory] of byCategory) {
    const known = new Set(policy.categories.get(name)?.levels.map((level) => level.name));
    for (const [level, coordinates] of unknownLevels(ofCategory, known)) {
      yield { kind: 'level-not-in-policy', severity: 'warning', name: `${name}: ${level}`, coordinates };
    }
  }
}

type Fields = readonly (readonly [string, FieldVocabulary])[];

function fieldsByCategory(fields: ReadonlyMap<string, FieldVocabulary>): ReadonlyMap<string, Fields> {
  const byCategory = new Map<string, [string, FieldVocabulary][]>();
  for (const [coordinate, field] of fields) {
    if (field.category === undefined) continue;
    const known = byCategory.get(field.category);
    if (known === undefined) byCategory.set(field.category, [[coordinate, field]]);
    else known.push([coordinate, field]);
  }
  return byCategory;
}

/** Level → the fields that state it. Nobody can choose it for the category. */
function unknownLevels(fields: Fields, known: ReadonlySet<string>): ReadonlyMap<string, readonly string[]> {
  const unknown = new Map<string, string[]>();
  for (const [coordinate, { levels }] of fields) {
    for (const { name: level } of levels) {
      if (known.has(level)) continue;
      const stated = unknown.get(level);
      if (stated === undefined) unknown.set(level, [coordinate]);
      else stated.push(coordinate);
    }
  }
  return unknown;
}

/** A rule for a field or a level that does not exist tightens nothing, or more than was meant. */
function* compareRules(
  policy: Policy,
  fields: ReadonlyMap<string, FieldVocabulary>,
): Iterable<PolicyFinding> {
  const told = new Set<string>();
  for (const { levels } of policy.minimize) {
    for (const [coordinate, level] of levels) {
      const field = fields.get(coordinate);
      if (!isCoordinate(coordinate) || (field !== undefined && states(field, level))) continue;
      const name = `${coordinate}: ${level}`;
      if (told.has(name)) continue;
      told.add(name);
      yield { kind: 'level-not-in-schema', severity: 'error', name, coordinates: [] };
    }
  }
}

function states({ levels }: FieldVocabulary, level: string): boolean {
  return levels.some(({ name }) => name === level);
}

/** Whether a field states the levels of its category in their order: a stricter one must not leave more. */
function keepsOrder({ levels }: FieldVocabulary, order: readonly { readonly name: string }[]): boolean {
  const places = levels
    .map(({ name }) => order.findIndex((each) => each.name === name))
    .filter((place) => place >= 0);
  return places.every((place, index) => index === 0 || (places[index - 1] ?? -1) < place);
}
