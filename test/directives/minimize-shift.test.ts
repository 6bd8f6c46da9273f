import fc from 'fast-check';
import { GraphQLBoolean, GraphQLInt, GraphQLScalarType, GraphQLString } from 'graphql';
import type { GraphQLOutputType } from 'graphql';
import { describe, expect, it } from 'vitest';
import type { FinishedValue } from '../../directives/src/minimize/finished-value.js';
import { compileMinimizer } from '../../directives/src/minimize/minimizer.js';
import { shiftDate } from '../../directives/src/minimize/shift-date.js';
import { minimize } from '../../directives/src/specification/minimize.js';
import { testedSubgraph } from './support.js';

const KEY = Buffer.alloc(32, 7);
const DAY_MS = 24 * 60 * 60 * 1_000;

interface Who {
  readonly clientId: string;
  readonly subject?: string;
}

function shift(days: number, { coordinate = 'Query.x', type = GraphQLString as GraphQLOutputType } = {}) {
  const { statement } = minimize.compile({ to: 'SHIFT', days }, coordinate);
  const input = { coordinate, pseudonymKey: KEY, onUnreadable: () => undefined };
  const minimizer = compileMinimizer({ ...input, statement, type });
  return (value: unknown, who: Who = { clientId: 'app', subject: 'alma' }) => minimizer(value, who);
}

const daysBetween = (one: unknown, other: unknown): number =>
  (Date.parse(String(one)) - Date.parse(String(other))) / DAY_MS;

const msBetween = (one: unknown, other: unknown): number =>
  Date.parse(String(one)) - Date.parse(String(other));

describe('SHIFT', () => {
  it('moves by 1 to `days` days, and each of them happens', () => {
    const by = shift(3);
    const moved = Array.from({ length: 400 }, (_, index) =>
      daysBetween(by('2026-05-17', { clientId: 'app', subject: `person-${index}` }), '2026-05-17'),
    );
    expect([...new Set(moved)].sort((a, b) => a - b)).toEqual([-3, -2, -1, 1, 2, 3]);
  });

  it('keeps the time between two dates of a person, in every field (property)', () => {
    const date = fc.date({ min: new Date('1900-01-01'), max: new Date('2100-01-01'), noInvalidDate: true });
    const [born, died] = [
      shift(365, { coordinate: 'Person.born' }),
      shift(365, { coordinate: 'Grave.died' }),
    ];
    fc.assert(
      fc.property(date, date, fc.string(), (one, other, subject) => {
        const [a, b] = [one, other].map((each) => each.toISOString());
        const who = { clientId: 'app', subject };
        expect(msBetween(born(a, who), died(b, who))).toBe(msBetween(a, b));
        const [dayA, dayB] = [a?.slice(0, 10), b?.slice(0, 10)];
        expect(msBetween(born(dayA, who), died(dayB, who))).toBe(msBetween(dayA, dayB));
      }),
    );
  });

  it('differs by person and by client, so that nobody’s dates tell those of others', () => {
    const by = shift(3_650);
    const answers = ['alma', 'bela', 'cora'].flatMap((subject) =>
      ['app', 'other'].map((clientId) => by('2026-05-17', { clientId, subject })),
    );
    expect(new Set(answers).size).toBe(6);
    expect(by('2026-05-17')).toBe(answers[0]);
  });

  it('is null for nobody', () => {
    expect(shift(3)('2026-05-17', { clientId: 'app' })).toBeNull();
  });

  it.each([
    ['2026-02-27', 2, '2026-03-01'],
    ['2024-02-27', 2, '2024-02-29'],
    ['2026-01-01', -1, '2025-12-31'],
    ['2026-02-27T10:30:00', 2, '2026-03-01T10:30:00'],
    ['2026-02-27 10:30', 2, '2026-03-01 10:30'],
    ['2026-02-27T10:30:00[Europe/Vienna]', 2, '2026-03-01T10:30:00'],
    ['2026-02-27T23:30:00+02:00', 2, '2026-03-01T21:30:00Z'],
    ['2026-02-27T23:30:00Z', -2, '2026-02-25T23:30:00Z'],
    ['2026-02-27T23:30:00.123456789Z', 1, '2026-02-28T23:30:00.123456789Z'],
    ['2026-02-27T23:30:00,5+00:30', 1, '2026-02-28T23:00:00.5Z'],
    [1_000, 1, 1_000 + DAY_MS],
    [1_000n, -1, 1_000n - BigInt(DAY_MS)],
    ['9999-12-31', 1, null],
    ['0000-01-01', -1, null],
    ['9999-12-31T00:00:00Z', 1, null],
    ['2026-02-30', 1, null],
    ['soon', 1, null],
    [true, 1, null],
    [Number.NaN, 1, null],
    [8.64e15, 1, null],
    [8.64e15 - DAY_MS, 1, 8.64e15],
    [{}, 1, null],
  ])('of %s by %d days', (given, days, expected) => {
    expect(shiftDate(given, given, days)).toEqual(expected);
  });

  it('a driver’s local midnight stays of its day when clocks change', () => {
    const midnight = new Date(2026, 2, 27);
    const shifted = shiftDate('x', midnight, 5) as Date;
    // Where it is also a midnight in UTC, in winter, nobody can tell; it is of the same day.
    expect([shifted.getFullYear(), shifted.getMonth(), shifted.getDate()]).toEqual([2026, 3, 1]);
    expect(shiftDate('x', new Date('2026-03-27T12:34:56Z'), 5)).toEqual(new Date('2026-04-01T12:34:56Z'));
    expect(shiftDate('x', new Date(Number.NaN), 5)).toBeNull();
  });

  it('leaves a date to a scalar that writes it', () => {
    const Day = new GraphQLScalarType({ name: 'Day', serialize: (value) => (value as Date).toISOString() });
    const shifted = shift(1, { type: Day })(new Date('2026-05-17T00:00:00Z'));
    expect(['2026-05-16T00:00:00.000Z', '2026-05-18T00:00:00.000Z']).toContain(
      (shifted as FinishedValue).output,
    );
  });

  it.each([
    [{ to: 'SHIFT' }, '"days" must be a whole number from 1 to 3650'],
    [{ to: 'SHIFT', days: 0 }, '"days" must be a whole number from 1 to 3650'],
    [{ to: 'SHIFT', days: 4_000 }, '"days" must be a whole number from 1 to 3650'],
    [{ to: 'SHIFT', days: 3, unit: 'DAY' }, '@minimize(to: SHIFT) takes no "unit"'],
  ])('stops the start: %j', (args, message) => {
    expect(() => minimize.compile(args, 'Query.x')).toThrow(`Query.x: ${message}`);
  });

  it('needs a date', () => {
    expect(() => shift(3, { type: GraphQLBoolean })).toThrow(
      '@minimize(to: SHIFT) needs a field of type a date',
    );
    expect(() => shift(3, { type: GraphQLInt })).toThrow('@minimize(to: SHIFT) needs a field of type a date');
  });
});

describe('the person whose date is moved', () => {
  const subgraph = testedSubgraph(
    `type Query {
       visits: [Visit] @public
       today: String @public @minimize(to: SHIFT, days: 3000)
     }
     type Visit @subject(field: "patient", unless: [["visits:all"]]) {
       on: String @public @minimize(to: SHIFT, days: 3000)
     }`,
    {
      Query: {
        visits: () => ['alma', 'bela', 'alma'].map((patient) => ({ patient, on: '2026-05-17' })),
        today: () => '2026-05-17',
      },
    },
  );
  const seen = async (query: string, options?: { subject?: string; scope?: string }): Promise<unknown> =>
    (await subgraph.ask(query, options)).data;

  it('is the owner of the row, whoever reads it', async () => {
    const { visits } = (await seen('{ visits { on } }', { subject: 'dana', scope: 'visits:all' })) as {
      visits: { on: string }[];
    };
    const [first, second, third] = visits.map(({ on }) => on);
    expect(first).toBe(third);
    expect(second).not.toBe(first);
    expect(await seen('{ visits { on } today }', { subject: 'alma' })).toEqual({
      visits: [{ on: first }, { on: first }],
      today: first,
    });
  });

  it('is nobody without a delegation', async () => {
    expect(await seen('{ today }')).toEqual({ today: null });
    expect(subgraph.logged.map(({ code }) => code)).toContain('VALUE_NOT_MINIMIZED');
  });
});
