import { type Kysely, sql } from 'kysely';
import { afterAll, beforeAll, expect, it } from 'vitest';

import type { AuthoritySchema } from '../../authority/internal.js';
import { SESSION_REVOKED } from '../../authority/changes/log.js';
import { HISTORY_SECONDS, StreamRegister } from '../../authority/ssf/streams.js';
import { ACCESS_TOKEN_SECONDS } from '../../authority/oidc/lifetimes.js';
import { openDatabase } from '../../store/index.js';
import { createAuthorityDatabase } from '../support/authority-database.js';
import type { TestDatabase } from '../support/database.js';

const WISHES = {
  eventsRequested: [SESSION_REVOKED],
  description: null,
  maxStalenessMs: null,
  push: undefined,
};
const CLOCKS_DIFFER_SECONDS = 120;

let database: TestDatabase<AuthoritySchema>;
// One connection, so that it can count what it reads.
let db: Kysely<AuthoritySchema>;
let streams: StreamRegister;
beforeAll(async () => {
  database = await createAuthorityDatabase();
  db = openDatabase<AuthoritySchema>(database.url, { max: 1 });
  streams = new StreamRegister(db);
});
afterAll(async () => {
  await db.destroy();
  await database.drop();
});

/** Appends events of this age, as the log stores them. */
async function append(agesSeconds: readonly number[]): Promise<void> {
  await sql`
    with head as (
      update authority.change_head set seq = seq + ${agesSeconds.length} returning seq - ${agesSeconds.length} as seq)
    insert into authority.change_event (seq, jti, kind, members, initiator, reason, occurred_at)
    select head.seq + n, gen_random_uuid(), ${SESSION_REVOKED}, '{"clientId":"c"}', 'admin', null,
      clock_timestamp() - make_interval(secs => age)
    from head, unnest(${[...agesSeconds]}::float8[]) with ordinality as ages (age, n)`.execute(db);
}

async function pendingOfNewStream(): Promise<number[]> {
  const stream = await streams.create('gateways', WISHES);
  if (stream === undefined) throw new Error('no stream was made');
  return (await streams.pending(stream, 1_000)).map(({ seq }) => seq);
}

/** Rows of the log that were read. */
async function rowsRead(work: () => Promise<unknown>): Promise<number> {
  const count = async (): Promise<number> => {
    await sql`select pg_stat_force_next_flush()`.execute(db);
    const { rows } = await sql<{ count: number }>`
      select seq_tup_read + idx_tup_fetch as count from pg_stat_user_tables where relname = 'change_event'`.execute(
      db,
    );
    return rows[0]?.count ?? Number.NaN;
  };
  const before = await count();
  await work();
  return (await count()) - before;
}

it('a new stream begins early enough for every living access token', () => {
  expect(HISTORY_SECONDS).toBeGreaterThan(ACCESS_TOKEN_SECONDS + CLOCKS_DIFFER_SECONDS);
});

it('a new stream begins with recent events, even after a clock went back', async () => {
  await append([HISTORY_SECONDS + 90, HISTORY_SECONDS + 60, HISTORY_SECONDS - 60, 10]);
  expect(await pendingOfNewStream()).toEqual([3, 4]);
  // The first of them was written while the clock was ahead.
  await append([5, HISTORY_SECONDS + 30, 0]);
  expect(await pendingOfNewStream()).toEqual([3, 4, 5, 6, 7]);
});

it('a poll reads only its own events of a long log', async () => {
  await append(Array.from({ length: 20_000 }, () => 1));
  const stream = await streams.create('gateways', WISHES);
  if (stream === undefined) throw new Error('no stream was made');
  // Its position is in the middle, with thousands before and after.
  await sql`update authority.stream set delivered_seq = 10000`.execute(db);
  const ten = await streams.pending(stream, 10);
  expect(ten.map(({ seq }) => seq)).toEqual(Array.from({ length: 10 }, (_, index) => 10_001 + index));
  expect(await rowsRead(() => streams.pending(stream, 10))).toBeLessThan(100);
  const jtis = ten.map(({ jti }) => jti);
  expect(await rowsRead(() => streams.acknowledge(stream, jtis))).toBeLessThan(100);
  expect((await streams.pending(stream, 1)).map(({ seq }) => seq)).toEqual([10_011]);
});

it('concurrent acknowledgements in any order lose and leave nothing', async () => {
  const many = new StreamRegister(database.db);
  const stream = await many.create('gateways', WISHES);
  if (stream === undefined) throw new Error('no stream was made');
  await sql`update authority.stream set delivered_seq = (select seq from authority.change_head)`.execute(db);
  await append(Array.from({ length: 200 }, () => 0));
  const jtis = (await many.pending(stream, 1_000)).map(({ jti }) => jti);
  expect(jtis).toHaveLength(200);
  const groups = Array.from({ length: 20 }, (_, group) => jtis.filter((_jti, index) => index % 20 === group));
  await Promise.all(groups.map((group) => many.acknowledge(stream, group)));
  expect(await many.pending(stream, 1_000)).toEqual([]);
  // The next acknowledgement includes what this one could not see of the others.
  await append([0]);
  const [last] = await many.pending(stream, 10);
  await many.acknowledge(stream, [last?.jti ?? '']);
  const place = await sql`
    select s.delivered_seq = h.seq as "isAtHead", (select count(*) from authority.stream_ack) as acks
    from authority.stream s, authority.change_head h where s.id = ${stream.id}`.execute(db);
  expect(place.rows).toEqual([{ isAtHead: true, acks: 0 }]);
});
