import fc from 'fast-check';
import { describe, expect, it, vi } from 'vitest';
import { mask, truncate } from '../../directives/src/minimize/graphemes.js';
import { testedSubgraph } from './support.js';

let value: unknown;
const subgraph = testedSubgraph(
  `type Query {
    mask: String @public @minimize(to: MASK)
    keep1: String @public @minimize(to: MASK, keep: 1)
    keep2: ID @public @minimize(to: MASK, keep: 2)
    cut1: String @public @minimize(to: TRUNCATE, keep: 1)
    cut3: String @public @minimize(to: TRUNCATE, keep: 3)
  }`,
  Object.fromEntries([
    [
      'Query',
      Object.fromEntries(['mask', 'keep1', 'keep2', 'cut1', 'cut3'].map((field) => [field, () => value])),
    ],
  ]),
);
type Field = 'mask' | 'keep1' | 'keep2' | 'cut1' | 'cut3';

async function minimized(text: string, field: Field): Promise<string> {
  value = text;
  const { data, errors } = await subgraph.ask(`{ ${field} }`);
  expect(errors).toBeUndefined();
  return String(data?.[field]);
}

/** By the platform's segmenter, independently of the strategies. */
const clusters = (text: string): string[] =>
  Array.from(new Intl.Segmenter('en', { granularity: 'grapheme' }).segment(text), ({ segment }) => segment);

const TEXTS: Record<string, string> = {
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

describe('MASK', () => {
  it.each(Object.keys(TEXTS))('reveals nothing of a hidden character: %s', async (name) => {
    const text = TEXTS[name] ?? '';
    const expected = clusters(text).map((cluster) => (/^[\p{P}\p{Zs}]$/u.test(cluster) ? cluster : '*'));
    expect(await minimized(text, 'mask')).toBe(expected.join(''));
  });

  it('keeps separators, and no other symbols', async () => {
    expect(await minimized('+46 (0)70-12.34/56, x@y.z', 'mask')).toBe('+** (*)**-**.**/**, *@*.*');
    expect(await minimized('Ünal №7 ☎ €12\r\n', 'mask')).toBe('**** ** * €**\r\n');
  });

  it('keeps whole characters, from the end', async () => {
    expect(await minimized('सीता देवी', 'keep1')).toBe('** *वी');
    expect(await minimized('김민준'.normalize('NFD'), 'keep1')).toBe(`**${'준'.normalize('NFD')}`);
    expect(await minimized('Al 👨‍👩‍👧‍👦🇫🇮', 'keep2')).toBe('** 👨‍👩‍👧‍👦🇫🇮');
    expect(await minimized('Al👨‍👩‍👧‍👦 - ', 'keep1')).toBe('**👨‍👩‍👧‍👦 - ');
  });

  it.each(['वी', 'é'.normalize('NFD'), '한'.normalize('NFD'), '👨‍👩‍👧‍👦', 'x', ' x ', '-👍🏽-', '', '  '])(
    'hides a text no longer than what may stay: %j',
    async (text) => {
      expect(await minimized(text, 'keep1')).toBe('*'.repeat(clusters(text).length));
      expect(await minimized(text, 'keep2')).toBe('*'.repeat(clusters(text).length));
    },
  );
});

describe('TRUNCATE', () => {
  it.each([
    ['सीता', 'सी', 'सीता'],
    ['مُحَمَّد', 'مُ', 'مُحَمَّ'],
    ['น้ำทิพย์', 'น้ำ', 'น้ำทิพ'],
    ['김민준서'.normalize('NFD'), '김'.normalize('NFD'), '김민준'.normalize('NFD')],
    ['👨‍👩‍👧‍👦🇫🇮🇸🇪x', '👨‍👩‍👧‍👦', '👨‍👩‍👧‍👦🇫🇮🇸🇪'],
    ['Åsa'.normalize('NFD'), 'Å'.normalize('NFD'), 'Åsa'.normalize('NFD')],
    ['Alma', 'A', 'Alm'],
  ])('keeps the first characters, whole: %s', async (text, one, three) => {
    expect(await minimized(text, 'cut1')).toBe(one);
    expect(await minimized(text, 'cut3')).toBe(three);
  });
});

describe('any text (property)', () => {
  const part = fc.oneof(
    fc.constantFrom(...Object.values(TEXTS).flatMap(clusters)),
    fc.constantFrom(
      '-',
      ' ',
      '@',
      '.',
      'a',
      '7',
      '\u200d',
      '\u0301',
      '\ufe0f',
      '🏽',
      '\u0e33',
      '\u1160',
      '\u0600',
    ),
    fc.string({ unit: 'binary', maxLength: 3 }),
  );
  const text = fc.array(part, { maxLength: 8 }).map((parts) => parts.join(''));

  it('MASK shows at most the last characters it may keep, and separators', async () => {
    await fc.assert(
      fc.asyncProperty(text, fc.constantFrom('mask', 'keep1', 'keep2'), async (drawn, field) => {
        const keep = { mask: 0, keep1: 1, keep2: 2 }[field as 'mask'];
        const all = clusters(drawn);
        const said = all.map((cluster) => !/^[\p{P}\p{Zs}\p{Sc}\t\r\n+<=>^`|~]+$/u.test(cluster));
        const hidden = Math.max(0, said.filter(Boolean).length - keep);
        let left = hidden;
        const expected = all.map((cluster, index) => {
          if (hidden === 0) return '*';
          if (said[index] !== true || left === 0) return cluster;
          left -= 1;
          return '*';
        });
        expect(await minimized(drawn, field as Field)).toBe(expected.join(''));
      }),
    );
  });

  it('TRUNCATE shows the first characters, and no part of another', async () => {
    await fc.assert(
      fc.asyncProperty(text, async (drawn) => {
        expect(await minimized(drawn, 'cut1')).toBe(clusters(drawn).slice(0, 1).join(''));
        expect(await minimized(drawn, 'cut3')).toBe(clusters(drawn).slice(0, 3).join(''));
      }),
    );
  });
});

describe('a long text', () => {
  /** As MASK leaves them. */
  const SEPARATORS = /^[\p{P}\p{Zs}\p{Sc}\t\r\n+<=>^`|~]+$/u;
  const unit = fc.oneof(
    fc.constantFrom(...Object.values(TEXTS)),
    fc.constantFrom(
      'e\u0301',
      '\u{1f468}\u200d',
      '\u{1f1f8}',
      '\u1112\u1161',
      '\u0915\u094d',
      '\u{e0061}',
      '\ud83d',
      'a',
      '\r\n',
    ),
  );
  const text = fc
    .array(fc.tuple(unit, fc.integer({ min: 1, max: 700 })), { minLength: 1, maxLength: 4 })
    .map((units) =>
      units
        .map(([each, times]) => each.repeat(times))
        .join('')
        .slice(0, 6_000),
    );

  it('has the same characters in pieces as whole (property)', () => {
    fc.assert(
      fc.property(text, (given) => {
        const expected = clusters(given);
        for (const keep of [1, 500, 1_000]) {
          expect(truncate(given, keep)).toBe(expected.slice(0, keep).join(''));
        }
        const masked = expected.map((cluster) => (SEPARATORS.test(cluster) ? cluster : '*'));
        const hasLetters = masked.includes('*');
        expect(mask(given, 0)).toBe(hasLetters ? masked.join('') : '*'.repeat(masked.length));
      }),
      { numRuns: 60 },
    );
  });

  it.each(['漢字', 'สมชาย', '🇸🇪', 'e\u0301'])(
    'is segmented in short pieces, because segmenting takes quadratic time: %s',
    (letters) => {
      const long = letters.repeat(100_000);
      const segment = vi.spyOn(Intl.Segmenter.prototype, 'segment');
      try {
        mask(long, 4);
        const lengths = segment.mock.calls.map(([piece]) => piece.length);
        expect(Math.max(...lengths)).toBeLessThanOrEqual(1_024);
        expect(lengths.reduce((sum, length) => sum + length, 0)).toBeLessThan(2 * long.length);
        segment.mockClear();
        truncate(long, 4);
        expect(segment).toHaveBeenCalledOnce();
      } finally {
        segment.mockRestore();
      }
    },
  );

  it('of one letter with very many marks is read only a few times its length', () => {
    const long = `a${'\u0301'.repeat(100_000)}b`;
    const segment = vi.spyOn(Intl.Segmenter.prototype, 'segment');
    try {
      expect(mask(long, 1)).toBe('*b');
      const read = segment.mock.calls.reduce((sum, [piece]) => sum + piece.length, 0);
      expect(read).toBeLessThan(4 * long.length);
    } finally {
      segment.mockRestore();
    }
  });
});
