import { randomBytes } from 'node:crypto';
import { sql } from 'kysely';
import pg from 'pg';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { createWriterRole, PostgresAuditSink, readAudit, writerUrl } from '../../audit/postgres.js';
import type { AuditDatabase } from '../../audit/postgres.js';
import { createAuditDatabase } from '../support/audit-database.js';
import type { TestDatabase } from '../support/database.js';
import { record } from './support.js';

// Roles are the server's, not the database's.
const role = `audit_writer_${randomBytes(6).toString('hex')}`;
const password = `p'"\\ ${randomBytes(6).toString('hex')}`;
let database: TestDatabase<AuditDatabase>;
let url: string;

beforeAll(async () => {
  database = await createAuditDatabase();
  await createWriterRole(database.db, password, role);
  url = writerUrl(database.url, password, role);
  await sql`create table public.person (name text)`.execute(database.db);
});
afterAll(async () => {
  await sql`drop owned by ${sql.id(role)}`.execute(database.db);
  await sql`drop role ${sql.id(role)}`.execute(database.db);
  await database.drop();
});

async function withSink<Result>(work: (sink: PostgresAuditSink) => Promise<Result>): Promise<Result> {
  const sink = new PostgresAuditSink({ databaseUrl: url });
  try {
    return await work(sink);
  } finally {
    await sink.close();
  }
}

const stored = (transactionId: string) => readAudit(database.db, { transactionId, limit: 10 });

describe('the writer’s role', () => {
  it.each([
    'select * from audit.record',
    'select count(*) from audit.record',
    "update audit.record set outcome = 'failed'",
    'delete from audit.record',
    'truncate audit.record',
    'drop table audit.record',
    'alter table audit.record add column x int',
    'create table audit.mine (x int)',
    'create table public.mine (x int)',
    'select * from public.person',
    "insert into public.person values ('x')",
    'set role pg_read_all_data',
    'create role other',
    'copy audit.record to stdout',
    "insert into audit.record (seq, recorded_at, class, content, occurred_at, transaction_id, outcome, coordinates) values (1, now(), 'access', '{}', now(), gen_random_uuid(), 'answered', '{}')",
    "insert into audit.pending (seq, recorded_at, class, content_hash) values (1, now(), 'access', sha256(''))",
    "insert into audit.leaf (log_index, seq, recorded_at, class, content_hash) values (0, 1, now(), 'access', sha256(''))",
    'update audit.head set size = 0',
    'delete from audit.tile',
    'select * from audit.checkpoint',
    "insert into audit.sequencer (holder, until) values ('mine', now() + interval '1 year')",
    "select nextval('audit.record_seq')",
    'select audit.is_whole(0)',
  ])('may not: %s', async (statement) => {
    const client = new pg.Client({ connectionString: url });
    await client.connect();
    try {
      await expect(client.query(statement)).rejects.toMatchObject({ code: '42501' });
    } finally {
      await client.end();
    }
  });

  it('may append; re-creating it replaces the password', async () => {
    const own = record();
    await withSink((sink) => sink.append(own));
    expect(await stored(own.transactionId)).toHaveLength(1);
    await Promise.all(['a', 'b', 'c'].map((next) => createWriterRole(database.db, next, role)));
    await createWriterRole(database.db, password, role);
    await withSink((sink) => sink.append(record()));
  });
});

describe('PostgresAuditSink', () => {
  it('keeps every part of a record', async () => {
    const full = record({
      traceId: '4bf92f3577b34da6a3ce929d0e0e4736',
      time: Date.now() - 2_000,
      outcome: 'refused',
      reason: 'INTROSPECTION_DISABLED',
      caller: {
        subjectPseudonym: 'pseudonym',
        clientId: 'budget-app',
        actor: 'robot',
        consentId: 'consent',
        consentVersion: 3,
        purposes: ['a', 'b,"c"'],
      },
      operationName: 'Named',
      operationHash: 'f'.repeat(64),
      source: '203.0.113.0/24',
      fields: [
        {
          coordinate: 'Person.name',
          decision: 'denied',
          count: 2,
          rule: '@requiresScope(name)',
          subgraph: 'people',
        },
      ],
    });
    await withSink((sink) => sink.append(full));
    expect(await stored(full.transactionId)).toMatchObject([
      { record: full, occurredAt: new Date(full.time), isClockOff: false },
    ]);
  });

  it('keeps the order of concurrent records over several writes', async () => {
    const [before] = await readAudit(database.db, { limit: 1 });
    const records = Array.from({ length: 1_200 }, (_each, index) => record({ operationName: `N${index}` }));
    const sink = new PostgresAuditSink({ databaseUrl: url });
    const all = records.map((each) => sink.append(each));
    await sink.close();
    await Promise.all(all);
    const rows = await readAudit(database.db, {
      after: before ?? { recordedAt: new Date(0), seq: 0 },
      limit: 2_000,
    });
    expect(rows.map(({ record: each }) => each.operationName)).toEqual(
      records.map(({ operationName }) => operationName),
    );
    const newest = await readAudit(database.db, { limit: 2 });
    expect(newest.map(({ record: each }) => each.operationName)).toEqual(['N1198', 'N1199']);
  });

  it('text that PostgreSQL cannot hold does not lose other records', async () => {
    const bad = record({ caller: { clientId: 'a\u0000b\ud800c' } });
    const good = record();
    await withSink((sink) => Promise.all([sink.append(bad), sink.append(good)]));
    expect(await stored(good.transactionId)).toHaveLength(1);
    expect(await stored(bad.transactionId)).toMatchObject([
      { record: { caller: { clientId: 'a\ufffdb\ufffdc' } } },
    ]);
  });

  it('a record that the table cannot hold is lost alone and immediately', async () => {
    const bad = record({ transactionId: 'no-uuid' });
    const good = Array.from({ length: 9 }, () => record());
    await withSink(async (sink) => {
      const appended = good.slice(0, 4).map((each) => sink.append(each));
      const refused = sink.append(bad);
      appended.push(...good.slice(4).map((each) => sink.append(each)));
      await expect(refused).rejects.toMatchObject({ code: 'AUDIT_RECORD_REFUSED' });
      await Promise.all(appended);
      expect(sink.lost).toBe(1);
    });
    for (const { transactionId } of good) expect(await stored(transactionId)).toHaveLength(1);
  });

  it('retries over a new connection when its own was cut', async () => {
    await withSink(async (sink) => {
      await sink.append(record());
      await sql`select pg_terminate_backend(pid) from pg_stat_activity
        where usename = ${role} and datname = current_database()`.execute(database.db);
      const own = record();
      await sink.append(own);
      expect(await stored(own.transactionId)).toHaveLength(1);
      expect(sink.lost).toBe(0);
    });
  });

  it('counts records lost while the database is gone', async () => {
    const gone = new URL(url);
    gone.port = '1';
    const sink = new PostgresAuditSink({ databaseUrl: gone.href, maxQueue: 1 });
    const refusals = await Promise.allSettled([1, 2, 3].map(() => sink.append(record())));
    const codes = refusals.map((each) => (each.status === 'rejected' ? (each.reason as Error).message : ''));
    // Whether the second still waits depends on whether the first is under way.
    expect(codes[0]).toBe('AUDIT_WRITE_FAILED');
    expect(['AUDIT_WRITE_FAILED', 'AUDIT_QUEUE_FULL']).toContain(codes[1]);
    expect(codes[2]).toBe('AUDIT_QUEUE_FULL');
    expect(sink.lost).toBe(3);
    await sink.close();
  });
});
