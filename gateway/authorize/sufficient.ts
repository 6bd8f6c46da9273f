import { holdsOne } from '@behalf/directives/internal';

type Alternatives = readonly (readonly string[])[];

/** Sets of names, any one of which suffices. */
export interface SufficientSets {
  /** Smallest first; none has a superfluous name. Empty if nothing ever suffices. */
  readonly sets: readonly (readonly string[])[];
  /** False if there were too many to follow: each of `sets` suffices, but there may be smaller ones. */
  readonly exhaustive: boolean;
}

const MAX_SETS = 64;

/**
 * The smallest sets of names that meet every one of the entries, each an OR of ANDs.
 *
 * There can be exponentially many (they are the prime implicants of a monotone formula), so at most `maxSets` are
 * followed from entry to entry; the cost is at most entries × alternatives × `maxSets`².
 */
export function sufficientSets(entries: readonly Alternatives[], maxSets: number = MAX_SETS): SufficientSets {
  let sets: readonly ReadonlySet<string>[] = [new Set<string>()];
  let exhaustive = true;
  // Entries with few alternatives first: what they force meets many others.
  for (const entry of [...entries].sort((a, b) => a.length - b.length)) {
    const extended: ReadonlySet<string>[] = [];
    for (const set of sets) {
      if (holdsOne(entry, set)) extended.push(set);
      else for (const names of entry) extended.push(new Set([...set, ...names]));
    }
    const smallest = smallestOf(extended, maxSets);
    exhaustive &&= smallest.complete;
    sets = smallest.sets;
  }
  const reduced = sets.map((set) => (exhaustive ? set : withoutNeedless(set, entries)));
  return { sets: smallestOf(reduced, maxSets).sets.map((set) => [...set].sort()), exhaustive };
}

/** Without those that contain another one. */
function smallestOf(
  sets: readonly ReadonlySet<string>[],
  max: number,
): { readonly sets: readonly ReadonlySet<string>[]; readonly complete: boolean } {
  const kept: ReadonlySet<string>[] = [];
  for (const set of [...sets].sort((a, b) => a.size - b.size)) {
    if (kept.some((smaller) => [...smaller].every((name) => set.has(name)))) continue;
    if (kept.length === max) return { sets: kept, complete: false };
    kept.push(set);
  }
  return { sets: kept, complete: true };
}

function withoutNeedless(set: ReadonlySet<string>, entries: readonly Alternatives[]): ReadonlySet<string> {
  const rest = new Set(set);
  for (const name of set) {
    rest.delete(name);
    if (!entries.every((entry) => holdsOne(entry, rest))) rest.add(name);
  }
  return rest;
}
