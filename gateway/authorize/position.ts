/** A place in the response: its last step, and the place before that. Shared beginnings are stored once. */
export interface Position {
  readonly before: Position | undefined;
  readonly key: string | number;
}

/** The path to a place; empty at the root. */
export function pathTo(position: Position | undefined): (string | number)[] {
  const path: (string | number)[] = [];
  for (let here = position; here !== undefined; here = here.before) path.push(here.key);
  return path.reverse();
}
