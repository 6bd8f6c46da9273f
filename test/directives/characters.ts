/** Characters as the platform divides a text, whatever the strategies count by. */
export const clusters = (text: string): string[] =>
  Array.from(new Intl.Segmenter('en', { granularity: 'grapheme' }).segment(text), ({ segment }) => segment);

/** Texts in which a character is several code points. */
export const TEXTS: Record<string, string> = {
  'Devanagari with vowel signs': 'सीता देवी',
  'Devanagari with a conjunct': 'लक्ष्मी',
  'Arabic with vowel marks': 'مُحَمَّد عَلِيّ',
  'Thai with tone marks': 'น้ำทิพย์ เก้า',
  'Hebrew with points': 'שָׂרָה כֹּהֵן',
  Tamil: 'தமிழ்ச்செல்வி',
  'Vietnamese, decomposed': 'Nguyễn Ánh'.normalize('NFD'),
  'Swedish, decomposed': 'Åsa Öberg'.normalize('NFD'),
  'Hangul jamo, decomposed': '김민준'.normalize('NFD'),
  'emoji with joiners, skin tones and flags': '👩🏽‍🚀👨‍👩‍👧‍👦🇫🇮',
  'letters in circles, squares and mathematics': 'Ⓐⓛⓜⓐ🅰🄱𝐀𝓵',
  'invisible tag letters': `a${String.fromCodePoint(0xe0061, 0xe006c, 0xe006d)}b`,
  'private characters and lone surrogates': '\ue000\ud83d\udc00x',
  'a mark alone, and marks on a separator': '\u0301-\u0301 \u0301',
  'many marks on one letter': `Z${'\u0351\u0363\u0316'.repeat(50)}algo`,
};
