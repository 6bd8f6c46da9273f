import { copyFile, mkdtemp, readFile, rename, rm, stat, truncate, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { FileAuditSink } from '../../audit/index.js';
import { record } from './support.js';

let folder: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'behalf-audit-'));
});
afterAll(() => rm(folder, { recursive: true, force: true }));

it('appends one line per record to a file that only its owner can read', async () => {
  const file = join(folder, 'audit.jsonl');
  const written = [record({ operationName: 'A' }), record({ operationName: 'B\n"' }), record()];
  for (const each of written) {
    const sink = await FileAuditSink.open(file);
    await sink.append(each);
    await sink.close();
    await expect(sink.append(each)).rejects.toMatchObject({ code: 'AUDIT_CLOSED' });
  }
  const lines = (await readFile(file, 'utf8')).trimEnd().split('\n');
  expect(lines.map((line) => JSON.parse(line) as unknown)).toMatchObject(written);
  expect((await stat(file)).mode & 0o777).toBe(0o600);
});

it('keeps the order of concurrent records, and close writes them all', async () => {
  const file = join(folder, 'many.jsonl');
  const sink = await FileAuditSink.open(file);
  const written = Array.from({ length: 2_000 }, (_each, index) => record({ operationName: `N${index}` }));
  const all = written.map((each) => sink.append(each));
  await sink.close();
  await Promise.all(all);
  const names = (await readFile(file, 'utf8'))
    .trimEnd()
    .split('\n')
    .map((line) => (JSON.parse(line) as { operationName: string }).operationName);
  expect(names).toEqual(written.map(({ operationName }) => operationName));
  expect(sink.lost).toBe(0);
});

it('begins a new line after one that was cut off', async () => {
  const file = join(folder, 'cut.jsonl');
  await writeFile(file, `${JSON.stringify(record())}\n{"transactionId":"cut o`);
  const sink = await FileAuditSink.open(file);
  const next = record();
  await sink.append(next);
  await sink.close();
  const lines = (await readFile(file, 'utf8')).trimEnd().split('\n');
  expect(lines).toHaveLength(3);
  expect(JSON.parse(lines[2] ?? '')).toMatchObject(next);
});

it('reports a file that cannot be opened', async () => {
  await expect(FileAuditSink.open(folder)).rejects.toMatchObject({ code: 'EISDIR' });
});

describe('a file that somebody changed under a running gateway stops service', () => {
  let file: string;
  beforeAll(() => {
    file = join(folder, 'changed.jsonl');
  });

  it.each([
    ['deleted', () => rm(file)],
    ['cut off', () => truncate(file, 10)],
    ['emptied', () => truncate(file, 0)],
    [
      'replaced by a copy',
      async () => {
        await copyFile(file, `${file}.copy`);
        await rename(`${file}.copy`, file);
      },
    ],
    ['moved away', () => rename(file, `${file}.old`)],
  ])('%s', async (_how, change) => {
    const sink = await FileAuditSink.open(file);
    await sink.append(record());
    await sink.check();
    await change();
    await expect(sink.check()).rejects.toMatchObject({ code: 'AUDIT_LOG_BROKEN' });
    await expect(sink.append(record())).rejects.toMatchObject({ code: 'AUDIT_LOG_BROKEN' });
    await sink.close();
  });
});
