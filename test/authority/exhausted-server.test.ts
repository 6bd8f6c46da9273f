import { randomUUID } from 'node:crypto';
import { chmod, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { type Kysely, sql } from 'kysely';
import type { Client } from 'pg';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';

import { createWriterRole, migrateAudit } from '../../audit/postgres.js';
import {
  type AuthoritySchema,
  ConsentRegister,
  migrateAuthority,
  SuspensionRegister,
} from '../../authority/internal.js';
import { StreamRegister } from '../../authority/ssf/streams.js';
import {
  createReplayRole,
  type DatabaseServer,
  migrateReplay,
  openDatabase,
  openDatabaseServer,
} from '../../store/index.js';
import { thief, type Thief } from '../support/gateway-roles.js';

const BY = { by: 'iris', initiator: 'admin', reason: 'a test' } as const;

// A server of its own, because exhausting a shared one would break every other test.
let dataDir: string;
let server: DatabaseServer;
let db: Kysely<AuthoritySchema>;
let roles: Readonly<Record<'writer' | 'replay', Thief>>;
const clients: Client[] = [];

beforeAll(async () => {
  dataDir = await mkdtemp(join(tmpdir(), 'behalf-exhausted-'));
  await chmod(dataDir, 0o711);
  const options = { dataDir, unsafeNoDurability: true };
  const first = await openDatabaseServer(options);
  const administrator = openDatabase<unknown>(first.url, { max: 1 });
  // PostgreSQL's minimum; filling its defaults would only take longer.
  await sql`alter system set max_locks_per_transaction = 10`.execute(administrator);
  await sql`alter system set max_notify_queue_pages = 64`.execute(administrator);
  await administrator.destroy();
  await first.stop();
  server = await openDatabaseServer(options);
  db = openDatabase<AuthoritySchema>(server.url, { max: 4 });
  await migrateAuthority(db);
  await migrateAudit(db);
  await migrateReplay(db);
  await createWriterRole(db, 'password', 'writer');
  await createReplayRole(db, 'password', 'replay');
  roles = {
    writer: thief(server.url, 'writer', 'password', clients),
    replay: thief(server.url, 'replay', 'password', clients),
  };
}, 60_000);
afterAll(async () => {
  await Promise.all(clients.map((client) => client.end().catch(() => undefined)));
  await db.destroy();
  await server.stop();
  await rm(dataDir, { recursive: true, force: true });
});

async function stopEverything(): Promise<void> {
  const suspensions = new SuspensionRegister(db);
  const { suspension } = await suspensions.suspend({ kind: 'everything' }, BY);
  expect(suspension).toBeDefined();
  expect((await suspensions.resume({ kind: 'everything' }, BY)).outcome).toBe('done');
  const { outcome } = await new ConsentRegister(db).revokeToken(randomUUID(), BY);
  expect(outcome).toBe('done');
}

const RECORD = JSON.stringify([
  JSON.stringify({
    class: 'access',
    transactionId: randomUUID(),
    time: 0,
    outcome: 'answered',
    fields: [],
  }),
]);

describe('a gateway role that exhausts the server', () => {
  const FILL = {
    'advisory locks': 'savepoint s; select pg_advisory_xact_lock(n) from generate_series(@, @ + 500) n;',
    'subtransactions that append records': `savepoint s; select audit.append('${RECORD}');`,
  } as const;

  it.each(Object.entries(FILL))(
    'with %s makes a stop fail visibly for a moment, never silently',
    async (_how, statement) => {
      const session = await roles.writer.connect();
      await session.query('begin');
      expect(await fill(session, statement)).toBe('53200');
      // The server ends sessions of such roles if it has resources for that; otherwise the caller learns immediately.
      const stopped = await stopEverything().then(
        () => 'done',
        (error: unknown) => (error as { code?: unknown }).code,
      );
      expect(['done', 'STORE_BUSY']).toContain(stopped);
      await session.end().catch(() => undefined);
      await stopEverything();
    },
  );

  it('is ended if it holds advisory locks without a transaction', async () => {
    const session = await roles.writer.connect();
    let refused: unknown;
    for (let key = 0; refused === undefined && key < 1_000_000; key += 20) {
      refused = await codeOf(
        session.query(`select pg_advisory_lock(n) from generate_series(${key}, ${key + 19}) n`),
      );
    }
    expect(refused).toBe('53200');
    // Too little for a stop.
    await session.query('select pg_advisory_unlock(n) from generate_series(0, 3) n');
    await stopEverything();
    await expect(session.query('select 1')).rejects.toThrow();
  });

  it('cannot block stops or polls by filling the notification queue', async () => {
    const streams = new StreamRegister(db);
    const wishes = { description: null, maxStalenessMs: 1_000, eventsRequested: [], push: undefined };
    const { id = '' } = (await streams.create('gateways', wishes)) ?? {};
    for (const work of [stopEverything, () => streams.acknowledge({ id }, [randomUUID()])]) {
      await floodNotifications();
      await work();
    }
  });
});

/** Fills the queue, which a listener in an open transaction keeps from being emptied. */
async function floodNotifications(): Promise<void> {
  const listener = await roles.writer.connect();
  for (const statement of ['listen x', 'begin', 'select 1']) await listener.query(statement);
  const session = await roles.replay.connect();
  let refused: unknown;
  for (let round = 0; refused === undefined && round < 1_000; round++) {
    refused = await codeOf(
      session.query("select pg_notify('x', n || repeat('x', 7000)) from generate_series(1, 20) n"),
    );
  }
  expect(refused).toBe('54000');
}

/**
 * Repeats it in one transaction until the server refuses.
 * @returns the server's error code
 */
async function fill(session: Client, statement: string): Promise<unknown> {
  for (let round = 0; round < 40; round++) {
    const many = Array.from({ length: 200 }, (_each, index) =>
      statement.replaceAll('@', String((round * 200 + index) * 1000)),
    ).join('');
    const refused = await codeOf(session.query(many));
    if (refused !== undefined) return refused;
  }
  return undefined;
}

async function codeOf(query: Promise<unknown>): Promise<unknown> {
  return query.then(
    () => undefined,
    (error: unknown) => (error as { code?: unknown }).code,
  );
}
