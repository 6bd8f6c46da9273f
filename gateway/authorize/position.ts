/** A position in the response: its last step, and the position before. Shared prefixes are stored once. */
export interface Position {
  readonly before: Position | undefined;
  readonly key: string | number;
}

/** The path to a position; empty at the root. */
export function pathTo(position: Position | undefined): (string | number)[] {
  const path: (string | number)[] = [];
  for (let here = position; here !== undefined; here = here.before) path.push(here.key);
  return path.reverse();
}
