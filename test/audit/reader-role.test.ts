import { randomUUID } from 'node:crypto';
import { sql } from 'kysely';
import type { Kysely } from 'kysely';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { createPartitions } from '../../audit/partitions.js';
import { appendEvent } from '../../audit/erase.js';
import {
  lookUpSubject,
  PostgresAuditSink,
  pseudonymOf,
  readerUrl,
  searchAudit,
} from '../../audit/postgres.js';
import type { AuditDatabase } from '../../audit/postgres.js';
import { openDatabase } from '../../store/index.js';
import { createRoledDatabase } from '../support/gateway-roles.js';
import type { RoledDatabase } from '../support/gateway-roles.js';
import { record } from './support.js';

let roled: RoledDatabase;
/** As the consent subgraph has it. */
let reader: Kysely<AuditDatabase>;

beforeAll(async () => {
  roled = await createRoledDatabase();
  reader = openDatabase<AuditDatabase>(roled.reader.url);
});
afterAll(async () => {
  await reader.destroy();
  await roled.drop();
});

const WHY = { reason: 'access request 4711', operator: 'dana' };

async function append(subject: string): Promise<string> {
  const sink = new PostgresAuditSink({ databaseUrl: roled.writer.url });
  try {
    const subjectPseudonym = await pseudonymOf(reader, subject);
    const one = record({ caller: { subjectPseudonym, clientId: 'budget-app' } });
    await sink.append(one);
    return one.transactionId;
  } finally {
    await sink.close();
  }
}

const transactionsOf = async (subject: string): Promise<readonly string[]> =>
  (await searchAudit(reader, { subject }, { first: 10 })).records.map((each) => each.record.transactionId);

describe('the reader’s role', () => {
  it('finds a person’s records', async () => {
    const transactionId = await append('alma');
    expect(await transactionsOf(await pseudonymOf(reader, 'alma'))).toEqual([transactionId]);
  });

  it('has a connection string', () => {
    expect(readerUrl('postgres://behalf:x@db.example/behalf', 'p:w', 'r')).toBe(
      'postgres://r:p%3Aw@db.example/behalf',
    );
    expect(readerUrl('postgres://db.example/behalf', 'p')).toBe(
      'postgres://behalf_audit_reader:p@db.example/behalf',
    );
  });

  it.each(['subject-erased', 'records-erased'] as const)('cannot record %s', async (event) => {
    const appended = appendEvent(reader, {
      transactionId: randomUUID(),
      time: Date.now(),
      event,
      caller: {},
    });
    await expect(appended).rejects.toMatchObject({ code: '23514' });
  });

  it('lets records be appended and partitions be created while it reads a day', async () => {
    const newest = await dropNewestPartition();
    const thief = await roled.reader.connect();
    await thief.query('begin');
    const day = new Date(Date.now()).toISOString().slice(0, 10);
    await thief.query(
      `select from audit.record where recorded_at >= '${day} 00:00Z' and recorded_at < '${day} 23:00Z'`,
    );
    await createPartitions(roled.database.db);
    expect(await newestPartition()).toBe(newest);
    await append('alma');
    await thief.query('rollback');
  });

  it('delays the next partition, and no record, while it reads everything', async () => {
    const newest = await dropNewestPartition();
    const thief = await roled.reader.connect();
    await thief.query('begin');
    await thief.query('select count(*) from audit.record');
    await createPartitions(roled.database.db);
    expect(await newestPartition()).not.toBe(newest);
    await append('alma');
    await thief.query('rollback');
    await createPartitions(roled.database.db);
    expect(await newestPartition()).toBe(newest);
  });
});

async function newestPartition(): Promise<string> {
  const { rows } = await sql<{ name: string }>`
    select inhrelid::regclass::text as name from pg_inherits
    where inhparent = 'audit.record'::regclass and inhrelid::regclass::text ~ '[0-9]$' order by 1 desc limit 1`.execute(
    roled.database.db,
  );
  return rows[0]?.name ?? '';
}

async function dropNewestPartition(): Promise<string> {
  const newest = await newestPartition();
  await sql`drop table ${sql.table(newest)}`.execute(roled.database.db);
  return newest;
}

describe('looking for somebody’s records', () => {
  it('is recorded before the pseudonym is known, and is in the person’s history', async () => {
    const transactionId = randomUUID();
    const caller = { clientId: 'bank-console', subjectPseudonym: await pseudonymOf(reader, 'dana') };
    const now = Date.now();
    const pseudonym = await pseudonymOf(reader, 'noor');
    const why = { reason: 'a complaint', caller, transactionId };
    expect(await lookUpSubject(reader, 'noor', why, now)).toBe(pseudonym);
    const { records } = await searchAudit(reader, { subject: pseudonym }, { first: 5 });
    expect(records.map((each) => each.record)).toMatchObject([
      {
        class: 'log',
        ...{ transactionId, time: now, event: 'subject-looked-up', caller },
        reason: 'a complaint',
        subjects: [pseudonym],
      },
    ]);
    expect(JSON.stringify(records)).not.toContain('noor');
    expect(records[0]?.record).not.toHaveProperty('operator');
  });

  it('of a person at a command line names the operator', async () => {
    const pseudonym = await pseudonymOf(reader, 'runa');
    await lookUpSubject(reader, 'runa', WHY, Date.now());
    const { records } = await searchAudit(reader, { subject: pseudonym }, { first: 5 });
    expect(records[0]?.record).toMatchObject({ caller: {}, ...WHY });
  });

  it('of a person whom the log does not know is recorded, and makes them no key', async () => {
    const transactionId = randomUUID();
    expect(await lookUpSubject(reader, 'nobody', { ...WHY, transactionId }, Date.now())).toBeUndefined();
    const { records } = await searchAudit(reader, { transaction: transactionId }, { first: 5 });
    expect(records.map(({ record }) => record)).toMatchObject([{ event: 'subject-looked-up', ...WHY }]);
    expect(records[0]?.record).not.toHaveProperty('subjects');
    const { rows } = await sql`select from audit.subject_key where subject_hash = sha256('nobody')`.execute(
      roled.database.db,
    );
    expect(rows).toEqual([]);
  });

  it('answers nothing if it cannot be recorded', async () => {
    const { db } = roled.database;
    await sql`alter function audit.append(jsonb) rename to gone`.execute(db);
    try {
      await expect(lookUpSubject(reader, 'unrecorded', WHY, Date.now())).rejects.toMatchObject({
        code: '42883',
      });
      const { rows } =
        await sql`select from audit.subject_key where subject_hash = sha256('unrecorded')`.execute(db);
      expect(rows).toEqual([]);
    } finally {
      await sql`alter function audit.gone(jsonb) rename to append`.execute(db);
    }
  });

  it.each(['', 'x'.repeat(1_025), 'a\0b', '\ud800'])(
    'refuses a name that nobody can have: %j',
    async (name) => {
      const refused = { code: 'AUDIT_SEARCH_REFUSED', message: '"subject" cannot be searched for' };
      await expect(lookUpSubject(reader, name, WHY, Date.now())).rejects.toMatchObject(refused);
      await expect(pseudonymOf(reader, name)).rejects.toMatchObject(refused);
    },
  );
});
