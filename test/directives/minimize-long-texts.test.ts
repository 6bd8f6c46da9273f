import fc from 'fast-check';
import { describe, expect, it, vi } from 'vitest';
import { mask as maskText, truncate } from '../../directives/src/minimize/graphemes.js';
import { clusters, TEXTS } from './characters.js';

/** With a `*` for each hidden character. */
function mask(text: string, last: number): string {
  return maskText(text, { first: 0, last, showLength: true });
}

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
    const long = `a${'\u0301'.repeat(100_000)}bc`;
    const segment = vi.spyOn(Intl.Segmenter.prototype, 'segment');
    try {
      expect(mask(long, 1)).toBe('**c');
      const read = segment.mock.calls.reduce((sum, [piece]) => sum + piece.length, 0);
      expect(read).toBeLessThan(4 * long.length);
    } finally {
      segment.mockRestore();
    }
  });
});
