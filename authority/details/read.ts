import { isRecord, readLevels, withoutUndefined } from '@behalf/directives/internal';

import type { ConsentLevels } from '@behalf/directives';
import type { Policy, SchemaVocabulary } from '@behalf/policy';
import { applyCeiling, levelsUpTo } from '@behalf/policy/internal';
import { joinLevels } from '../consent/levels.js';
import { type AskedAccess, BEHALF_ACCESS, type GrantedAccess } from './access.js';

const MEMBERS: ReadonlySet<string> = new Set([
  'type',
  'locations',
  'scopes',
  'purposes',
  'detail',
  'levels',
  'until',
]);

/** The rules for reading an access. */
export interface AccessRules {
  readonly clientId: string;
  readonly audience: string;
  readonly policy: Policy;
  /** Of the API's schema, by coordinate. */
  readonly fields: SchemaVocabulary['fields'];
}

/** The problem of an `authorization_details` object (RFC 9396 section 5). It names only what the client sent. */
export class AccessProblem extends Error {
  override readonly name = 'AccessProblem';
}

/**
 * Reads one object of a request strictly, and refuses anything beyond the client's ceiling in the policy.
 *
 * @throws AccessProblem
 */
export function readAskedAccess(value: unknown, rules: AccessRules, now: Date = new Date()): AskedAccess {
  if (!isRecord(value) || value.type !== BEHALF_ACCESS) throw new AccessProblem('is of no known type');
  const unknown = Object.keys(value).find((name) => !MEMBERS.has(name));
  if (unknown !== undefined) throw new AccessProblem(`has an unknown member: ${unknown}`);
  const { detail, until } = value;
  const locations = readNames(value.locations, 'locations');
  const scopes = readNames(value.scopes, 'scopes');
  const purposes = readNames(value.purposes, 'purposes');
  if (locations?.some((location) => location !== rules.audience) === true) {
    throw new AccessProblem('has a location that is not served');
  }
  if (detail !== undefined && detail !== 'full' && detail !== 'minimal') {
    throw new AccessProblem('has a detail that is neither full nor minimal');
  }
  if (until !== undefined && !(typeof until === 'number' && Number.isSafeInteger(until))) {
    throw new AccessProblem('has an until that is not a number of seconds');
  }
  if (until !== undefined && until <= now.getTime() / 1000) throw new AccessProblem('is over already');
  const levels = value.levels === undefined ? undefined : readAskedLevels(value.levels, rules);
  refuseBeyondCeiling(scopes ?? [], purposes ?? [], rules, now);
  return withoutUndefined({ type: BEHALF_ACCESS, locations, scopes, purposes, detail, levels, until });
}

/** Reads an access that this authority put into a token, or stored with a code; undefined for anything else. */
export function readGrantedAccess(value: unknown): GrantedAccess | undefined {
  const entry: unknown = Array.isArray(value) && value.length === 1 ? value[0] : undefined;
  if (!isRecord(entry) || entry.type !== BEHALF_ACCESS) return undefined;
  const { detail, locations, purposes, scopes, until } = entry;
  const levels = readLevels(entry.levels ?? {});
  if (!isNames(locations) || !isNames(scopes) || !isNames(purposes)) return undefined;
  if ((detail !== 'full' && detail !== 'minimal') || typeof until !== 'number') return undefined;
  if (levels === undefined) return undefined;
  return { type: BEHALF_ACCESS, locations, scopes, purposes, detail, levels, until };
}

/** RFC 9396 section 5: what the client may never have is refused, not silently dropped. */
function refuseBeyondCeiling(
  scopes: readonly string[],
  purposes: readonly string[],
  { clientId, policy }: AccessRules,
  now: Date,
): void {
  const left = applyCeiling(policy, clientId, { scopes, purposes }, now.toISOString().slice(0, 10));
  const beyond = [
    ...scopes.filter((name) => !left.scopes.includes(name)),
    ...purposes.filter((name) => !left.purposes.includes(name)),
  ];
  if (beyond.length > 0)
    throw new AccessProblem(`is beyond what the client may ask for: ${beyond.join(' ')}`);
}

/**
 * Levels by category or field: one name, or the list that this authority granted before. What is asked for also asks for the levels
 * before it.
 */
function readAskedLevels(value: unknown, { fields, policy }: AccessRules): ConsentLevels {
  const entries = isRecord(value)
    ? Object.entries(value).map(([name, level]) => [name, typeof level === 'string' ? [level] : level])
    : undefined;
  const asked = entries === undefined ? undefined : readLevels(Object.fromEntries(entries));
  if (asked === undefined) throw new AccessProblem('has levels that are not names by category or field');
  return Object.entries(asked)
    .flatMap(([name, levels]) => levels.map((level) => [name, level] as const))
    .map(([name, level]): ConsentLevels => {
      const all = levelsUpTo(policy, fields, name, level);
      if (all === undefined) throw new AccessProblem(`has an unknown level: ${name}: ${level}`);
      return { [name]: all };
    })
    .reduce(joinLevels, {});
}

/** At least one name, without duplicates. */
function readNames(value: unknown, member: string): readonly string[] | undefined {
  if (value === undefined) return undefined;
  if (isNames(value) && value.length > 0 && new Set(value).size === value.length) return value;
  throw new AccessProblem(`has ${member} that are not a list of names`);
}

function isNames(value: unknown): value is readonly string[] {
  return (
    Array.isArray(value) && value.every((name) => typeof name === 'string' && /^[!-~]{1,256}$/.test(name))
  );
}
