/** A number of things, in words: `1 entry`, `2 entries`. */
export function quantity(count: number, one: string, several = `${one}s`): string {
  return `${count} ${count === 1 ? one : several}`;
}
