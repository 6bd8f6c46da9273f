/** Where one character that a reader sees ends (Unicode Standard Annex 29) does not depend on a language; the machine's is not asked. */
const segmenter = new Intl.Segmenter('en', { granularity: 'grapheme' });
/** Each of these is a character by itself. Most values are nothing else, and need no segmenter. */
const PRINTABLE_ASCII = /^[\x20-\x7e]*$/;

/** The characters that a reader sees: a letter with its marks, a Hangul syllable of several jamo, an emoji with all its parts. */
export function graphemesOf(text: string): string[] {
  if (PRINTABLE_ASCII.test(text)) return text.split('');
  return Array.from(segmenter.segment(text), ({ segment }) => segment);
}

/**
 * What separates and says nothing by itself: punctuation, spaces, currency signs and the symbols of ASCII, without any mark on
 * them. Letters, digits, marks, emoji, flags and other symbols can spell a name, and so can characters that nobody sees.
 */
const SEPARATOR = /^[\p{P}\p{Zs}\p{Sc}\t\r\n+<=>^`|~]+$/u;

/** The last `keep` characters stay, the others become `*`; separators stay and do not count. */
export function mask(text: string, keep: number): string {
  const characters = graphemesOf(text);
  let kept = 0;
  let hidden = 0;
  for (let index = characters.length - 1; index >= 0; index -= 1) {
    if (SEPARATOR.test(characters[index] ?? '')) continue;
    if (kept < keep) {
      kept += 1;
      continue;
    }
    hidden += 1;
    characters[index] = '*';
  }
  // A text no longer than what may stay would stay whole: then nothing of it stays.
  return hidden === 0 ? '*'.repeat(characters.length) : characters.join('');
}

/** The first `keep` characters. */
export function truncate(text: string, keep: number): string {
  return graphemesOf(text).slice(0, keep).join('');
}
