import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { clusters, TEXTS } from './characters.js';
import { testedSubgraph } from './support.js';

let value: unknown;
const subgraph = testedSubgraph(
  `type Query {
    mask: String @public @minimize(to: MASK, showLength: true)
    keep1: String @public @minimize(to: MASK, last: 1, showLength: true)
    keep2: ID @public @minimize(to: MASK, last: 2, showLength: true)
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
    expect(await minimized('Alma 👨‍👩‍👧‍👦🇫🇮', 'keep2')).toBe('**** 👨‍👩‍👧‍👦🇫🇮');
    expect(await minimized('Al👨‍👩‍👧‍👦 - ', 'keep1')).toBe('**👨‍👩‍👧‍👦 - ');
  });

  it.each(['वी', 'é'.normalize('NFD'), '한'.normalize('NFD'), '👨‍👩‍👧‍👦', 'x', 'xy', '', '  '])(
    'hides a short text: %j',
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
        const count = said.filter(Boolean).length;
        let left = count - Math.min(keep, Math.floor(count / 3));
        const expected = all.map((cluster, index) => {
          if (count === 0) return '*';
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
