import fc from 'fast-check';
import { GraphQLFloat, GraphQLString } from 'graphql';
import { describe, expect, it } from 'vitest';
import { compileMinimizer } from '../../directives/src/minimize/minimizer.js';
import { compareStrategies } from '../../directives/src/minimize/strategies/index.js';
import { minimize } from '../../directives/src/specification/minimize.js';

type Given = Readonly<Record<string, unknown>>;

const read = (args: Given) => minimize.compile(args, 'Query.x').statement;
const compare = (before: Given, after: Given) => compareStrategies(read(before), read(after));
const opposite = {
  equal: 'equal',
  weaker: 'stronger',
  stronger: 'weaker',
  incomparable: 'incomparable',
} as const;

const mask = (more: Given): Given => ({ to: 'MASK', ...more });
const by = (more: Given): Given => ({ to: 'GENERALIZE', ...more });
const JOBS = [
  ['HEALTH', 'NURSE', 'DOCTOR'],
  ['ANY', 'HEALTH', 'TRADE'],
];
const statistic = (more: Given): Given => ({
  ...{ to: 'AGGREGATE', of: 'amount', groups: ['city', 'age'], subject: 'ownerId', floor: 10 },
  ...more,
});
const noise = (more: Given): Given => ({ to: 'NOISE', step: 1, distribution: 'LAPLACE', ...more });

describe('a strategy compared with another statement of it', () => {
  it.each<[Given, keyof typeof opposite, Given]>([
    [mask({ first: 1, last: 2 }), 'equal', mask({ last: 2, first: 1 })],
    [mask({ first: 1, last: 2 }), 'weaker', mask({ first: 2, last: 2 })],
    [mask({ first: 1, last: 2 }), 'weaker', mask({ first: 1, last: 3 })],
    [mask({ first: 1, last: 2 }), 'weaker', mask({ first: 2, last: 3 })],
    [mask({ first: 1, last: 2 }), 'incomparable', mask({ first: 2, last: 1 })],
    [mask({ last: 2 }), 'weaker', mask({ last: 2, showLength: true })],
    [mask({ last: 2 }), 'incomparable', mask({ last: 1, showLength: true })],
    [mask({ last: 2, form: 'IBAN' }), 'weaker', mask({ last: 3, form: 'IBAN' })],
    [mask({ last: 2 }), 'incomparable', mask({ last: 2, form: 'IBAN' })],
    [mask({ form: 'EMAIL' }), 'incomparable', mask({ form: 'IBAN' })],
    [mask({ form: 'IBAN', last: 1 }), 'incomparable', mask({ last: 2 })],
    [by({ step: 10, min: 0 }), 'weaker', by({ step: 10 })],
    [by({ step: 10, max: 90 }), 'weaker', by({ step: 10 })],
    [by({ step: 10, max: 90 }), 'weaker', by({ step: 10, max: 100 })],
    [by({ step: 10, min: 0, max: 90 }), 'weaker', by({ step: 10, min: -10, max: 100 })],
    [by({ step: 10, min: 0, max: 90 }), 'incomparable', by({ step: 10, min: 10, max: 100 })],
    [by({ step: 10, min: 0, max: 90 }), 'equal', by({ step: 10, min: 0, max: 90 })],
    [by({ step: 10, max: 90 }), 'weaker', by({ step: 5 })],
    [by({ step: 10, max: 90 }), 'incomparable', by({ step: 30 })],
    [by({ step: 10, max: 90 }), 'stronger', by({ step: 30, max: 90 })],
    [by({ step: 30, max: 60 }), 'weaker', by({ step: 10, max: 90 })],
    [by({ buckets: [0, 18, 65] }), 'equal', by({ buckets: [0, 18, 65] })],
    [by({ buckets: [0, 18, 65] }), 'stronger', by({ buckets: [0, 65] })],
    [by({ buckets: [0, 18, 65] }), 'incomparable', by({ buckets: [0, 21] })],
    [
      by({ buckets: [0, 18], names: ['a', 'b'] }),
      'incomparable',
      by({ buckets: [0, 18], names: ['a', 'c'] }),
    ],
    [by({ buckets: [0, 18], names: ['a', 'b'] }), 'incomparable', by({ buckets: [0] })],
    [by({ ipv4: 24, ipv6: 48 }), 'stronger', by({ ipv4: 16, ipv6: 48 })],
    [by({ ipv4: 24, ipv6: 48 }), 'stronger', by({ ipv4: 24 })],
    [by({ ipv4: 24, ipv6: 48 }), 'stronger', by({ ipv4: 16, ipv6: 32 })],
    [by({ ipv4: 24, ipv6: 48 }), 'incomparable', by({ ipv4: 16, ipv6: 64 })],
    [by({ ipv4: 24 }), 'equal', by({ ipv4: 24, ipv6: 0 })],
    [by({ part: 'EMAIL_DOMAIN' }), 'equal', by({ part: 'EMAIL_DOMAIN' })],
    [by({ part: 'EMAIL_DOMAIN' }), 'incomparable', by({ part: 'PHONE_COUNTRY' })],
    [by({ geohash: 5 }), 'stronger', by({ geohash: 4 })],
    [by({ h3: 5 }), 'stronger', by({ h3: 4 })],
    [by({ hierarchy: JOBS }), 'equal', by({ hierarchy: JOBS, up: 1 })],
    [by({ hierarchy: JOBS }), 'stronger', by({ hierarchy: JOBS, up: 2 })],
    [by({ hierarchy: JOBS }), 'incomparable', by({ hierarchy: [['ANY', 'HEALTH']] })],
    [by({ hierarchy: JOBS }), 'incomparable', by({ part: 'EMAIL_DOMAIN' })],
    [by({ unit: 'WEEK' }), 'incomparable', by({ unit: 'MONTH' })],
    [by({ unit: 'WEEK' }), 'weaker', by({ unit: 'DAY' })],
    [by({ unit: 'MONTH' }), 'stronger', by({ unit: 'QUARTER' })],
    [by({ unit: 'CENTURY' }), 'weaker', by({ unit: 'DECADE' })],
    [{ to: 'PSEUDONYMIZE' }, 'weaker', { to: 'PSEUDONYMIZE', readableWith: [['a']] }],
    [
      { to: 'PSEUDONYMIZE', readableWith: [['a']] },
      'incomparable',
      { to: 'PSEUDONYMIZE', readableWith: [['b']] },
    ],
    [{ to: 'SHIFT', days: 5 }, 'stronger', { to: 'SHIFT', days: 9 }],
    [{ to: 'SHIFT', days: 5 }, 'equal', { to: 'SHIFT', days: 5 }],
    [statistic({}), 'equal', statistic({})],
    [statistic({}), 'stronger', statistic({ floor: 20 })],
    [statistic({}), 'stronger', statistic({ groups: ['city'] })],
    [statistic({}), 'stronger', statistic({ groups: [], floor: 20 })],
    [statistic({}), 'incomparable', statistic({ groups: ['city'], floor: 5 })],
    [statistic({}), 'incomparable', statistic({ groups: ['city', 'sex'] })],
    [statistic({}), 'incomparable', statistic({ subject: 'household' })],
    [statistic({}), 'incomparable', statistic({ of: 'rent' })],
    [statistic({}), 'incomparable', statistic({ buckets: [0, 5] })],
    [statistic({}), 'stronger', { to: 'REDACT' }],
    [noise({ scale: 5 }), 'stronger', noise({ scale: 9 })],
    [noise({ scale: 5 }), 'equal', noise({ scale: 5 })],
    [noise({ scale: 5 }), 'incomparable', noise({ scale: 9, step: 2 })],
    [noise({ scale: 5 }), 'incomparable', noise({ scale: 9, distribution: 'GAUSSIAN' })],
    [noise({ scale: 5 }), 'incomparable', { to: 'NOISE', spread: 9 }],
  ])('%j is followed by a %s one: %j', (before, comparison, after) => {
    expect(compare(before, after)).toBe(comparison);
    expect(compare(after, before)).toBe(opposite[comparison]);
  });
});

/** Each statement with values on which it works. */
const count = (max: number) => fc.integer({ min: 0, max });
const text = fc.string({ maxLength: 20, unit: fc.constantFrom('a', 'b', '1', '-', ' ', 'ä') });
const number = fc.integer({ min: -300, max: 300 }).map((n) => n / 2);
const groups = [
  {
    args: fc.record({ to: fc.constant('MASK'), first: count(6), last: count(6), showLength: fc.boolean() }),
    value: text,
  },
  { args: fc.record({ to: fc.constant('TRUNCATE'), keep: count(8) }), value: text },
  {
    args: fc.record({ to: fc.constant('GENERALIZE'), step: fc.constantFrom(1, 2, 5, 10, 0.5) }),
    value: number,
  },
  {
    args: fc
      .record({ step: fc.constantFrom(10, 20, 5), low: count(4), width: fc.integer({ min: 1, max: 4 }) })
      .map(({ low, step, width }) => ({
        ...{ to: 'GENERALIZE', step },
        ...{ min: (low - 3) * 20, max: (low - 3 + width) * 20 },
      })),
    value: number,
  },
  {
    args: fc
      .uniqueArray(fc.integer({ min: -5, max: 5 }), { minLength: 1 })
      .map((list) => ({ to: 'GENERALIZE', buckets: list.map((n) => n * 20).sort((a, b) => a - b) })),
    value: number,
  },
  {
    args: fc
      .constantFrom('DAY', 'WEEK', 'MONTH', 'QUARTER', 'YEAR', 'DECADE', 'CENTURY')
      .map((unit) => by({ unit })),
    value: fc
      .date({ min: new Date('1890-01-01'), max: new Date('2110-01-01'), noInvalidDate: true })
      .map((date) => date.toISOString().slice(0, 10)),
  },
  { args: fc.record({ to: fc.constant('GENERALIZE'), ipv4: count(32), ipv6: count(128) }), value: fc.ipV4() },
  {
    args: fc.integer({ min: 1, max: 4 }).map((up) => by({ hierarchy: JOBS, up })),
    value: fc.constantFrom(...JOBS.flat(), 'unknown'),
  },
] as const;

describe('never more detail by a stricter statement (property)', () => {
  it.each(groups.map((group, index) => [index, group] as const))('of kind %d', (_index, { args, value }) => {
    fc.assert(
      fc.property(
        args as fc.Arbitrary<Given>,
        args as fc.Arbitrary<Given>,
        value as fc.Arbitrary<unknown>,
        value as fc.Arbitrary<unknown>,
        (before, after, one, other) => {
          fc.pre(['stronger', 'equal'].includes(compare(before, after)));
          const type = typeof one === 'number' ? GraphQLFloat : GraphQLString;
          const [loose, strict] = [before, after].map((each) => {
            const input = { coordinate: 'Query.x', pseudonymKey: undefined, onUnreadable: () => undefined };
            const minimizer = compileMinimizer({ ...input, statement: read(each), type });
            return (given: unknown) => minimizer(given, { clientId: 'app' });
          });
          // Who could not tell two values apart still cannot.
          if (loose?.(one) === loose?.(other)) expect(strict?.(one)).toBe(strict?.(other));
        },
      ),
      { numRuns: 2_000 },
    );
  });
});
