import { spawn, spawnSync } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { createServer } from 'node:net';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { sql } from 'kysely';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { ConfigurationError } from '../../gateway/index.js';
import { makeRateCounters } from '../../gateway/limit/counter-stores.js';
import type { RateCounters } from '../../gateway/limit/rate-counters.js';
import { projectPath } from '@behalf/example/internal';
import { createTestDatabase } from '../support/database.js';
import type { TestDatabase } from '../support/database.js';
import { ManualClock } from '../support/manual-clock.js';
import {
  AUDIENCE,
  Cleanup,
  compose,
  freePort,
  startTestGateway,
  TestIssuer,
  TestLog,
  TestSubgraph,
  until,
} from './support.js';

const cleanup = new Cleanup();
// Roles are the server's, not the database's.
const role = `limits_${randomBytes(6).toString('hex')}`;
let database: TestDatabase<unknown>;
let postgresUrl: string;

/** The statements that docs/how-to/gateway.md tells an administrator to run. */
async function documentedSql(): Promise<string> {
  const text = await readFile(projectPath('docs/how-to/gateway.md'), 'utf8');
  return (/```sql\n([\s\S]*?)```/.exec(text)?.[1] ?? '').replaceAll('behalf_limits', role);
}

beforeAll(async () => {
  database = await createTestDatabase<unknown>();
  await sql.raw(await documentedSql()).execute(database.db);
  const address = new URL(database.url);
  address.username = role;
  address.password = 'change-me';
  postgresUrl = address.href;
});
afterAll(async () => {
  await cleanup.run();
  await sql`drop owned by ${sql.id(role)}`.execute(database.db);
  await sql`drop role ${sql.id(role)}`.execute(database.db);
  await database.drop();
});

const REDIS = ['valkey-server', 'redis-server'].find((name) => spawnSync(name, ['--version']).status === 0);

/** A separate server that keeps nothing. */
async function startRedis(port: number, options: readonly string[] = []): Promise<() => Promise<void>> {
  const child = spawn(REDIS ?? '', [
    '--port',
    String(port),
    '--bind',
    '127.0.0.1',
    '--save',
    '',
    '--appendonly',
    'no',
    ...options,
  ]);
  let said = '';
  for await (const chunk of child.stdout) {
    said += String(chunk);
    if (/ready to accept connections/i.test(said)) break;
  }
  return async () => {
    if (child.exitCode !== null) return;
    child.kill();
    await once(child, 'exit');
  };
}

const slow = { name: 'slow', requests: 3, perSeconds: 3_600, costPerRequest: 100 };

async function open(
  store: string,
  log = new TestLog(),
  clock = ManualClock.running(),
): Promise<RateCounters> {
  const counters = makeRateCounters(store, log, clock);
  cleanup.add(() => counters.close());
  await counters.open();
  return counters;
}

async function admitted(counters: readonly RateCounters[], key: string, requests: number): Promise<number> {
  let count = 0;
  for (let n = 0; n < requests; n += 1) {
    const waitMs = await counters[n % counters.length]?.consume(slow, key, 1);
    if (waitMs === undefined) count += 1;
    else expect(waitMs > 0 && waitMs <= 3_600_000).toBe(true);
  }
  return count;
}

const STORES: [string, () => Promise<string>, boolean][] = [
  ['PostgreSQL', async () => postgresUrl, true],
  [
    // Skipped if neither valkey-server nor redis-server is installed (Debian: apt-get install redis-server).
    'Redis or Valkey',
    async () => {
      const port = await freePort();
      cleanup.add(await startRedis(port));
      return `redis://127.0.0.1:${port}`;
    },
    REDIS !== undefined,
  ],
];

describe.each(STORES)('counters in %s', (_name, start, isInstalled) => {
  it.skipIf(!isInstalled)('are one budget for two gateways; a refusal costs nothing', async () => {
    const store = await start();
    const gateways = [await open(store), await open(store)];
    expect(await admitted(gateways, 'alma', 8)).toBe(3);
    expect(await admitted(gateways, 'bo', 2)).toBe(2);
    const [one, other] = gateways;
    expect(await one?.consume(slow, 'bo', 2)).toBeGreaterThan(0);
    await one?.giveBack(slow, 'bo', 2);
    expect(await other?.consume(slow, 'bo', 1)).toBeUndefined();
    expect(await other?.consume(slow, 'bo', 1)).toBeGreaterThan(0);
  });

  it.skipIf(!isInstalled)('restart for a class whose numbers change', async () => {
    const counters = await open(await start());
    const key = randomBytes(4).toString('hex');
    expect(await admitted([counters], key, 4)).toBe(3);
    expect(await counters.consume({ ...slow, requests: 4 }, key, 1)).toBeUndefined();
  });
});

it('never contain the name of a client or person', async () => {
  const counters = await open(postgresUrl);
  await counters.consume(slow, JSON.stringify(['https://login.example', 'budget-app', 'alma']), 1);
  const { rows } = await sql<{ key: string }>`select key from limits.counter`.execute(database.db);
  expect(rows.length).toBeGreaterThan(0);
  for (const { key } of rows) expect(key).toMatch(/^behalf-rate:[A-Za-z0-9_-]{43}$/);
});

it('two gateways share a budget over PostgreSQL; a third has its own', async () => {
  const issuer = await TestIssuer.start();
  const people = await TestSubgraph.start('people');
  for (const each of [issuer, people]) cleanup.add(() => each.close());
  const folder = await mkdtemp(join(tmpdir(), 'behalf-shared-'));
  cleanup.add(() => rm(folder, { recursive: true, force: true }));
  const entry = { sentence: 'See it', access: 'read', sensitivity: 'low' };
  const policy = join(folder, 'policy.yaml');
  await writeFile(
    policy,
    JSON.stringify({
      scopes: { name: entry, email: entry, 'people:write': entry },
      purposes: { credit: { sentence: 'To lend' } },
      clients: { 'budget-app': { scopes: ['name'], rateClass: 'shared' } },
      rateClasses: { shared: { requests: 3, per: 'PT1H' } },
    }),
  );
  const start = (store: string) =>
    startTestGateway(cleanup, compose(people), {
      issuers: [{ issuer: issuer.url, audience: AUDIENCE }],
      policy,
      limits: { store },
    });
  const shared = [await start(postgresUrl), await start(postgresUrl)];
  const alone = await start('memory');
  const token = await issuer.mint();
  const statuses: (number | undefined)[] = [];
  for (let n = 0; n < 4; n += 1) statuses.push((await shared[n % 2]?.ask('{ hello }', { token }))?.status);
  expect(statuses).toEqual([200, 200, 200, 429]);
  expect((await alone.ask('{ hello }', { token })).status).toBe(200);
});

describe('an unavailable store', () => {
  /** It accepts connections and never answers. */
  async function startSilent(): Promise<number> {
    const server = createServer(() => undefined);
    server.listen(0, '127.0.0.1');
    await once(server, 'listening');
    cleanup.add(() => server.close());
    return (server.address() as AddressInfo).port;
  }

  async function whileTimePasses<Result>(clock: ManualClock, result: Promise<Result>): Promise<Result> {
    let isOver = false;
    const end = (): void => void (isOver = true);
    result.then(end, end);
    await until(async () => {
      await clock.advance(100);
      return isOver;
    }, 'the result');
    return result;
  }

  it.each([
    ['a PostgreSQL that is silent', async () => `postgres://u:s3cret@127.0.0.1:${await startSilent()}/db`],
    ['an unreachable PostgreSQL', async () => `postgres://u:s3cret@127.0.0.1:${await freePort()}/db`],
    ['a PostgreSQL without the table', async () => database.url.replace(/\/[^/]+$/, '/postgres')],
    ['a Redis that is silent', async () => `redis://u:s3cret@127.0.0.1:${await startSilent()}`],
    ['an unreachable Redis', async () => `redis://127.0.0.1:${await freePort()}`],
  ])('never fails open: %s', async (_what, address) => {
    const log = new TestLog();
    const clock = new ManualClock();
    const counters = await whileTimePasses(clock, open(await address(), log, clock));
    expect(await whileTimePasses(clock, admitted([counters], 'alma', 1))).toBe(1);
    // One request waited for it. Later ones do not: the clock stands still.
    expect(await admitted([counters], 'alma', 19)).toBe(2);
    expect(log.of('RATE_STORE_UNAVAILABLE')).toHaveLength(1);
    expect(log.text).not.toMatch(/s3cret|127\.0\.0\.1/);
  });

  it.skipIf(REDIS === undefined).each([
    [
      'a wrong password',
      ['--requirepass', 's3cret'],
      (port: number) => `redis://:wr0ng@127.0.0.1:${port}`,
      'WRONGPASS',
    ],
    ['no password', ['--requirepass', 's3cret'], (port: number) => `redis://127.0.0.1:${port}`, 'NOAUTH'],
    [
      'no such database',
      ['--databases', '2'],
      (port: number) => `redis://127.0.0.1:${port}/2`,
      'NO_DATABASE',
    ],
  ])('names the reason of a Redis that refuses: %s', async (_what, options, address, reason) => {
    const log = new TestLog();
    const port = await freePort();
    cleanup.add(await startRedis(port, options));
    const counters = await open(address(port), log);
    expect(await admitted([counters], 'alma', 5)).toBe(3);
    expect(log.of('RATE_STORE_UNAVAILABLE')).toEqual([{ reason }]);
    expect(log.text).not.toMatch(/s3cret|wr0ng|127\.0\.0\.1/);
  });

  it('names the reason of a PostgreSQL that refuses', async () => {
    const log = new TestLog();
    const address = new URL(postgresUrl);
    address.pathname = '/none';
    await admitted([await open(address.href, log)], 'alma', 1);
    expect(log.of('RATE_STORE_UNAVAILABLE')).toEqual([{ reason: '3D000' }]);
  });

  it.skipIf(REDIS === undefined)(
    'is replaced by this gateway’s own count until it returns',
    async () => {
      const log = new TestLog();
      const clock = ManualClock.running();
      const port = await freePort();
      const stop = await startRedis(port);
      const counters = await open(`redis://127.0.0.1:${port}`, log, clock);
      expect(await admitted([counters], 'alma', 2)).toBe(2);
      await stop();
      expect(await admitted([counters], 'alma', 3)).toBe(1);
      expect(log.of('RATE_STORE_UNAVAILABLE')).toHaveLength(1);
      cleanup.add(await startRedis(port));
      await until(async () => {
        await clock.advance(2_000);
        await counters.consume(slow, 'bo', 1);
        return log.codes().includes('RATE_STORE_AVAILABLE');
      }, 'the store responds');
    },
    30_000,
  );
});

it('reports an invalid address without repeating it', () => {
  expect(() => makeRateCounters('mysql://u:s3cret@db/x', new TestLog())).toThrow(ConfigurationError);
  expect(() => makeRateCounters('mysql://u:s3cret@db/x', new TestLog())).not.toThrow(/s3cret/);
});

it.each(['redis://', 'rediss:///1', 'valkey:///1', 'redis://db/x', 'redis://db/1/2'])(
  'reports an address without a host, or with what is no database: %s',
  (address) => {
    const make = (): RateCounters => makeRateCounters(address, new TestLog());
    expect(make).toThrow(/^limits\.store: must (name a host|end with the number)/);
    expect(make).not.toThrow(/s3cret/);
  },
);
