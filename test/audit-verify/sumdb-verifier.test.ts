import { execFile, spawnSync } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { existsSync } from 'node:fs';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { projectPath } from '@behalf/example/internal';
import {
  DatabaseSource,
  exportLog,
  newestCheckpoint,
  proveRecord,
  verifierKey,
} from '../../audit/log/index.js';
import { TestLog } from '../audit/log/support.js';

/** Where Debian's golang-golang-x-mod-dev puts the packages of Go's checksum database. */
const GOPATH = '/usr/share/gocode';
const isInstalled =
  spawnSync('go', ['version']).status === 0 && existsSync(`${GOPATH}/src/golang.org/x/mod/sumdb/tlog`);

describe.runIf(isInstalled)('the verifier of Go’s checksum database', () => {
  let folder: string;
  let log: TestLog;
  let program: string;
  const proofs: string[] = [];

  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), 'behalf-sumdb-'));
    program = join(folder, 'sumdb');
    const built = spawnSync('go', ['build', '-o', program, projectPath('test/audit-verify/sumdb/main.go')], {
      env: { ...process.env, GO111MODULE: 'off', GOPATH, GOCACHE: join(folder, 'cache') },
    });
    expect(built.stderr.toString()).toBe('');
    log = await TestLog.create(`sumdb_${randomBytes(6).toString('hex')}`);
    const records = [...(await log.append(300)), ...(await log.append(301))];
    for (const [at, { transactionId }] of records.entries()) {
      if (at % 100 !== 0) continue;
      const result = await proveRecord(log.database.db, transactionId);
      const file = join(folder, `${at}.tlog-proof`);
      await writeFile(file, 'proof' in result ? result.proof : '');
      proofs.push(file);
    }
    const checkpoint = await newestCheckpoint(log.database.db);
    if (checkpoint === undefined) throw new Error('nothing was signed');
    await exportLog(new DatabaseSource(log.database.db), checkpoint, join(folder, 'export'));
  });
  afterAll(async () => {
    await log.drop();
    await rm(folder, { recursive: true, force: true });
  });

  const verify = () =>
    promisify(execFile)(program, [join(folder, 'export'), verifierKey(log.key), ...proofs]);

  it('accepts an export of the log, and proofs of its records', async () => {
    expect((await verify()).stdout).toBe('601 entries and 7 proofs verified\n');
  });

  it.each([
    ['entry', 'tile/entries/001', 'entry 256 is not what was hashed'],
    ['tile', 'tile/0/001', 'entry 256 is not what was hashed'],
    ['tile of a higher level', 'tile/1/000.p/2', 'downloaded inconsistent tile'],
    ['checkpoint', 'checkpoint', 'invalid signature'],
  ])('refuses an export with another %s', async (_what, path, message) => {
    const file = join(folder, 'export', path);
    const bytes = await readFile(file);
    const changed = Buffer.from(bytes);
    // Within the first entry, hash and line.
    changed[20] = (changed[20] ?? 0) ^ 1;
    await writeFile(file, changed);
    await expect(verify()).rejects.toMatchObject({ stderr: expect.stringContaining(message) as string });
    await writeFile(file, bytes);
  });
});
