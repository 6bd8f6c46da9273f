import { randomBytes } from 'node:crypto';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { verifierKey } from '../../audit/log/index.js';
import { record } from '../audit/support.js';
import { TestLog } from '../audit/log/support.js';
import { behalf } from './support.js';

// An administrator with SQL changes what searches and histories read, and leaves the tree as it was signed. The changes add up.

let folder: string;
let log: TestLog;
let policy: string;

const verify = () => behalf(['audit', 'verify', '--policy', policy], '', { DATABASE_URL: log.database.url });

/** The record of an entry. */
const at = (index: number): string => `seq = (select seq from audit.leaf where log_index = ${index})`;

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'behalf-tampering-'));
  log = await TestLog.create(`tampering_${randomBytes(6).toString('hex')}`);
  policy = join(folder, 'log.policy');
  await writeFile(policy, `log ${verifierKey(log.key)}\nquorum none\n`);
  await log.append(10);
  await log.append(30);
});
afterAll(async () => {
  await log.drop();
  await rm(folder, { recursive: true, force: true });
});

describe('audit verify names', () => {
  it('nothing while records wait for the log', async () => {
    const waiting = record();
    await log.sink.append(waiting);
    expect(await verify()).toMatchObject({ code: 0 });
  });

  it('a record that was taken out before it was logged', async () => {
    await log.run('delete from audit.pending');
    const { code, stdout } = await verify();
    expect(code).toBe(1);
    expect(stdout).toMatch(/^CHANGED {2}record (?:\d+ \()?#\d+\)?: it can be found, but was never logged$/m);
  });

  it.each([
    [
      'a record that was put in',
      `insert into audit.record (recorded_at, seq, class, content, occurred_at, clock_off, transaction_id, outcome, coordinates)
        select recorded_at, 99999, class, content, occurred_at, clock_off, transaction_id, outcome, coordinates
        from audit.record where ${at(10)}`,
      /^CHANGED {2}record #99999: it can be found, but was never logged$/m,
    ],
    [
      'a time that was moved',
      `update audit.record set occurred_at = occurred_at - interval '3 years' where ${at(11)}`,
      /^CHANGED {2}record (?:\d+ \()?#\d+\)?: searches and histories read columns/m,
    ],
    [
      'a time that is said to be of a wrong clock',
      `update audit.record set occurred_at = occurred_at + interval '3 years' where ${at(11)};
       update audit.record set clock_off = true where ${at(12)}`,
      /^CHANGED {2}record (?:\d+ \()?#\d+\)?: searches and histories read columns/m,
    ],
    [
      'an access of somebody that never happened',
      `insert into audit.record_subject values ('p9', now(), 77777)`,
      /^CHANGED {2}record #77777: somebody’s history names it, and it is not there$/m,
    ],
    [
      'changed columns beside a record that is gone',
      `delete from audit.record where ${at(20)}; update audit.record set client_id = 'evil' where ${at(13)}`,
      /^MISSING {2}record 20: missing\n(?:.*\n)*CHANGED {2}record 13 \(#14\):/m,
    ],
    [
      'changed columns beside a text that is no JSON',
      `update audit.record set content = 'x' where ${at(21)}`,
      /^CHANGED {2}record 21: not what was logged\n(?:.*\n)*CHANGED {2}record 13 \(#14\):/m,
    ],
    [
      'a time of an entry that is none',
      `update audit.leaf set recorded_at = 'infinity' where log_index = 22`,
      /^MALFORMED {2}entry 22: the entry does not have the format/m,
    ],
    [
      'a class of an entry that is none',
      `update audit.leaf set class = repeat('a', 70000) where log_index = 23`,
      /^MALFORMED {2}entry 23: the entry does not have the format/m,
    ],
    [
      'a record that was put in with an entry before the first',
      `insert into audit.record (recorded_at, seq, class, content, occurred_at, clock_off, transaction_id, outcome, coordinates)
        select recorded_at, 99998, class, content, occurred_at, clock_off, transaction_id, outcome, coordinates
        from audit.record where ${at(10)};
       insert into audit.leaf (log_index, seq, recorded_at, class, content_hash)
        select -1, 99998, recorded_at, class, content_hash from audit.leaf where log_index = 10`,
      /^CHANGED {2}entry -1: its place is outside of the log\n(?:.*\n)*CHANGED {2}record #99998: it can be found, but was never logged$/m,
    ],
    [
      'a record that was put in with an entry behind the last',
      `update audit.leaf set log_index = 40 where log_index = -1`,
      /^CHANGED {2}entry 40: its place is outside of the log\n(?:.*\n)*CHANGED {2}record #99998: it can be found, but was never logged$/m,
    ],
    [
      'a head that is longer than the log',
      `update audit.head set size = 50`,
      /^CHANGED {2}the head, of 50 entries, is not that of the log$/m,
    ],
    [
      'a head that is shorter than the log',
      `update audit.head set size = 5`,
      /^CHANGED {2}the head, of 5 entries, is not that of the log$/m,
    ],
    [
      'a head with another root',
      `update audit.head set size = 40, root = sha256('x'); delete from audit.leaf where log_index = 40`,
      /^CHANGED {2}the head, of 40 entries, is not that of the log$/m,
    ],
    [
      'an earlier checkpoint of which the columns were changed',
      `update audit.checkpoint set root = sha256('x') where size = 10`,
      /^CHANGED {2}the checkpoint of 10 entries is not what was signed$/m,
    ],
    [
      'an earlier checkpoint of another log',
      `update audit.checkpoint set note = replace(note, origin, 'x.example') where size = 10`,
      /^CHANGED {2}the log is \S+; x.example is in an earlier checkpoint$/m,
    ],
    [
      'an earlier checkpoint of other entries',
      `update audit.checkpoint set note = replace(note, 'x.example', origin) where size = 10;
       update audit.checkpoint set note = regexp_replace(note, '^(.*\n10\n)[^\n]*', '\\1' || encode(root, 'base64')) where size = 10`,
      /^CHANGED {2}the first 10 entries are not those that are in an earlier checkpoint: one of them was changed, moved or removed$/m,
    ],
    [
      'an entry that waits without its record',
      `insert into audit.pending values (99997, now(), 'access', sha256('x'))`,
      /^CHANGED {2}record #99997: its entry waits for the log, and it is not there$/m,
    ],
    [
      'since when records wait',
      `insert into audit.pending values (99998, '2026-01-02T03:04:05Z', 'access', sha256('x'))`,
      /^2 records wait to become entries, the oldest since 2026-01-02T03:04:05.000Z$/m,
    ],
    [
      'hashes of a level that the log does not have',
      `insert into audit.tile values (5, 0, sha256('x'))`,
      /^CHANGED {2}tile 0 of level 5 has not as many hashes as the log needs$/m,
    ],
    [
      'hashes behind the last',
      `update audit.tile set hashes = hashes || sha256('x') where level = 0`,
      /^CHANGED {2}tile 0 of level 0 has not as many hashes as the log needs$/m,
    ],
    ['hashes that are gone', 'delete from audit.tile', /^MISSING {2}hashes of entries 0 to 39 are missing$/m],
    [
      'entries behind the newest checkpoint that is left',
      'delete from audit.checkpoint where size = 40',
      /^No stored checkpoint covers the last 30 entries of the database$/m,
    ],
  ])('%s', async (_what, statement, line) => {
    await log.run(statement);
    const { code, stderr, stdout } = await verify();
    expect(stderr).toBe('');
    expect(code).toBe(1);
    expect(stdout).toMatch(line);
  });

  it('a table that is gone', async () => {
    await log.run('drop table audit.record_subject');
    expect(await verify()).toMatchObject({
      code: 2,
      stderr: expect.stringMatching(
        /^DATABASE_UNREADABLE: .*: relation "audit.record_subject" does not exist\n$/,
      ) as string,
    });
  });
});
