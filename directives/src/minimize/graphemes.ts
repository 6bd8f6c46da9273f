/**
 * Divides into user-perceived characters, which is the default. Their boundaries (Unicode Standard Annex 29) do not depend on a
 * language, so the machine's is not used.
 */
const segmenter = new Intl.Segmenter('en');
/** Each of these is a character by itself. Most values contain nothing else, and need no segmenter. */
const PRINTABLE_ASCII = /^[\x20-\x7e]*$/;

/**
 * V8's segmenter takes quadratic time, many seconds beyond some 50,000 characters (Node 20). It gets short pieces, so that
 * nobody can block a subgraph by what they have stored.
 */
const PIECE_LENGTH = 512;

/** User-perceived characters: a letter with its marks, a Hangul syllable of several jamo, an emoji with all its parts. */
function graphemesOf(text: string): Iterable<string> {
  return PRINTABLE_ASCII.test(text) ? text : piecewise(text);
}

/** Each piece begins at a character boundary, so that nothing before it matters (UAX 29, section 3.1.1). */
function* piecewise(text: string): Generator<string> {
  let start = 0;
  while (start < text.length) {
    const end = pieceEnd(text, start + PIECE_LENGTH);
    const segments = Array.from(segmenter.segment(text.slice(start, end)), ({ segment }) => segment);
    // The last one may continue beyond the piece, so the next piece begins with it.
    if (end < text.length && segments.length > 1) segments.pop();
    if (end < text.length && segments.length === 1) segments[0] = firstOf(text, start);
    for (const segment of segments) {
      yield segment;
      start += segment.length;
    }
  }
}

/** One character, however many marks it has: searched in pieces of doubling length. */
function firstOf(text: string, start: number): string {
  for (let length = PIECE_LENGTH; ; length *= 2) {
    const end = pieceEnd(text, start + length);
    const piece = text.slice(start, end);
    const first = segmenter.segment(piece).containing(0)?.segment ?? piece;
    if (first.length < piece.length || end === text.length) return first;
  }
}

/** Never between the halves of a surrogate pair: the first half alone would count as a character. */
function pieceEnd(text: string, end: number): number {
  const isSplit = /[\ud800-\udbff][\udc00-\udfff]/.test(text.slice(end - 1, end + 1));
  return Math.min(isSplit ? end + 1 : end, text.length);
}

/**
 * Characters that separate and mean nothing by themselves: punctuation, spaces, currency signs and the symbols of ASCII,
 * without marks. Letters, digits, marks, emoji, flags and other symbols can spell a name, and so can invisible characters.
 */
const SEPARATOR = /^[\p{P}\p{Zs}\p{Sc}\t\r\n+<=>^`|~]+$/u;

/** Stands for any number of characters. */
export const HIDDEN = '***';

/** How many characters stay, without separators, and whether the result tells how many do not. */
export interface Mask {
  readonly first: number;
  readonly last: number;
  readonly showLength: boolean;
}

/** At each end, at most this part of the characters stays, so that as much is hidden, however short a text is. */
const PART_OF_EACH_END = 3;

/**
 * Keeps the first and the last characters, and of a short text fewer. Whoever keeps less sees less of every text. Separators do not
 * count: they stay between those that are kept, and with `showLength` everywhere.
 */
export function mask(text: string, { first, last, showLength }: Mask): string {
  const characters = [...graphemesOf(text)];
  const counted = characters.flatMap((character, index) => (SEPARATOR.test(character) ? [] : [index]));
  if (counted.length === 0) return showLength ? '*'.repeat(characters.length) : HIDDEN;
  const most = Math.floor(counted.length / PART_OF_EACH_END);
  const hidden = counted.slice(Math.min(first, most), counted.length - Math.min(last, most));
  if (showLength) {
    for (const index of hidden) characters[index] = '*';
    return characters.join('');
  }
  // Without the separators beside the hidden part, which could be many.
  const begin = first === 0 ? 0 : (counted[Math.min(first, most) - 1] ?? -1) + 1;
  const end =
    last === 0 ? characters.length : (counted[counted.length - Math.min(last, most)] ?? characters.length);
  return `${characters.slice(0, begin).join('')}${HIDDEN}${characters.slice(end).join('')}`;
}

/** The first `keep` characters. The rest is not read. */
export function truncate(text: string, keep: number): string {
  let kept = '';
  let count = 0;
  for (const character of graphemesOf(text)) {
    if (count === keep) break;
    count += 1;
    kept += character;
  }
  return kept;
}
