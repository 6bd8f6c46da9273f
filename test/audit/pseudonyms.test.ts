import { randomBytes } from 'node:crypto';
import { sql } from 'kysely';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { PseudonymSource, PSEUDONYM_KEPT_MS } from '../../audit/pseudonyms.js';
import { eraseSubject, PostgresAuditSink } from '../../audit/postgres.js';
import { ManualClock } from '../support/manual-clock.js';
import { TestLog } from './log/support.js';

let log: TestLog;
beforeAll(async () => {
  log = await TestLog.create(`audit_names_${randomBytes(6).toString('hex')}`);
});
afterAll(() => log.drop());

const ERASING = { operator: 'tester', reason: 'they asked for it' };

async function ask(...subjects: string[]): Promise<(string | undefined)[]> {
  const sink = new PostgresAuditSink({ databaseUrl: log.writerUrl });
  try {
    const known = await sink.pseudonymsOf(subjects);
    return subjects.map((subject) => known.get(subject));
  } finally {
    await sink.close();
  }
}

describe('the pseudonym of a subject', () => {
  it('stays the same, and is another one for everybody else', async () => {
    const [alma, noor] = await ask('alma', 'noor');
    expect(alma).toMatch(/^[\w-]{43}$/);
    expect(noor).not.toBe(alma);
    expect(await ask('noor', 'alma', 'alma')).toEqual([noor, alma, alma]);
  });

  it.each(['', 'a\0b', 'a\ud800b', '\u{1F980}', "x'); drop table audit.record; --", 'y'.repeat(1_024)])(
    'exists for any name: %j',
    async (name) => {
      const [first] = await ask(name);
      expect(first).toMatch(/^[\w-]{43}$/);
      expect(await ask(name)).toEqual([first]);
    },
  );

  it('is made once for gateways that ask at the same time', async () => {
    const names = Array.from({ length: 50 }, (_, at) => `crowd-${at}`);
    const answers = await Promise.all(
      Array.from({ length: 8 }, (_, at) => ask(...(at % 2 === 0 ? names : [...names].reverse()))),
    );
    const sorted = answers.map((each) => [...each].sort());
    for (const each of sorted) expect(each).toEqual(sorted[0]);
    expect(new Set(sorted[0]).size).toBe(50);
  });

  it('leads nowhere once the key is destroyed', async () => {
    const [before] = await ask('olu');
    const { caller, fields } = { caller: { subjectPseudonym: before ?? '' }, fields: [] };
    const transactionId = crypto.randomUUID();
    await log.sink.append({ transactionId, time: Date.now(), outcome: 'answered', caller, fields });
    await log.sequencer().round();
    expect(await eraseSubject(log.database.db, 'olu', ERASING, Date.now())).toBe(true);
    const [after] = await ask('olu');
    expect(after).not.toBe(before);
    expect(await recordsOf(after)).toEqual([]);
    // The record is still there, under a name that belongs to nobody.
    expect(await recordsOf(before)).toEqual([transactionId]);
    await log.sequencer().round();
    expect((await log.verify()).findings).toEqual([]);
  });

  it('is erased on record, without the name', async () => {
    await ask('vera');
    await eraseSubject(log.database.db, 'vera', ERASING, Date.now());
    const { rows } = await sql<{ content: string }>`
      select content from audit.record where event = 'subject-erased' order by seq desc limit 1`.execute(
      log.database.db,
    );
    expect(JSON.parse(rows[0]?.content ?? '')).toMatchObject({ class: 'log', ...ERASING });
    expect(rows[0]?.content).not.toContain('vera');
    const { rows: tables } = await sql<{ found: boolean }>`
      select exists (select from audit.subject_key where subject_hash = sha256('vera')) as found`.execute(
      log.database.db,
    );
    expect(tables).toEqual([{ found: false }]);
  });

  it('of a stranger cannot be erased, and nothing is recorded', async () => {
    const count = async (): Promise<unknown> =>
      (await sql`select count(*) from audit.record where event = 'subject-erased'`.execute(log.database.db))
        .rows;
    const before = await count();
    expect(await eraseSubject(log.database.db, 'nobody', ERASING, Date.now())).toBe(false);
    expect(await count()).toEqual(before);
  });

  it('is all that a gateway learns', async () => {
    const role = new URL(log.writerUrl).username;
    const may = async (privilege: string, table: string): Promise<unknown> =>
      (await sql`select has_table_privilege(${role}, ${table}, ${privilege}) as may`.execute(log.database.db))
        .rows;
    for (const privilege of ['select', 'insert', 'update', 'delete']) {
      expect(await may(privilege, 'audit.subject_key')).toEqual([{ may: false }]);
      expect(await may(privilege, 'audit.record_subject')).toEqual([{ may: false }]);
    }
  });

  it('is not told for more names than are asked for together', async () => {
    const call = sql`select count(*) from audit.pseudonyms(array_fill('x'::text, array[1001]))`;
    await expect(call.execute(log.database.db)).rejects.toThrow('at most 1000');
  });
});

describe('what a gateway keeps', () => {
  it('is asked for again after a minute, so an erased person gets another name', async () => {
    const clock = new ManualClock();
    let generation = 0;
    const asked: (readonly string[])[] = [];
    const source = new PseudonymSource({
      clock,
      maxWaitMs: 0,
      ask: async (subjects) => {
        asked.push(subjects);
        return new Map(subjects.map((subject) => [subject, `${subject}-${generation}`]));
      },
    });
    await Promise.all([source.of(['a', 'b']), source.of(['a'])]);
    expect(asked).toEqual([['a', 'b']]);
    generation = 1;
    await clock.advance(PSEUDONYM_KEPT_MS - 1);
    expect(await source.of(['a'])).toEqual(new Map([['a', 'a-0']]));
    await clock.advance(2);
    expect(await source.of(['a'])).toEqual(new Map([['a', 'a-1']]));
    await source.close();
  });

  it('is nothing that the database did not say', async () => {
    const source = new PseudonymSource({
      clock: new ManualClock(),
      maxWaitMs: 0,
      ask: async () => new Map(),
    });
    await expect(source.of(['a'])).rejects.toMatchObject({ code: 'AUDIT_WRITE_FAILED' });
    expect(await source.of([])).toEqual(new Map());
    await source.close();
  });
});

async function recordsOf(pseudonym: string | undefined): Promise<string[]> {
  const { rows } = await sql<{ id: string }>`
    select transaction_id as id from audit.record_subject join audit.record using (recorded_at, seq)
    where pseudonym = ${pseudonym}`.execute(log.database.db);
  return rows.map(({ id }) => id);
}
