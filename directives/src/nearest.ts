/** With a larger share of edits, a word is a different one. */
const MAX_DISTANCE_RATIO = 0.4;
/** Longer than any key or value that Behalf knows: distances take quadratic time. */
const MAX_LENGTH = 64;

/**
 * The known word that was probably meant; undefined if none is close.
 *
 * @example
 * ```ts
 * import { nearest } from '@behalf/directives/internal';
 *
 * console.log(nearest('isuers', ['audit', 'issuers'])); // issuers
 * ```
 */
export function nearest(word: string, known: readonly string[]): string | undefined {
  if (word.length > MAX_LENGTH) return undefined;
  // HS256 and ES256 are not two spellings of one thing.
  if (/\d/.test(word)) return undefined;
  let best: string | undefined;
  let least = Math.floor(word.length * MAX_DISTANCE_RATIO) + 1;
  for (const each of known) {
    const distance = editDistance(word.toLowerCase(), each.toLowerCase());
    if (distance >= least) continue;
    least = distance;
    best = each;
  }
  return best;
}

/** Levenshtein's distance. */
function editDistance(one: string, other: string): number {
  let above = Array.from({ length: other.length + 1 }, (_each, index) => index);
  for (let row = 1; row <= one.length; row += 1) {
    const current = [row];
    for (let column = 1; column <= other.length; column += 1) {
      const substitution = (above[column - 1] ?? 0) + (one[row - 1] === other[column - 1] ? 0 : 1);
      current.push(Math.min((above[column] ?? 0) + 1, (current[column - 1] ?? 0) + 1, substitution));
    }
    above = current;
  }
  return above[other.length] ?? 0;
}
