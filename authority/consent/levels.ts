import type { ConsentLevels } from '@behalf/directives';
import { MAX_LEVEL_ENTRIES } from '@behalf/directives/internal';

/** All levels of both: whoever tightens, it holds. */
export function joinLevels(one: ConsentLevels, other: ConsentLevels): ConsentLevels {
  const joined = new Map<string, readonly string[]>(Object.entries(one));
  for (const [name, levels] of Object.entries(other)) {
    joined.set(name, [...new Set([...(joined.get(name) ?? []), ...levels])]);
  }
  return Object.fromEntries(joined);
}

/** Whether the one has every level of the other, so that it gives no more detail. */
export function hasLevels(levels: ConsentLevels, wanted: ConsentLevels): boolean {
  const held = new Map(Object.entries(levels));
  return Object.entries(wanted).every(([name, all]) =>
    all.every((level) => held.get(name)?.includes(level) === true),
  );
}

/** Whether tokens can carry so many. */
export function areTooMany(levels: ConsentLevels): boolean {
  return Object.keys(levels).length > MAX_LEVEL_ENTRIES;
}
