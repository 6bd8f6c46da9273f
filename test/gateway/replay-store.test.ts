import { randomBytes } from 'node:crypto';
import fc from 'fast-check';
import { sql } from 'kysely';
import pg from 'pg';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { prepareReplayStore } from '../../cli/actions/replay-store.js';
import {
  MemoryProofReplayStore,
  PostgresProofReplayStore,
  ProofReplayStoreError,
} from '../../gateway/index.js';
import { createTestDatabase } from '../support/database.js';
import type { TestDatabase } from '../support/database.js';
import { ManualClock } from '../support/manual-clock.js';
import { Prover } from './dpop.js';
import {
  AUDIENCE,
  Cleanup,
  codes,
  compose,
  freePort,
  startTestGateway,
  TestIssuer,
  TestSubgraph,
} from './support.js';
import type { Answer, TestGateway } from './support.js';

// Roles are the server's, not the database's.
const role = `replay_${randomBytes(6).toString('hex')}`;
const password = `p'"\\ ${randomBytes(6).toString('hex')}`;
const cleanup = new Cleanup();
let database: TestDatabase<unknown>;
let url: string;

beforeAll(async () => {
  database = await createTestDatabase<unknown>();
  await sql`create table public.person (name text)`.execute(database.db);
  await prepareReplayStore({ databaseUrl: database.url, password, role });
  const address = new URL(database.url);
  address.username = role;
  address.password = encodeURIComponent(password);
  url = address.href;
});
afterAll(async () => {
  await cleanup.run();
  await sql`drop owned by ${sql.id(role)}`.execute(database.db);
  await sql`drop role ${sql.id(role)}`.execute(database.db);
  await database.drop();
});

const digest = (): string => randomBytes(32).toString('base64url');

function open(databaseUrl = url, maxEntries?: number): PostgresProofReplayStore {
  const store = new PostgresProofReplayStore({
    databaseUrl,
    ...(maxEntries === undefined ? {} : { maxEntries }),
  });
  cleanup.add(() => store.close());
  return store;
}

async function stored(): Promise<number> {
  const { rows } = await sql<{ count: number }>`select count(*) as count from replay.proof`.execute(
    database.db,
  );
  return rows[0]?.count ?? 0;
}

async function connect(): Promise<pg.Client> {
  const client = new pg.Client({ connectionString: url });
  await client.connect();
  return client;
}

async function expire(): Promise<void> {
  await sql`update replay.proof set expires_at = now() - interval '1 second'`.execute(database.db);
}

describe('the gateways’ role', () => {
  it.each([
    'select * from replay.proof',
    'select count(*) from replay.proof',
    "insert into replay.proof values ('\\x00', now())",
    'update replay.proof set expires_at = now()',
    'delete from replay.proof',
    'truncate replay.proof',
    'drop function replay.claim(bytea, integer)',
    "create or replace function replay.claim(bytea, integer) returns boolean language sql as 'select true'",
    'create table replay.mine (x int)',
    'create table public.mine (x int)',
    'select * from public.person',
    'set role pg_read_all_data',
  ])('can claim, but not: %s', async (statement) => {
    const client = new pg.Client({ connectionString: url });
    await client.connect();
    try {
      await expect(client.query(statement)).rejects.toMatchObject({ code: '42501' });
    } finally {
      await client.end();
    }
  });

  it('alone can claim; the setup command is repeatable', async () => {
    const stranger = `${role}_stranger`;
    await sql`create role ${sql.id(stranger)} login password 'x'`.execute(database.db);
    try {
      const address = new URL(url);
      address.username = stranger;
      address.password = 'x';
      await expect(open(address.href).claim(digest(), 60)).rejects.toBeInstanceOf(ProofReplayStoreError);
    } finally {
      await sql`drop role ${sql.id(stranger)}`.execute(database.db);
    }
    await prepareReplayStore({ databaseUrl: database.url, password, role });
    expect(await open().claim(digest(), 60)).toBe(true);
    await expect(prepareReplayStore({ databaseUrl: undefined, password })).rejects.toMatchObject({
      code: 'NO_DATABASE',
    });
    await expect(prepareReplayStore({ databaseUrl: database.url, password: '' })).rejects.toMatchObject({
      code: 'NO_PASSWORD',
    });
  });

  it('cannot make the function read a fake table (search path)', async () => {
    // By its rights it cannot create one at all; here it can.
    await sql`grant temporary on database ${sql.id(new URL(url).pathname.slice(1))} to ${sql.id(role)}`.execute(
      database.db,
    );
    const client = await connect();
    try {
      await client.query('create temporary table proof (digest bytea, expires_at timestamptz, place bigint)');
      await client.query('create temporary table bound (proofs bigint)');
      const used = randomBytes(32);
      const claim = () => client.query<{ claim: boolean }>('select replay.claim($1, 60)', [used]);
      expect((await claim()).rows[0]?.claim).toBe(true);
      expect((await claim()).rows[0]?.claim).toBe(false);
    } finally {
      await client.end();
      await prepareReplayStore({ databaseUrl: database.url, password, role });
      await sql`revoke temporary on database ${sql.id(new URL(url).pathname.slice(1))} from ${sql.id(role)}`.execute(
        database.db,
      );
    }
  });
});

describe('a stolen password of the gateways’ role', () => {
  it('delays claims by an uncommitted one only for a moment, then they are refused', async () => {
    const used = digest();
    const thief = await connect();
    try {
      await thief.query('begin');
      await thief.query("set local lock_timeout = '1h'");
      const claim = 'select replay.claim($1, 60)';
      await thief.query(claim, [Buffer.from(used, 'base64url')]);
      await expect(open().claim(used, 60)).rejects.toMatchObject({ reason: 'REPLAY_STORE_UNREACHABLE' });
      // The time limit is the function's, whatever the session has set.
      const other = await connect();
      await other.query('set lock_timeout = 0');
      await expect(other.query(claim, [Buffer.from(used, 'base64url')])).rejects.toMatchObject({
        code: '55P03',
      });
      await other.end();
      expect(await open().claim(digest(), 60)).toBe(true);
      await thief.query('rollback');
      expect(await open().claim(used, 60)).toBe(true);
    } finally {
      await thief.end();
    }
  });

  it('cannot stop others from removing expired claims', async () => {
    for (let count = 0; count < 8; count += 1) await open().claim(digest(), 60);
    await expire();
    const thief = await connect();
    try {
      await thief.query('begin');
      await thief.query('select replay.claim($1, 60)', [randomBytes(32)]);
      const before = await stored();
      await open().claim(digest(), 60);
      expect(await stored()).toBeLessThan(before);
    } finally {
      await thief.end();
    }
  });

  it.each([0, -1, 601, 3_600, 2 ** 31 - 1, null])('cannot claim for %s seconds', async (seconds) => {
    const thief = await connect();
    try {
      await expect(
        thief.query('select replay.claim($1, $2)', [randomBytes(32), seconds]),
      ).rejects.toMatchObject({ code: '22023' });
    } finally {
      await thief.end();
    }
  });

  it('cannot overfill the table, which has room again after expiry', async () => {
    await sql`delete from replay.proof`.execute(database.db);
    await sql`update replay.bound set proofs = 20`.execute(database.db);
    try {
      const thief = await connect();
      for (let count = 0; count < 40; count += 1) {
        await thief.query('select replay.claim($1, 600)', [randomBytes(32)]);
      }
      expect(await stored()).toBeLessThanOrEqual(21);
      // Places are used up though nothing is stored.
      for (let count = 0; count < 5; count += 1) {
        await thief.query('begin');
        await thief.query('select replay.claim(sha256(n::text::bytea), 600) from generate_series(1, 50) n');
        await thief.query('rollback');
      }
      await thief.end();
      await expect(open().claim(digest(), 60)).rejects.toMatchObject({ reason: 'REPLAY_STORE_FULL' });
      await expire();
      // Each removes some expired entries.
      await expect
        .poll(() =>
          open()
            .claim(digest(), 60)
            .catch(() => false),
        )
        .toBe(true);
    } finally {
      await sql`update replay.bound set proofs = 5000000`.execute(database.db);
    }
  });
});

describe('a store in PostgreSQL', () => {
  it('returns true only for the first claim, across gateways and time', async () => {
    const stores = Array.from({ length: 8 }, () => open());
    for (let round = 0; round < 5; round += 1) {
      const used = digest();
      const answers = await Promise.all(stores.map((store) => store.claim(used, 60)));
      expect(answers.filter((isFirst) => isFirst)).toHaveLength(1);
      expect(await open().claim(used, 60)).toBe(false);
    }
  });

  it('rejects what it cannot store', async () => {
    const store = open();
    for (const seconds of [0, -1, 601]) await expect(store.claim(digest(), seconds)).rejects.toThrow();
    await expect(store.claim('short', 60)).rejects.toThrow();
  });

  it('rejects if the database is unreachable', async () => {
    const address = new URL(url);
    address.port = String(await freePort());
    await expect(open(address.href).claim(digest(), 60)).rejects.toMatchObject({
      reason: 'REPLAY_STORE_UNREACHABLE',
    });
  });

  it('claims no more than its share of the table', async () => {
    const store = open(url, 2);
    const before = await stored();
    expect([await store.claim(digest(), 60), await store.claim(digest(), 60)]).toEqual([true, true]);
    await expect(store.claim(digest(), 60)).rejects.toMatchObject({ reason: 'REPLAY_STORE_FULL' });
    expect(await stored()).toBe(before + 2);
  });

  it('removes expired claims faster than it adds new ones', async () => {
    const store = open();
    for (let count = 0; count < 20; count += 1) await store.claim(digest(), 60);
    await sql`update replay.proof set expires_at = now() - interval '1 second'`.execute(database.db);
    let before = await stored();
    while (before > 4) {
      await store.claim(digest(), 60);
      const now = await stored();
      expect(now).toBeLessThan(before);
      before = now;
      await sql`update replay.proof set expires_at = now() - interval '1 second'`.execute(database.db);
    }
  });
});

describe('a store in memory', () => {
  it('never returns true twice for a kept claim, and never exceeds its bound', async () => {
    const step = fc.oneof(
      fc.record({
        claim: fc.integer({ min: 0, max: 9 }).map(String),
        keepSeconds: fc.integer({ min: 1, max: 20 }),
      }),
      fc.record({ passMs: fc.integer({ min: 1, max: 15_000 }) }),
    );
    await fc.assert(
      fc.asyncProperty(
        fc.array(step, { maxLength: 60 }),
        fc.integer({ min: 1, max: 6 }),
        async (steps, maxEntries) => {
          const clock = new ManualClock();
          const store = new MemoryProofReplayStore({ maxEntries, clock });
          const keptUntil = new Map<string, number>();
          for (const each of steps) {
            if ('passMs' in each) {
              await clock.advance(each.passMs);
              continue;
            }
            const isKept = (keptUntil.get(each.claim) ?? 0) > clock.monotonic();
            const isFirst = await store.claim(each.claim, each.keepSeconds).catch(() => undefined);
            if (isKept) expect(isFirst).not.toBe(true);
            if (isFirst === true) keptUntil.set(each.claim, clock.monotonic() + each.keepSeconds * 1000);
            expect(store.size).toBeLessThanOrEqual(maxEntries);
          }
        },
      ),
    );
  });

  it('has room again when claims expire', async () => {
    const clock = new ManualClock();
    const store = new MemoryProofReplayStore({ maxEntries: 1, clock });
    expect(await store.claim('a', 10)).toBe(true);
    await expect(store.claim('b', 10)).rejects.toMatchObject({ reason: 'REPLAY_STORE_FULL' });
    await clock.advance(10_000);
    expect(await store.claim('b', 10)).toBe(true);
  });
});

describe('several gateways', () => {
  const READ = '{ me { id name } }';
  const EXTERNAL = 'https://api.bank.example';
  let issuer: TestIssuer;
  let people: TestSubgraph;
  let supergraph: string;
  let prover: Prover;
  let token: string;

  beforeAll(async () => {
    issuer = await TestIssuer.start();
    people = await TestSubgraph.start('people');
    for (const each of [issuer, people]) cleanup.add(() => each.close());
    supergraph = compose(people);
    prover = await Prover.create();
    token = await issuer.mint({ scope: 'name', cnf: prover.cnf });
  });
  beforeEach(() => {
    people.requests.length = 0;
  });

  function start(databaseUrl = url): Promise<TestGateway> {
    return startTestGateway(cleanup, supergraph, {
      issuers: [{ issuer: issuer.url, audience: AUDIENCE }],
      externalUrl: EXTERNAL,
      dpop: { replay: 'database', database: databaseUrl },
    });
  }

  const proof = () => prover.show(`${EXTERNAL}/graphql`, token);

  function expectUnavailable(answer: Answer, at: TestGateway): void {
    expect(answer.status).toBe(503);
    expect(codes(answer)).toEqual(['REPLAY_STORE_UNAVAILABLE']);
    expect(people.requests).toEqual([]);
    const { reason, cause } = at.log.of('AUTHENTICATION_FAILED').at(-1) ?? {};
    expect(reason).toBe('REPLAY_STORE_UNREACHABLE');
    // ECONNREFUSED, 42P01, …
    expect(cause).toMatch(/^(?!UNREACHABLE)[A-Z0-9]{5,12}$/);
  }

  it('a proof accepted by one is refused by another', async () => {
    const [one, another] = [await start(), await start()];
    const shown = await proof();
    expect((await one.ask(READ, shown)).status).toBe(200);
    people.requests.length = 0;
    const answer = await another.ask(READ, shown);
    expect(answer.status).toBe(401);
    expect(another.log.of('AUTHENTICATION_FAILED').at(-1)?.reason).toBe('PROOF_REPLAYED');
    expect(people.requests).toEqual([]);
    // A restarted gateway remembers as well.
    expect((await (await start()).ask(READ, shown)).status).toBe(401);
  });

  it('of concurrent uses of a proof at all of them, one is accepted', async () => {
    const gateways = [await start(), await start(), await start()];
    for (let round = 0; round < 5; round += 1) {
      const shown = await proof();
      const answers = await Promise.all([...gateways, ...gateways].map((each) => each.ask(READ, shown)));
      expect(answers.map(({ status }) => status).sort()).toEqual([200, 401, 401, 401, 401, 401]);
    }
  });

  it('without the database permit nothing, and recover with it', async () => {
    const address = new URL(url);
    address.port = String(await freePort());
    const cut = await start(address.href);
    expectUnavailable(await cut.ask(READ, await proof()), cut);

    const gateway = await start();
    expect((await gateway.ask(READ, await proof())).status).toBe(200);
    people.requests.length = 0;
    await sql`alter schema replay rename to away`.execute(database.db);
    try {
      expectUnavailable(await gateway.ask(READ, await proof()), gateway);
    } finally {
      await sql`alter schema away rename to replay`.execute(database.db);
    }
    expect((await gateway.ask(READ, await proof())).status).toBe(200);
  });
});
