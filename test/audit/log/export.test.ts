import { randomBytes } from 'node:crypto';
import { appendFile, cp, mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { FolderSource, parsePolicy, verifyLog } from '@behalf/audit-verify';
import { DatabaseSource, exportLog, newestCheckpoint, verifierKey } from '../../../audit/log/index.js';
import { checkpointText, signNote } from '../../../audit/log/note.js';
import { TestWitness } from '../../audit-verify/support.js';
import { behalf } from '../../cli/support.js';
import { TestLog } from './support.js';

let root: string;
let log: TestLog;
let exported: string;
let copies = 0;

beforeAll(async () => {
  root = await mkdtemp(join(tmpdir(), 'behalf-export-'));
  log = await TestLog.create(`export_${randomBytes(6).toString('hex')}`);
  await log.append(300);
  exported = join(root, 'exported');
  await exportTo(exported);
});
afterAll(async () => {
  await log.drop();
  await rm(root, { recursive: true, force: true });
});

async function exportTo(folder: string, from = log): Promise<number> {
  const head = await newestCheckpoint(from.database.db);
  if (head === undefined) throw new Error('nothing was signed');
  return exportLog(new DatabaseSource(from.database.db), head, folder);
}

/** The export, as somebody has changed it. */
async function copy(): Promise<string> {
  const folder = join(root, `copy-${copies++}`);
  await cp(exported, folder, { recursive: true });
  return folder;
}

const checkpointOf = (folder: string): Promise<string> => readFile(join(folder, 'checkpoint'), 'utf8');

describe('an export leaves alone', () => {
  const head = (size: number, origin = log.key.name): string =>
    signNote(checkpointText(origin, size, Buffer.alloc(32, 1)), [log.key]);
  const cases: readonly (readonly [string, () => string, string])[] = [
    ['a longer log', () => head(301), 'has 301 entries, and the log only 300'],
    ['another log of its size', () => head(300), 'has 300 entries with which the log does not begin'],
    ['a shorter log that it does not continue', () => head(7), 'has 7 entries with which the log does not'],
    ['an empty log with a root', () => head(0), 'has 0 entries with which the log does not begin'],
    ['a log of another name', () => head(7, 'other.example'), 'has the log other.example, not'],
    ['what is not a checkpoint', () => 'notes\n', 'is not a checkpoint'],
    ['an empty file', () => '', 'is not a checkpoint'],
  ];
  it.each(cases)('%s', async (_what, text, message) => {
    const folder = await copy();
    await writeFile(join(folder, 'checkpoint'), text());
    const args = ['audit', 'export', folder];
    const { code, stderr } = await behalf(args, '', { DATABASE_URL: log.database.url });
    expect([code, stderr.startsWith('LOG_EXPORT_DIFFERS: ')]).toEqual([1, true]);
    expect(stderr).toContain(message);
    expect(await checkpointOf(folder)).toBe(text());
  });

  it.each(['tile/0/000', 'tile/0/001.p/44', 'tile/1/000.p/1', 'tile/entries/000', 'tile/entries/001.p/44'])(
    'a %s that differs, without a checkpoint as well',
    async (path) => {
      for (const withCheckpoint of [true, false]) {
        const folder = await copy();
        const before = await checkpointOf(folder);
        if (!withCheckpoint) await rm(join(folder, 'checkpoint'));
        const bytes = await readFile(join(folder, path));
        bytes[5] = (bytes[5] ?? 0) ^ 1;
        await writeFile(join(folder, path), bytes);
        await expect(exportTo(folder)).rejects.toMatchObject({ code: 'LOG_EXPORT_DIFFERS' });
        expect(await readFile(join(folder, path))).toEqual(bytes);
        if (withCheckpoint) expect(await checkpointOf(folder)).toBe(before);
      }
    },
  );

  it('the larger export of a database that was restored', async () => {
    const other = await TestLog.create(`export_${randomBytes(6).toString('hex')}`);
    const folder = join(root, 'restored');
    await other.append(5);
    await other.append(5);
    await exportTo(folder, other);
    const before = await checkpointOf(folder);
    await other.run('delete from audit.checkpoint where size > 5');
    await expect(exportTo(folder, other)).rejects.toMatchObject({
      code: 'LOG_EXPORT_DIFFERS',
      message: `${folder} has 10 entries, and the log only 5`,
    });
    expect(await checkpointOf(folder)).toBe(before);
    await other.drop();
  });
});

describe('an export to a folder that was exported to before', () => {
  it('keeps cosignatures of the same head that the database does not have', async () => {
    const folder = await copy();
    const witness = new TestWitness();
    const cosigned = witness.cosign(await checkpointOf(folder));
    await writeFile(join(folder, 'checkpoint'), cosigned);
    await exportTo(folder);
    await exportTo(folder);
    expect(await checkpointOf(folder)).toBe(cosigned);
    const policy = `log ${verifierKey(log.key)}\nwitness W ${witness.verifierKey}\nquorum W\n`;
    expect((await verifyLog(new FolderSource(folder), parsePolicy(policy))).findings).toEqual([]);
  });

  it('completes one that was interrupted', async () => {
    const folder = await copy();
    for (const path of ['checkpoint', 'tile/1', 'tile/entries/001.p', 'records/001.p'])
      await rm(join(folder, path), { recursive: true });
    expect(await exportTo(folder)).toBe(4);
    expect((await verifyLog(new FolderSource(folder), log.policy)).findings).toEqual([]);
  });

  it('leaves records that were erased since, and other files, as they are', async () => {
    const folder = await copy();
    await mkdir(join(folder, 'records'), { recursive: true });
    await writeFile(join(folder, 'README'), 'ours');
    await log.run('create table public.saved as table audit.record; delete from audit.record');
    expect(await exportTo(folder)).toBe(1);
    await log.run('insert into audit.record table public.saved');
    expect(await readFile(join(folder, 'README'), 'utf8')).toBe('ours');
  });
});

describe('verify of an export', () => {
  it.each([
    ['of a whole bundle', '000', 'the records of entries 0 to 255 are followed by 1 that were never logged'],
    ['of the last', '001.p/44', 'the records of entries 256 to 299 are followed by 1 that were never logged'],
  ])('names a record that was added behind those %s', async (_where, file, message) => {
    const folder = await copy();
    await appendFile(join(folder, 'records', file), '{"forged":1}\n');
    const { findings } = await verifyLog(new FolderSource(folder), log.policy);
    expect(findings.map((finding) => finding.message)).toEqual([message]);
  });
});
