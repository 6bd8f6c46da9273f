import {
  EVERY_LEVEL,
  EVERYTHING,
  MAX_LEVEL_ENTRIES,
  MAX_LEVELS,
  withoutUndefined,
} from '@behalf/directives/internal';
import type { Delegation, DetailInForce } from '@behalf/directives';
import type { FieldVocabulary } from './findings.js';
import type { MinimizeRule, Policy } from './policy.js';

/** `Type.field`. Categories have no dots. */
export function isCoordinate(name: string): boolean {
  return name.includes('.');
}

type Levels = Map<string, Set<string>>;

/**
 * Computes how much detail a delegation gets, once: from what the person chose, and from every rule of the policy that matches.
 * Levels only add up, so the strictest wins, whoever asks for it.
 *
 * @param policy undefined: there is none, so the order of a category's levels is unknown, and a chosen level counts as the strictest
 * @returns undefined: as the schema says
 */
export function detailInForce(policy: Policy | undefined, delegation: Delegation): DetailInForce | undefined {
  const levels: Levels = new Map();
  let nothingLifts = delegation.consent?.detail === 'minimal';
  for (const [name, chosen] of Object.entries(delegation.consent?.levels ?? {})) {
    for (const level of chosen) addLevel(levels, policy, name, level);
  }
  for (const rule of policy?.minimize ?? []) {
    if (!matches(rule, delegation)) continue;
    if (rule.nothingLifts) nothingLifts = true;
    for (const [name, level] of rule.levels) addLevel(levels, policy, name, level);
    addStrictest(levels, policy, rule);
  }
  if (!nothingLifts && levels.size === 0) return undefined;
  return withoutUndefined({
    nothingLifts: nothingLifts ? true : undefined,
    levels: levels.size === 0 ? undefined : fitting(levels),
  });
}

/** Characters that the names and levels may take in a transaction token, which is a header. */
const MAX_CHARACTERS = 2_000;

/** What no token could carry counts as every level of everything: less would give more than was agreed. */
function fitting(levels: Levels): Levels {
  const characters = [...levels].reduce(
    (sum, [name, names]) => sum + name.length + [...names].join().length,
    0,
  );
  const fits =
    levels.size <= MAX_LEVEL_ENTRIES &&
    characters <= MAX_CHARACTERS &&
    [...levels.values()].every(({ size }) => size <= MAX_LEVELS);
  return fits ? levels : new Map([[EVERYTHING, new Set([EVERY_LEVEL])]]);
}

/** Whether everything is at its strictest: there are more levels than a token can carry, or one of an unknown category. */
export function isAtStrictest({ levels }: DetailInForce): boolean {
  return levels?.has(EVERYTHING) === true;
}

function matches({ when }: MinimizeRule, delegation: Delegation): boolean {
  const { actor, clients, exceptClients, purposes } = when;
  const { clientId, consent } = delegation;
  if (clients !== undefined && !clients.includes(clientId)) return false;
  if (exceptClients?.includes(clientId) === true) return false;
  if (purposes !== undefined && !purposes.some((name) => consent?.purposes.includes(name) === true))
    return false;
  const hasActor = delegation.actor !== undefined || delegation.service === true;
  return actor === undefined || actor === hasActor;
}

function addStrictest(levels: Levels, policy: Policy | undefined, { strictest }: MinimizeRule): void {
  for (const category of policy?.categories.values() ?? []) {
    const last = category.levels.at(-1);
    if (last === undefined || !strictest.includes(category.sensitivity)) continue;
    addLevel(levels, policy, category.name, last.name);
  }
}

/**
 * A category's level also puts those before it in force: a field that has nothing to say about the chosen one is held to the last
 * one that it states. A level that the policy does not know puts all in force.
 */
function addLevel(levels: Levels, policy: Policy | undefined, name: string, level: string): void {
  const category = policy?.categories.get(name);
  if (policy !== undefined && category === undefined && !isCoordinate(name)) {
    // It may have another name by now, and what was agreed about it would be lost.
    levels.set(EVERYTHING, new Set([EVERY_LEVEL]));
    return;
  }
  const inForce = levels.get(name) ?? new Set<string>();
  levels.set(name, inForce);
  if (isCoordinate(name)) {
    inForce.add(level);
    return;
  }
  const known = category?.levels.map((each) => each.name) ?? [];
  const index = known.indexOf(level);
  for (const each of index < 0 ? [EVERY_LEVEL] : known.slice(0, index + 1)) inForce.add(each);
}

/**
 * The levels of a category or a field up to one of them, which hold if a person chooses that one.
 *
 * @param fields of the schema
 * @returns undefined if there is no such category, field or level
 */
export function levelsUpTo(
  policy: Policy,
  fields: ReadonlyMap<string, FieldVocabulary>,
  name: string,
  level: string,
): readonly string[] | undefined {
  const field = isCoordinate(name) ? fields.get(name) : undefined;
  const category = policy.categories.get(isCoordinate(name) ? (field?.category ?? '') : name);
  const own = field?.levels.map((each) => each.name) ?? [];
  // A field that says nothing new at a level of its category keeps to the level before.
  const [first] = category?.levels ?? [];
  const follows = field === undefined || (first !== undefined && own.includes(first.name));
  const ofCategory = follows ? (category?.levels.map((each) => each.name) ?? []) : [];
  const order = ofCategory.includes(level) ? ofCategory : own;
  const index = order.indexOf(level);
  return index < 0 ? undefined : order.slice(0, index + 1);
}
