import { randomBytes } from 'node:crypto';
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { sql } from 'kysely';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { FolderSource, verifyLog, verifyProof } from '@behalf/audit-verify';
import { parseCheckpoint } from '@behalf/audit-verify/internal';
import {
  DatabaseSource,
  exportLog,
  LastSigned,
  loadLogKey,
  newestCheckpoint,
  proveRecord,
} from '../../../audit/log/index.js';
import { PostgresAuditSink } from '../../../audit/postgres.js';
import { ManualClock } from '../../support/manual-clock.js';
import { until } from '../../support/wait.js';
import { record } from '../support.js';
import { checkpointText, signNote } from '../../../audit/log/note.js';
import { makeLogKey, ORIGIN, TestLog } from './support.js';

let log: TestLog;
let folder: string;
beforeEach(async () => {
  // Roles are the server's, not the database's.
  log = await TestLog.create(`log_${randomBytes(6).toString('hex')}`);
});
afterEach(() => log.drop());
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'behalf-log-'));
});
afterAll(() => rm(folder, { recursive: true, force: true }));

async function headOf(): Promise<{ size: number; note: string }> {
  const head = await newestCheckpoint(log.database.db);
  if (head === undefined) throw new Error('nothing was signed');
  return head;
}

async function proofOf(transactionId: string): Promise<string> {
  const result = await proveRecord(log.database.db, transactionId);
  if (!('proof' in result)) throw new Error(result.missing);
  return result.proof;
}

describe('a log', () => {
  it('of nothing is signed and verified', async () => {
    await log.sequencer().round();
    expect(parseCheckpoint((await headOf()).note)).toMatchObject({ origin: ORIGIN, size: 0 });
    expect(await log.verify()).toMatchObject({ findings: [], records: 0 });
  });

  it('grows over tiles, and begins with every checkpoint before', { timeout: 240_000 }, async () => {
    const seen: string[] = [];
    let size = 0;
    for (const count of [1, 2, 253, 1, 300, 1_000]) {
      await log.append(count);
      size += count;
      seen.push((await headOf()).note);
      expect((await headOf()).size).toBe(size);
    }
    expect(await log.verify(seen)).toMatchObject({ findings: [], records: size, checkpoint: { size } });
  });

  it('proves every record by the receipt that its writer got', async () => {
    for (const { transactionId, receipt } of await log.append(20)) {
      const proof = await proofOf(transactionId);
      expect(verifyProof(proof, log.policy)).toMatchObject({ record: { transactionId }, receipt });
    }
  });

  it('has no proof of what is not integrated, and of what it never had', async () => {
    await log.append(1);
    const own = record();
    await log.sink.append(own);
    expect(await proveRecord(log.database.db, own.transactionId)).toEqual({ missing: 'pending' });
    expect(await proveRecord(log.database.db, crypto.randomUUID())).toEqual({ missing: 'unknown' });
    await log.sequencer().round();
    expect(verifyProof(await proofOf(own.transactionId), log.policy).record).toMatchObject(own);
  });

  it('is exported, and added to', async () => {
    const target = join(folder, 'export');
    const source = new DatabaseSource(log.database.db);
    await log.append(300);
    await exportLog(source, await headOf(), target);
    await log.append(700);
    await exportLog(source, await headOf(), target);
    const report = await verifyLog(new FolderSource(target), log.policy);
    expect(report).toMatchObject({ findings: [], records: 1_000 });
    // The checkpoint, two parts each of hashes, entries, records and the level above; three wholes of each of three.
    expect(await exportLog(source, await headOf(), target)).toBe(1);
  });

  it('continues when records arrive while it is integrated', async () => {
    const sequencer = log.sequencer({ intervalMs: 5 });
    sequencer.start();
    const all = await Promise.all(Array.from({ length: 1_000 }, () => log.sink.append(record())));
    await until(async () => (await headOf().catch(() => undefined))?.size === 1_000, 'all are signed');
    expect(new Set(all).size).toBe(1_000);
    expect(await log.verify()).toMatchObject({ findings: [], records: 1_000 });
  });
});

it('keeps one checkpoint for each hour that is over for a day', async () => {
  for (let round = 0; round < 6; round++) await log.append(1);
  await log.run(`update audit.checkpoint set signed_at = date_trunc('hour', now()) - interval '3 days' + size * interval '20 minutes',
    is_witnessed = (size = 4)`);
  await log.sequencer().round();
  const sizes = await log.database.db.selectFrom('audit.checkpoint').select('size').orderBy('size').execute();
  // Sizes 1 and 2 are of the first hour, 3 to 5 of the second, 6 of the third.
  expect(sizes.map(({ size }) => size)).toEqual([2, 4, 6]);
});

describe('several sequencers', () => {
  it('give each record one place, even without the lease', async () => {
    const records = Array.from({ length: 400 }, () => record());
    const sequencers = Array.from({ length: 4 }, () => log.sequencer());
    const appending = Promise.all(records.map((each) => log.sink.append(each)));
    for (let round = 0; round < 10; round++) await Promise.all(sequencers.map((each) => each.round()));
    await appending;
    await Promise.all(sequencers.map((each) => each.round()));
    expect(await log.verify()).toMatchObject({ findings: [], records: 400, checkpoint: { size: 400 } });
  });

  it('takes over a lease that no sequencer can have taken', async () => {
    await log.run(`insert into audit.sequencer values (true, 'ghost', 'infinity')`);
    expect(await log.sequencer().round()).toBe(true);
  });

  it('wait while another one has the lease, and take over when it ends', async () => {
    const [first, second] = [log.sequencer({ leaseMs: 60_000 }), log.sequencer()];
    expect(await first.round()).toBe(true);
    expect(await second.round()).toBe(false);
    await first.close();
    expect(await second.round()).toBe(true);
  });

  it('take over from one that fails in every round', async () => {
    const failing = log.sequencer({
      lastSigned: [await LastSigned.open('/none/last-signed')],
      leaseMs: 60_000,
    });
    failing.start();
    await until(() => failing.fault === 'LOG_STATE_UNWRITABLE', 'it fails');
    await log.sink.append(record());
    log.sequencer({ leaseMs: 60_000, intervalMs: 5 }).start();
    await until(async () => (await headOf().catch(() => undefined))?.size === 1, 'the other one signs');
  });

  it('take over within seconds from one that died', async () => {
    await log.sequencer({ leaseMs: 300 }).round();
    const next = log.sequencer();
    await until(() => next.round(), 'the lease has ended');
  });
});

describe('a sequencer signs nothing', () => {
  /** Appends, tampers, and tries to continue. @returns the code of the fault */
  async function afterwards(statement: string): Promise<string> {
    await log.append(300);
    const before = (await headOf()).note;
    await log.run(statement);
    await log.sink.append(record()).catch(() => undefined);
    const fault = await log
      .sequencer()
      .round()
      .then(() => 'none')
      .catch((error: unknown) => (error as { code: string }).code);
    expect((await headOf().catch(() => ({ note: before }))).note).toBe(before);
    return fault;
  }

  it.each([
    ['a tile was edited', "update audit.tile set hashes = sha256('') || substr(hashes, 33) where index = 1"],
    ['a tile was deleted', 'delete from audit.tile where level = 1'],
    ['the head was set back', 'update audit.head set size = 299'],
    ['the head was set forward', 'update audit.head set size = 301'],
    ['the head is gone', 'delete from audit.head'],
  ])('when %s', async (_what, statement) => {
    expect(await afterwards(statement)).toBe('LOG_DAMAGED');
  });

  it('for a log of another name', async () => {
    await log.append(1);
    const other = log.sequencer({ keys: [makeLogKey('other.example')] });
    await expect(other.round()).rejects.toMatchObject({ code: 'LOG_ORIGIN_CHANGED' });
  });

  it('when the whole log was emptied', async () => {
    expect(
      await afterwards(
        "truncate audit.record, audit.pending, audit.leaf, audit.tile; update audit.head set size = 0, root = sha256('')",
      ),
    ).toBe('LOG_ROLLED_BACK');
  });

  it('that is older than what it signed on this machine, in a database restored from a backup', async () => {
    const path = join(folder, 'last-signed');
    const keyFile = join(folder, 'log-key.pem');
    const key = await loadLogKey(keyFile, ORIGIN);
    const options = { keys: [key] as const };
    await log.sink.append(record());
    await log.sequencer({ ...options, lastSigned: [await LastSigned.open(path)] }).round();
    await log.run('truncate audit.record, audit.pending, audit.leaf, audit.tile, audit.checkpoint');
    await log.run("update audit.head set size = 0, root = sha256('')");
    const restarted = { ...options, keys: [await loadLogKey(keyFile, ORIGIN)] as const };
    const again = log.sequencer({ ...restarted, lastSigned: [await LastSigned.open(path)] });
    await expect(again.round()).rejects.toMatchObject({ code: 'LOG_ROLLED_BACK' });
    // As many records as before, but others.
    await log.run(
      `select audit.append(jsonb_build_array('${JSON.stringify({ ...record(), class: 'access' })}'))`,
    );
    await expect(again.round()).rejects.toMatchObject({ code: 'LOG_ROLLED_BACK' });
    expect(log.faults).toEqual([]);
  });

  it('while it cannot note what it signs: a restored database would get a second head of one size', async () => {
    const path = join(folder, 'not-there', 'last-signed');
    await log.sink.append(record());
    const sequencer = log.sequencer({ lastSigned: [await LastSigned.open(path)] });
    await expect(sequencer.round()).rejects.toMatchObject({ code: 'LOG_STATE_UNWRITABLE' });
    expect(await newestCheckpoint(log.database.db)).toBeUndefined();
    const { rows } = await sql`select from audit.checkpoint`.execute(log.database.db);
    expect(rows).toEqual([]);
    await mkdir(dirname(path));
    await sequencer.round();
    expect((await headOf()).size).toBe(1);
  });

  it('less than another sequencer with the same key noted', async () => {
    const path = join(folder, 'shared', 'last-signed');
    await mkdir(dirname(path));
    const [slow, fast] = [await LastSigned.open(path), await LastSigned.open(path)];
    const headAt = (size: number) => ({ origin: ORIGIN, size, root: Buffer.alloc(32, size) });
    await fast.remember(headAt(9));
    await expect(slow.remember(headAt(7))).rejects.toMatchObject({ code: 'LOG_ROLLED_BACK' });
    const later = await LastSigned.open(path);
    await expect(later.refuseOlder(headAt(8))).rejects.toMatchObject({ code: 'LOG_ROLLED_BACK' });
    await later.refuseOlder(headAt(9));
    // Each reads what the other noted.
    await expect(slow.refuseOlder(headAt(8))).rejects.toMatchObject({ code: 'LOG_ROLLED_BACK' });
    const other = { ...headAt(9), root: Buffer.alloc(32) };
    await expect(slow.remember(other)).rejects.toMatchObject({ code: 'LOG_ROLLED_BACK' });
  });

  it('with a key file or state that is not one', async () => {
    const path = join(folder, 'nonsense');
    await writeFile(path, 'nonsense');
    await expect(loadLogKey(path, ORIGIN)).rejects.toMatchObject({ code: 'LOG_KEY_UNUSABLE' });
    await expect(LastSigned.open(path)).rejects.toMatchObject({ code: 'LOG_KEY_UNUSABLE' });
    for (const origin of ['', 'a b', 'a+b', 'x'.repeat(256)])
      await expect(loadLogKey(path, origin)).rejects.toMatchObject({ code: 'LOG_ORIGIN_INVALID' });
  });
});

describe('an administrator with SQL', () => {
  async function found(statement: string, seen: readonly string[] = []): Promise<string[]> {
    await log.append(600);
    await log.run(statement);
    const { findings } = await log.verify(seen);
    return findings.map(({ message }) => message);
  }

  const AT_100 = 'seq = (select seq from audit.leaf where log_index = 100)';

  it.each([
    [
      'edits a record',
      `update audit.record set content = replace(content, 'answered', 'refused_') where ${AT_100}`,
      'record 100: not what was logged',
    ],
    ['removes a record', `delete from audit.record where ${AT_100}`, 'record 100: missing'],
    ['removes all records', 'truncate audit.record', 'record 0 to 599: missing'],
    [
      'moves a record to another day',
      `update audit.leaf set recorded_at = recorded_at - interval '1 day' where ${AT_100}`,
      'entry 100: not what was hashed',
    ],
    [
      'changes the class of a record',
      `update audit.leaf set class = 'other' where ${AT_100}`,
      'entry 100: not what was hashed',
    ],
    ['removes an entry', 'delete from audit.leaf where log_index = 100', 'entry 100: missing'],
    ['cuts off the end', 'delete from audit.leaf where log_index >= 590', 'entry 590: missing'],
    ['empties the log', 'truncate audit.leaf', 'entry 0: missing'],
    ['removes a checkpoint', 'delete from audit.checkpoint', 'the log has no checkpoint'],
    [
      'edits a tile',
      "update audit.tile set hashes = sha256('') || substr(hashes, 33) where level = 0 and index = 1",
      'entry 256: not what was hashed',
    ],
  ])('%s, and it is reported', async (_what, statement, message) => {
    expect(await found(statement)).toContain(message);
  });

  it('cannot hide that by signing again: a checkpoint from before is enough', async () => {
    await log.append(50);
    const seen = [(await headOf()).note];
    await log.run(`
      truncate audit.record, audit.leaf, audit.tile, audit.checkpoint;
      update audit.head set size = 0, root = sha256('')`);
    await new Promise((resolve) => setImmediate(resolve));
    const sink = new PostgresAuditSink({ databaseUrl: log.writerUrl });
    await Promise.all(Array.from({ length: 50 }, () => sink.append(record())));
    await sink.close();
    await log.sequencer().round();
    expect((await log.verify()).findings).toEqual([]);
    const { findings } = await log.verify(seen);
    expect(findings.map(({ code }) => code)).toEqual(['CHANGED']);
  });
});

it('a log that lost an entry and its end is told of both', async () => {
  await log.append(10);
  const seen = signNote(checkpointText(ORIGIN, 12, Buffer.alloc(32)), [log.key]);
  await log.run('delete from audit.leaf where log_index = 3');
  const { findings } = await log.verify([seen]);
  expect(findings.map(({ code }) => code)).toEqual(expect.arrayContaining(['MISSING', 'TRUNCATED']));
});

describe('a running writer refuses every record', () => {
  it.each([
    ['truncated', 'truncate audit.record'],
    ['shortened', 'delete from audit.leaf where log_index > 5'],
    ['without its hashes', 'truncate audit.tile'],
    [
      'emptied with its head',
      "truncate audit.record, audit.leaf, audit.tile; update audit.head set size = 0, root = sha256('')",
    ],
    ['replaced', "update audit.head set root = sha256('x')"],
    ['renamed', "update audit.head set origin = 'other.example'"],
    ['headless', 'delete from audit.head'],
    ['gone', 'drop schema audit cascade'],
  ])('when the log is %s', async (_what, statement) => {
    await log.append(10);
    await log.sink.check();
    await log.run(statement);
    await expect(log.sink.append(record())).rejects.toMatchObject({
      code: expect.stringMatching(/^AUDIT_(?:LOG_BROKEN|WRITE_FAILED)$/) as string,
    });
  });

  it.each(['truncate audit.record, audit.record_subject', 'truncate audit.record, audit.leaf'])(
    'after "%s", though another writer has appended since',
    async (statement) => {
      await log.append(10);
      await log.sink.check();
      await log.run(statement);
      await log.run(
        `select audit.append('${JSON.stringify([JSON.stringify({ class: 'access', ...record() })])}')`,
      );
      await log.sequencer().round();
      await expect(log.sink.append(record())).rejects.toMatchObject({ code: 'AUDIT_LOG_BROKEN' });
    },
  );

  it.each([{ caller: { subjectPseudonym: 'p1' } }, { subjects: ['p1'] }])(
    'when it no longer says whom its newest record is about: %j',
    async (about) => {
      await log.sink.append(record(about));
      await log.sequencer().round();
      await log.sink.check();
      await log.run('truncate audit.record_subject');
      await expect(log.sink.append(record())).rejects.toMatchObject({ code: 'AUDIT_LOG_BROKEN' });
    },
  );

  it('without being asked: its own check finds that, twice a second', async () => {
    await log.append(10);
    const clock = new ManualClock();
    const sink = new PostgresAuditSink({ databaseUrl: log.writerUrl, clock });
    await sink.check();
    await log.run('create table public.saved as table audit.record; truncate audit.record');
    const { rows } = await sql<{ at: Date }>`select clock_timestamp() as at`.execute(log.database.db);
    await clock.advance(500);
    const isChecked = async (): Promise<boolean> => {
      const { rows: sessions } = await sql`
        select from pg_stat_activity where application_name = 'behalf-audit-writer' and state = 'idle'
          and datname = current_database() and query_start > ${rows[0]?.at}`.execute(log.database.db);
      return sessions.length > 0;
    };
    await until(isChecked, 'it looked at the log');
    // All records are back, so only what it saw in between can make it refuse.
    await log.run('insert into audit.record select * from public.saved');
    await expect(sink.append(record())).rejects.toMatchObject({ code: 'AUDIT_LOG_BROKEN' });
    await sink.close();
  });

  it('not while the log only grows', async () => {
    for (let round = 0; round < 3; round++) {
      await log.append(3);
      await log.sink.check();
    }
    await sql`update audit.sequencer set until = now()`.execute(log.database.db);
    await log.sink.append(record());
    expect(log.sink.lost).toBe(0);
  });
});
