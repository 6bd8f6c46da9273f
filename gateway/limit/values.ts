export interface ValueCounts {
  /** Entries and members at every level. */
  readonly values: number;
  /** Levels of lists and objects. */
  readonly nesting: number;
}

/** Counts a JSON value without recursion: JSON.parse reads any depth, but most later code recurses. */
export function countValues(value: unknown): ValueCounts {
  let values = 0;
  let nesting = 0;
  let level: unknown[] = [value];
  while (level.length > 0) {
    const next: unknown[] = [];
    for (const each of level) {
      if (typeof each !== 'object' || each === null) continue;
      const members: readonly unknown[] = Array.isArray(each) ? each : Object.values(each);
      values += members.length;
      for (const member of members) next.push(member);
    }
    if (level.some((each) => typeof each === 'object' && each !== null)) nesting += 1;
    level = next;
  }
  return { values, nesting };
}
