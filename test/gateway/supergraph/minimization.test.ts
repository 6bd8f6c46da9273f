import { compareStrategies, NO_REQUIREMENT } from '@behalf/directives/internal';
import type { Minimization, MinimizeStatement, Requirement } from '@behalf/directives/internal';
import { describe, expect, it } from 'vitest';
import { compareMinimization } from '../../../gateway/inspect/compare-minimizations.js';
import { isMinimizedAsStrictly, minimizationText } from '../../../gateway/supergraph/minimization.js';

type Strategy = Readonly<Record<string, unknown>>;

const stated = (
  strategy: Strategy,
  unless: readonly (readonly string[])[] = [],
  level?: string,
): MinimizeStatement =>
  ({ ...strategy, unless, ...(level === undefined ? {} : { level }) }) as unknown as MinimizeStatement;
const levels = (category: string | undefined, ...statements: MinimizeStatement[]): Minimization => ({
  coordinate: 'Person.field',
  category,
  statements,
});
const minimized = (strategy: Strategy, unless?: readonly (readonly string[])[]): Minimization =>
  levels(undefined, stated(strategy, unless));
const mask = (last: number): Strategy => ({ to: 'MASK', first: 0, last, showLength: false });
const truncate = (keep: number): Strategy => ({ to: 'TRUNCATE', keep });
const by = (parameters: Strategy): Strategy => {
  const [way] = Object.keys(parameters);
  return { to: 'GENERALIZE', by: way, ...parameters };
};
const noise = (spread: number, step?: number): Strategy => ({
  to: 'NOISE',
  spread,
  ...(step === undefined ? {} : { step }),
});
const REDACT: Strategy = { to: 'REDACT' };
const PSEUDONYMIZE: Strategy = { to: 'PSEUDONYMIZE' };

describe('a strategy compared with the one before', () => {
  it.each<[Strategy, string, Strategy]>([
    [REDACT, 'equal', REDACT],
    [PSEUDONYMIZE, 'equal', PSEUDONYMIZE],
    [PSEUDONYMIZE, 'stronger', REDACT],
    [REDACT, 'weaker', PSEUDONYMIZE],
    [PSEUDONYMIZE, 'incomparable', mask(4)],
    [mask(4), 'equal', mask(4)],
    [mask(4), 'weaker', mask(5)],
    [mask(4), 'stronger', mask(3)],
    [mask(4), 'stronger', REDACT],
    [REDACT, 'weaker', mask(0)],
    [mask(4), 'incomparable', truncate(4)],
    [mask(4), 'incomparable', truncate(5)],
    [truncate(4), 'incomparable', mask(4)],
    [truncate(4), 'incomparable', mask(5)],
    [truncate(4), 'equal', truncate(4)],
    [truncate(4), 'weaker', truncate(5)],
    [truncate(4), 'stronger', truncate(3)],
    [truncate(4), 'stronger', REDACT],
    [REDACT, 'weaker', truncate(0)],
    [noise(10), 'equal', noise(10)],
    [noise(10), 'weaker', noise(5)],
    [noise(10), 'incomparable', noise(20)],
    [noise(10, 2), 'equal', noise(10, 2)],
    [noise(10, 2), 'stronger', noise(20, 2)],
    [noise(10, 2), 'weaker', noise(5, 2)],
    [noise(10, 2), 'incomparable', noise(10, 3)],
    [noise(10, 2), 'incomparable', noise(20, 3)],
    [noise(10, 2), 'incomparable', noise(10)],
    [noise(10), 'incomparable', noise(10, 2)],
    [noise(10, 2), 'weaker', noise(5, 3)],
    [noise(10), 'stronger', REDACT],
    [REDACT, 'weaker', noise(10)],
    [noise(10), 'incomparable', mask(10)],
    [by({ decimals: 2 }), 'equal', by({ decimals: 2 })],
    [by({ decimals: 2 }), 'weaker', by({ decimals: 3 })],
    [by({ decimals: 2 }), 'stronger', by({ decimals: 1 })],
    [by({ unit: 'MONTH' }), 'equal', by({ unit: 'MONTH' })],
    [by({ unit: 'MONTH' }), 'weaker', by({ unit: 'DAY' })],
    [by({ unit: 'MONTH' }), 'stronger', by({ unit: 'YEAR' })],
    [by({ unit: 'YEAR' }), 'stronger', by({ unit: 'DECADE' })],
    [by({ unit: 'DECADE' }), 'weaker', by({ unit: 'YEAR' })],
    [by({ unit: 'DAY', timeZone: 'UTC' }), 'stronger', by({ unit: 'YEAR', timeZone: 'UTC' })],
    [by({ unit: 'DAY', timeZone: 'UTC' }), 'incomparable', by({ unit: 'YEAR', timeZone: 'Asia/Tokyo' })],
    [by({ unit: 'DAY' }), 'incomparable', by({ unit: 'DAY', timeZone: 'UTC' })],
    [by({ unit: 'DAY', timeZone: 'UTC' }), 'incomparable', by({ unit: 'YEAR' })],
    [by({ step: 20 }), 'equal', by({ step: 20 })],
    [by({ step: 20 }), 'weaker', by({ step: 10 })],
    [by({ step: 20 }), 'stronger', by({ step: 40 })],
    // As doubles, 0.3 is no multiple of 0.1, and neither is 1.
    [by({ step: 0.1 }), 'stronger', by({ step: 0.3 })],
    [by({ step: 0.1 }), 'stronger', by({ step: 1 })],
    [by({ step: 1 }), 'weaker', by({ step: 0.1 })],
    [by({ step: 0.2 }), 'incomparable', by({ step: 0.3 })],
    [by({ step: 1e21 }), 'weaker', by({ step: 1e20 })],
    [by({ step: Number.NaN }), 'incomparable', by({ step: 1 })],
    [by({ step: 1 }), 'incomparable', by({ step: Infinity })],
    [by({ step: 20 }), 'incomparable', by({ step: 30 })],
    [by({ step: 30 }), 'incomparable', by({ step: 20 })],
    [by({ step: 20 }), 'incomparable', by({ decimals: 1 })],
    [by({ decimals: 1 }), 'incomparable', by({ step: 20 })],
    [by({ decimals: 1 }), 'incomparable', by({ unit: 'DAY' })],
    [by({ unit: 'DAY' }), 'incomparable', by({ decimals: 1 })],
    [by({ unit: 'DAY' }), 'incomparable', by({ step: 1 })],
    [by({ step: 1 }), 'incomparable', by({ unit: 'DAY' })],
    [by({ step: 1 }), 'stronger', REDACT],
    [REDACT, 'weaker', by({ step: 1 })],
    [by({ step: 1 }), 'incomparable', PSEUDONYMIZE],
  ])('%j is followed by a %s one: %j', (before, comparison, after) => {
    expect(compareStrategies(stated(before), stated(after))).toBe(comparison);
  });

  it('is the same whoever is exempt from it', () => {
    expect(compareStrategies(stated(mask(4), [['a']]), stated(mask(4), [['b']]))).toBe('equal');
  });

  it('is not equal when it differs in a parameter that nobody compares', () => {
    expect(compareStrategies(stated(REDACT), stated({ ...REDACT, salt: 'x' }))).toBe('incomparable');
    expect(compareStrategies(stated(mask(4)), stated({ ...mask(3), salt: 'x' }))).toBe('stronger');
  });
});

describe('a field that is computed from a minimized one', () => {
  const input = minimized(mask(4), [['full'], ['all']]);
  const scope = (...names: string[]): Requirement => ({
    ...NO_REQUIREMENT,
    authenticated: true,
    scopes: [names.map((name) => [name])],
  });

  it('tells nobody more when all its readers may read the input whole', () => {
    expect(isMinimizedAsStrictly(scope('full'), undefined, input)).toBe(true);
    expect(isMinimizedAsStrictly(scope('full', 'all'), undefined, input)).toBe(true);
    expect(isMinimizedAsStrictly(scope('full'), minimized(mask(9)), input)).toBe(true);
  });

  it('tells more when it is not minimized itself', () => {
    expect(isMinimizedAsStrictly(scope('other'), undefined, input)).toBe(false);
    expect(isMinimizedAsStrictly(NO_REQUIREMENT, undefined, input)).toBe(false);
  });

  it.each<[boolean, Strategy]>([
    [true, mask(4)],
    [true, mask(3)],
    [true, REDACT],
    [false, mask(5)],
    [false, truncate(4)],
  ])('tells nobody more, %s, minimized by %j and whole to the same scopes', (isAsStrict, strategy) => {
    expect(isMinimizedAsStrictly(NO_REQUIREMENT, minimized(strategy, [['full']]), input)).toBe(isAsStrict);
    expect(isMinimizedAsStrictly(NO_REQUIREMENT, minimized(strategy), input)).toBe(isAsStrict);
  });

  it('tells more when it is whole to a scope that reads the input minimized', () => {
    expect(isMinimizedAsStrictly(NO_REQUIREMENT, minimized(REDACT, [['other']]), input)).toBe(false);
    expect(isMinimizedAsStrictly(scope('other'), minimized(mask(4), [['full'], ['other']]), input)).toBe(
      false,
    );
  });

  it('combines what it asks for with what it is whole for', () => {
    const both = minimized(mask(4), [['a', 'b']]);
    expect(isMinimizedAsStrictly(scope('a'), minimized(mask(4), [['b']]), both)).toBe(true);
    expect(isMinimizedAsStrictly(scope('c'), minimized(mask(4), [['b']]), both)).toBe(false);
  });

  it('needs a token to see whole what every token sees whole', () => {
    const toTokens = minimized(mask(4), [[]]);
    expect(isMinimizedAsStrictly(NO_REQUIREMENT, undefined, toTokens)).toBe(false);
    expect(isMinimizedAsStrictly({ ...NO_REQUIREMENT, authenticated: true }, undefined, toTokens)).toBe(true);
  });

  describe('that has levels', () => {
    const atCity = stated(REDACT, [], 'city');
    const input = levels('location', stated({ to: 'KEEP' }, [], 'street'), atCity);

    it('tells more unless it has them as well, and by the same category', () => {
      expect(isMinimizedAsStrictly(scope('full'), undefined, input)).toBe(false);
      expect(isMinimizedAsStrictly(scope('full'), minimized(REDACT), input)).toBe(false);
      expect(isMinimizedAsStrictly(scope('full'), levels('other', atCity), input)).toBe(false);
      expect(isMinimizedAsStrictly(scope('full'), levels('location', atCity), input)).toBe(true);
      expect(
        isMinimizedAsStrictly(scope('full'), levels('location', stated(mask(1), [], 'city')), input),
      ).toBe(false);
    });

    it('tells nobody more at a level that keeps the whole value', () => {
      const kept = levels('location', stated({ to: 'KEEP' }, [], 'street'));
      expect(isMinimizedAsStrictly(NO_REQUIREMENT, undefined, kept)).toBe(true);
    });

    it('is minimized at a level by a default that stands after it', () => {
      const reader = levels('location', atCity, stated(REDACT));
      expect(
        isMinimizedAsStrictly(NO_REQUIREMENT, reader, levels('location', stated(mask(1), [], 'x'))),
      ).toBe(true);
    });
  });
});

describe('levels compared with those before', () => {
  const one = stated(mask(4), [], 'a');
  const other = stated(truncate(2), [], 'b');
  const before = levels('location', one, other);

  it.each<[string, Minimization, string | undefined]>([
    ['nothing', levels('location', one, other), undefined],
    ['another category, by which they are chosen', levels('address', one, other), 'minimization-changed'],
    ['another order', levels('location', other, one), 'minimization-changed'],
    ['one less', levels('location', one), 'minimization-changed'],
    ['none', levels('location', stated({ to: 'KEEP' }, [], 'c')), 'minimization-changed'],
  ])('differ in %s', (_what, after, change) => {
    expect(compareMinimization(before, after)).toBe(change);
  });

  it('come on top of a default', () => {
    const byDefault = levels('location', stated(mask(4)));
    const both = levels('location', stated(mask(4)), stated(REDACT, [], 'a'));
    expect(compareMinimization(byDefault, both)).toBe('minimization-strengthened');
    expect(compareMinimization(both, byDefault)).toBe('minimization-weakened');
  });
});

describe('the directive in words', () => {
  it.each<[string, Minimization | undefined]>([
    ['', undefined],
    ['@minimize(to: REDACT)', minimized(REDACT)],
    ['@minimize(to: MASK, last: 4)', minimized(mask(4))],
    ['@minimize(to: GENERALIZE, unit: DAY)', minimized(by({ unit: 'DAY' }))],
    [
      '@minimize(to: GENERALIZE, unit: DAY, timeZone: Europe/Vienna)',
      minimized(by({ unit: 'DAY', timeZone: 'Europe/Vienna' })),
    ],
    [
      '@minimize(to: GENERALIZE, hierarchy: [[A, B, C], [D, A]], up: 1)',
      minimized(
        by({
          hierarchy: [
            ['A', 'B', 'C'],
            ['D', 'A'],
          ],
          up: 1,
        }),
      ),
    ],
    [
      '@minimize(to: AGGREGATE, groups: [city, sex], subject: ownerId, floor: 10)',
      minimized({ to: 'AGGREGATE', groups: ['city', 'sex'], subject: 'ownerId', floor: 10 }),
    ],
    ['@minimize(to: NOISE, spread: 10, step: 2)', minimized(noise(10, 2))],
    ['@minimize(to: REDACT, unless: a & b | c)', minimized(REDACT, [['a', 'b'], ['c']])],
    [
      '@minimize(to: MASK, last: 4) @minimize(level: least, to: REDACT)',
      levels(undefined, stated(mask(4)), stated(REDACT, [], 'least')),
    ],
  ])('%s', (text, minimization) => {
    expect(minimizationText(minimization)).toBe(text);
  });
});
