import { randomBytes } from 'node:crypto';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { sql } from 'kysely';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { FolderSource, verifyLog } from '@behalf/audit-verify';
import { appendEvent, consoleEvent, eraseRecords } from '../../../audit/erase.js';
import { DatabaseSource, exportLog, newestCheckpoint, verifierKey } from '../../../audit/log/index.js';
import { signNote } from '../../../audit/log/note.js';
import { makeLogKey, ORIGIN, TestLog } from './support.js';

const DAY_MS = 86_400_000;
const ERASING = { operator: 'tester', reason: 'kept for 400 days' };

let log: TestLog;
beforeEach(async () => {
  log = await TestLog.create(`audit_erase_${randomBytes(6).toString('hex')}`);
});
afterEach(() => log.drop());

const now = (): number => Date.now();

/** Appends records as if so many days ago, and integrates them. */
async function appendDaysAgo(
  days: number,
  records: readonly Readonly<Record<string, unknown>>[],
): Promise<void> {
  for (const given of records) {
    const transactionId = crypto.randomUUID();
    const time = now() - days * DAY_MS;
    const outcome = given.event === undefined ? 'answered' : undefined;
    const about = { caller: { subjectPseudonym: `p${days}` }, fields: [] };
    const record = { class: 'access', transactionId, time, outcome, ...about, ...given };
    await sql`
      with made as (select nextval('audit.record_seq') as seq, ${JSON.stringify(record)}::text as text,
        date_trunc('milliseconds', to_timestamp(${time / 1_000})) as present),
      stored as (
        insert into audit.record (recorded_at, seq, class, content, occurred_at, transaction_id, outcome, event,
          subject_pseudonym, coordinates)
        select present, seq, ${record.class}, text, present, ${transactionId}::uuid, ${outcome ?? null},
          ${given.event ?? null}, ${`p${days}`}, '{}' from made
      ), found as (
        insert into audit.record_subject select ${`p${days}`}, present, seq from made
      )
      insert into audit.pending select seq, present, ${record.class}, sha256(convert_to(text, 'UTF8')) from made`.execute(
      log.database.db,
    );
  }
  await log.sequencer().round();
}

const accesses = (count: number): readonly Readonly<Record<string, unknown>>[] =>
  Array.from({ length: count }, () => ({}));

async function counts(): Promise<unknown> {
  const { rows } = await sql`
    select (select count(*)::int from audit.record where class = 'access') as records,
      (select count(*)::int from audit.record_subject) as subjects,
      (select count(*)::int from audit.leaf where class = 'access') as leaves`.execute(log.database.db);
  return rows[0];
}

const before = (days: number): Date => new Date(now() - days * DAY_MS);

describe('old records', () => {
  it('lose their texts, and the log still verifies', async () => {
    await appendDaysAgo(500, accesses(3));
    await appendDaysAgo(10, accesses(2));
    expect(await eraseRecords(log.database.db, 'access', before(400), ERASING, now())).toBe(3);
    await log.sequencer().round();
    expect(await counts()).toEqual({ records: 2, subjects: 2, leaves: 5 });
    const report = await log.verify();
    expect(report.findings).toEqual([]);
    expect(report).toMatchObject({ erased: 3, records: 3 });
    expect(report.erasures).toMatchObject([{ index: 5, recordClass: 'access' }]);
  });

  it('are erased in an export as well', async () => {
    const folder = await mkdtemp(join(tmpdir(), 'behalf-erased-'));
    try {
      await appendDaysAgo(500, accesses(300));
      await eraseRecords(log.database.db, 'access', before(400), ERASING, now());
      await log.sequencer().round();
      const checkpoint = await newestCheckpoint(log.database.db);
      if (checkpoint === undefined) throw new Error('no checkpoint');
      await exportLog(new DatabaseSource(log.database.db), checkpoint, folder);
      const report = await verifyLog(new FolderSource(folder), log.policy);
      expect(report.findings).toEqual([]);
      expect(report.erased).toBe(300);
    } finally {
      await rm(folder, { recursive: true });
    }
  });

  it('may lie between others in any number', async () => {
    await appendDaysAgo(
      500,
      accesses(120).map((_, at) => (at % 2 === 0 ? {} : { class: 'security' })),
    );
    expect(await eraseRecords(log.database.db, 'access', before(400), ERASING, now())).toBe(60);
    await log.sequencer().round();
    const report = await log.verify([], 50);
    expect(report).toMatchObject({ findings: [], erased: 60, records: 61 });
  });

  it('of class log stay when verification needs them', async () => {
    const { db } = log.database;
    const next = makeLogKey();
    const statement = signNote(`behalf-log-key/v1\n${ORIGIN}\n${verifierKey(next)}\n`, [log.key]);
    const details = { class: 'access', before: before(550).getTime() };
    await appendDaysAgo(600, accesses(2));
    await log.run('delete from audit.record; delete from audit.record_subject');
    await appendDaysAgo(500, [
      { class: 'log', event: 'records-erased', details },
      { class: 'log', event: 'log-key-added', details: {}, statement },
      { class: 'log', event: 'records-lost', details: { count: 1 } },
    ]);
    await log.sequencer({ keys: [log.key, next] }).round();
    expect(await eraseRecords(db, 'log', before(400), ERASING, now())).toBe(1);
    await log.sequencer({ keys: [next] }).round();
    expect(await log.verify()).toMatchObject({ findings: [], erased: 3, successors: [{}] });
  });

  it('of other classes, and younger ones, stay', async () => {
    await appendDaysAgo(500, accesses(2));
    expect(await eraseRecords(log.database.db, 'consent', before(400), ERASING, now())).toBe(0);
    expect(await eraseRecords(log.database.db, 'access', before(501), ERASING, now())).toBe(0);
    expect(await counts()).toMatchObject({ records: 2 });
  });

  it('of the last two days cannot be erased', async () => {
    await expect(eraseRecords(log.database.db, 'access', before(1), ERASING, now())).rejects.toMatchObject({
      code: 'AUDIT_TOO_YOUNG',
    });
  });

  it.each([new Date(NaN), new Date(-1)])('before %s are none: no verifier accepts that', async (time) => {
    await expect(eraseRecords(log.database.db, 'access', time, ERASING, now())).rejects.toMatchObject({
      code: 'AUDIT_TIME_INVALID',
    });
    expect(await counts()).toMatchObject({ records: 0 });
  });

  it('take their day’s partition with them', async () => {
    const day = before(500).toISOString().slice(0, 10);
    const table = `audit.record_${day.replaceAll('-', '')}`;
    const next = before(499).toISOString().slice(0, 10);
    await sql`create table ${sql.table(table)} partition of audit.record
      for values from (${sql.lit(`${day} 00:00:00+00`)}) to (${sql.lit(`${next} 00:00:00+00`)})`.execute(
      log.database.db,
    );
    await appendDaysAgo(500, accesses(2));
    await eraseRecords(log.database.db, 'access', before(400), ERASING, now());
    const { rows } = await sql`select to_regclass(${table}) as found`.execute(log.database.db);
    expect(rows).toEqual([{ found: null }]);
  });
});

describe('what is missing is found', () => {
  it('when no record says that it was erased', async () => {
    await appendDaysAgo(500, accesses(3));
    await log.run("delete from audit.record where class = 'access'");
    expect((await log.verify()).findings).toMatchObject([
      { code: 'MISSING', message: 'record 0 to 2: missing' },
    ]);
  });

  it('when it is younger than what was erased, or of another class', async () => {
    await appendDaysAgo(500, accesses(2));
    await appendDaysAgo(300, accesses(2));
    await eraseRecords(log.database.db, 'access', before(400), ERASING, now());
    await eraseRecords(log.database.db, 'consent', before(100), ERASING, now());
    await log.sequencer().round();
    await log.run("delete from audit.record where class = 'access'");
    expect((await log.verify()).findings).toMatchObject([
      { code: 'MISSING', message: 'record 2 to 3: missing' },
    ]);
  });

  it('when the record that says so is missing itself', async () => {
    await appendDaysAgo(500, accesses(2));
    await eraseRecords(log.database.db, 'access', before(400), ERASING, now());
    await log.sequencer().round();
    await log.run("delete from audit.record where class = 'log'");
    expect((await log.verify()).findings).toMatchObject([{ message: 'record 0 to 2: missing' }]);
  });

  it('when the record that says so was not logged', async () => {
    await appendDaysAgo(500, accesses(2));
    await log.append(1);
    await log.run(
      "delete from audit.record where class = 'access' and recorded_at < now() - interval '1 day'",
    );
    await log.run(
      `update audit.record set content = '{"event":"records-erased","details":{"class":"access","before":${now()}}}'`,
    );
    expect((await log.verify()).findings).toMatchObject([
      { code: 'MISSING', message: 'record 0 to 1: missing' },
      { code: 'CHANGED', message: 'record 2: not what was logged' },
    ]);
  });

  it.each([
    ['the future', 1],
    ['the last two days, of which none can be erased', -1.9],
  ])('when the record that says so speaks of %s', async (_when, days) => {
    await appendDaysAgo(500, accesses(2));
    const details = { class: 'access', before: now() + days * DAY_MS };
    await appendEvent(log.database.db, consoleEvent('records-erased', ERASING, { details }, now()));
    await log.sequencer().round();
    await log.run("delete from audit.record where class = 'access'");
    expect((await log.verify()).findings.map(({ code }) => code)).toEqual(['MISSING', 'MALFORMED']);
  });

  it('when a gateway pretends to be the log', async () => {
    await appendDaysAgo(500, accesses(2));
    const details = { class: 'access', before: now() - DAY_MS };
    const event = { ...consoleEvent('records-erased', ERASING, { details }, now()), class: 'access' };
    await sql`select from audit.append(${JSON.stringify([JSON.stringify(event)])}::jsonb)`.execute(
      log.database.db,
    );
    await log.sequencer().round();
    await log.run("delete from audit.record where class = 'access' and event is null");
    expect((await log.verify()).findings).toMatchObject([{ message: 'record 0 to 1: missing' }]);
  });
});
