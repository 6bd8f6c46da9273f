import type { RequestedColumn } from '@behalf/directives';
import { selectColumns as selectWithKnex } from '@behalf/directives/knex';
import { selectColumns } from '@behalf/directives/kysely';
import knex, { type Knex } from 'knex';
import { sql } from 'kysely';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { SINGLE_CHARACTERS } from '../../../directives/src/columns/postgres/texts.js';
import { Cleanup } from '../../support/cleanup.js';
import { createTestDatabase, type TestDatabase } from '../../support/database.js';

interface Tables {
  person: { id: string };
}

const cleanup = new Cleanup();
let database: TestDatabase<Tables>;
let withKnex: Knex;
beforeAll(async () => {
  database = await createTestDatabase<Tables>();
  cleanup.add(() => database.drop());
  withKnex = knex({ client: 'pg', connection: database.url, pool: { min: 0, max: 1 } });
  cleanup.add(() => withKnex.destroy());
  await sql`create table person (id text, "order" numeric, "odd "" name" text, born date, seen timestamptz, address inet)`.execute(
    database.db,
  );
  await sql`insert into person values ('p-1', 1234.5, 'Alma', '1990-03-05', '2026-05-31T22:30:00Z', '10.1.2.3')`.execute(
    database.db,
  );
});
afterAll(() => cleanup.run());

const COLUMNS: readonly RequestedColumn[] = [
  { column: 'id', property: 'id', coordinates: [] },
  {
    column: 'order',
    property: 'order by',
    type: 'numeric',
    coordinates: ['P.order'],
    minimize: { to: 'GENERALIZE', by: 'step', step: 100, max: 5_000 },
  },
  {
    column: 'odd " name',
    property: `'; drop table person; -- "x"`,
    type: 'text',
    coordinates: ['P.name'],
    minimize: { to: 'TRUNCATE', keep: 1 },
  },
  {
    column: 'born',
    property: 'born',
    type: 'date',
    coordinates: ['P.born'],
    minimize: { to: 'GENERALIZE', by: 'unit', unit: 'YEAR' },
  },
  {
    column: 'seen',
    property: 'seen',
    type: 'timestamptz',
    coordinates: ['P.seen'],
    minimize: { to: 'GENERALIZE', by: 'unit', unit: 'MONTH', timeZone: 'Europe/Vienna' },
  },
  {
    column: 'address',
    property: 'address',
    type: 'inet',
    coordinates: ['P.address'],
    minimize: { to: 'GENERALIZE', by: 'ipPrefix', ipv4: 8, ipv6: 0 },
  },
  {
    column: 'no_such',
    property: 'kind',
    coordinates: ['P.kind'],
    minimize: { to: 'REDACT' },
    constant: '[redacted]',
  },
  { column: 'no_such', property: 'count', coordinates: ['P.count'], minimize: { to: 'REDACT' }, constant: 0 },
  { column: 'no_such', property: 'yes', coordinates: ['P.yes'], minimize: { to: 'REDACT' }, constant: false },
];

const ROW = {
  id: 'p-1',
  'order by': '1200.0',
  [`'; drop table person; -- "x"`]: 'A',
  born: '1990-01-01',
  seen: new Date('2026-06-01T10:00:00Z'),
  address: '10.0.0.0',
  kind: '[redacted]',
  count: 0,
  yes: false,
};

describe.each(['p', undefined])('with the alias %s of the table', (table) => {
  const options = table === undefined ? {} : { table };

  it('Kysely selects each column as its property', async () => {
    const list = selectColumns(COLUMNS, {
      ...options,
      format: { born: (value) => sql`to_char(${value}, 'YYYY-MM-DD')` },
    });
    const from = sql`person`.as(table ?? 'person');
    expect(await database.db.selectFrom(from).select(list).execute()).toEqual([ROW]);
  });

  it('Knex selects each column as its property', async () => {
    const list = selectWithKnex(withKnex, COLUMNS, {
      ...options,
      format: { born: (value) => withKnex.raw(`to_char(?, 'YYYY-MM-DD')`, [value]) },
    });
    const from = table === undefined ? 'person' : 'person as p';
    expect(await withKnex(from).select(list)).toEqual([ROW]);
  });
});

it('a column of unknown type, and one of a strategy that needs the value, are selected whole', () => {
  const whole = (more: Partial<RequestedColumn>): string => {
    const list = selectColumns([{ column: 'c', property: 'p', coordinates: ['T.p'], ...more }]);
    return database.db.selectFrom('person').select(list).compile().sql;
  };
  const year = { to: 'GENERALIZE', by: 'unit', unit: 'YEAR' } as const;
  expect(whole({ minimize: year })).toBe('select "c" as "p" from "person"');
  expect(whole({ minimize: year, type: 'numeric' })).toBe('select "c" as "p" from "person"');
  expect(whole({ minimize: year, type: 'date' })).toContain('date_trunc');
  for (const minimize of [
    { to: 'MASK', first: 0, last: 4, showLength: false },
    { to: 'PSEUDONYMIZE' },
    { to: 'SHIFT', days: 5 },
    { to: 'REDACT' },
  ] as const)
    expect(whole({ minimize, type: 'text' })).toBe('select "c" as "p" from "person"');
});

it('each code point that TRUNCATE lets PostgreSQL count is a character by itself', () => {
  const segmenter = new Intl.Segmenter('en');
  const count = (text: string): number => [...segmenter.segment(text)].length;
  const single = new RegExp(`^[${SINGLE_CHARACTERS}]$`, 'u');
  const counted = Array.from({ length: 0x530 }, (_, code) => String.fromCodePoint(code)).filter((text) =>
    single.test(text),
  );
  expect(counted.length).toBeGreaterThan(900);
  for (const text of counted) expect([text, count(`a${text}${text}a`)]).toEqual([text, 4]);
});
