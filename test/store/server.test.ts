import { type ChildProcessByStdio, spawn } from 'node:child_process';
import { once } from 'node:events';
import { chmod, mkdir, mkdtemp, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import type { Readable } from 'node:stream';

import { sql } from 'kysely';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';

import { runs } from '../../store/embedded/alive.js';
import {
  type DatabaseServer,
  type DatabaseServerOptions,
  openDatabase,
  type Log,
  openDatabaseServer,
  StoreError,
} from '../../store/index.js';
import { projectPath } from '@behalf/example/internal';

let folder: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'behalf-store-'));
  await chmod(folder, 0o711);
});
afterAll(() => rm(folder, { recursive: true, force: true }));

/** One shared data folder for tests that do not change it: creating one takes two seconds. */
async function open(options: Partial<DatabaseServerOptions> = {}): Promise<DatabaseServer> {
  return openDatabaseServer({ dataDir: join(folder, 'data'), unsafeNoDurability: true, ...options });
}

async function ask(url: string, query: string): Promise<unknown[]> {
  const db = openDatabase<unknown>(url, { max: 1 });
  try {
    return (await sql.raw(query).execute(db)).rows;
  } finally {
    await db.destroy();
  }
}

describe('the embedded server', () => {
  it('keeps its data over a restart', async () => {
    const first = await open();
    expect(first.embedded).toBe(true);
    await ask(first.url, 'create table kept as select 7 as seven');
    await first.stop();
    await first.stop();
    expect(await first.closed).toBeUndefined();
    expect(await runs(first.pid ?? 0)).toBe(false);

    const second = await open();
    expect(await ask(second.url, 'select seven from kept')).toEqual([{ seven: 7 }]);
    await second.stop();
  });

  it('listens on loopback only, with a password in a private file', async () => {
    const server = await open();
    expect(await ask(server.url, 'show listen_addresses')).toEqual([{ listen_addresses: '127.0.0.1' }]);
    const file = join(folder, 'data', 'database', 'password');
    expect((await stat(file)).mode & 0o777).toBe(0o600);
    expect(server.url).toContain((await readFile(file, 'utf8')).trim());
    const guess = new URL(server.url);
    guess.password = 'guess';
    await expect(ask(guess.href, 'select 1')).rejects.toThrow('password authentication failed');
    await server.stop();
  });

  it('has durable writes unless told otherwise', async () => {
    const server = await openDatabaseServer({ dataDir: join(folder, 'data') });
    expect(await ask(server.url, 'show fsync')).toEqual([{ fsync: 'on' }]);
    expect(await ask(server.url, 'show synchronous_commit')).toEqual([{ synchronous_commit: 'on' }]);
    await server.stop();
  });

  it('reports that it died unexpectedly', async () => {
    const server = await open();
    process.kill(server.pid ?? 0, 'SIGQUIT');
    const reason = await server.closed;
    expect(reason).toBeInstanceOf(StoreError);
    expect(reason).toMatchObject({ code: 'SERVER_DIED' });
    await server.stop();
    await (await open()).stop();
  });

  it('refuses a second start on its folder', async () => {
    const server = await open();
    // This process owns it, so that PostgreSQL's lock is awaited; another owner is named at once.
    await writeFile(join(folder, 'data', 'database', 'owner.pid'), `${process.ppid}\n`);
    await expect(open()).rejects.toMatchObject({
      code: 'DATA_DIR_IN_USE',
      message: expect.stringContaining(`process ${process.ppid}`) as string,
    });
    expect(await ask(server.url, 'select 1 as one')).toEqual([{ one: 1 }]);
    await server.stop();
  });

  it('refuses a taken port, and leaves no process', async () => {
    const taken = createServer().listen(0, '127.0.0.1');
    await once(taken, 'listening');
    const address = taken.address();
    const port = typeof address === 'object' && address !== null ? address.port : 0;
    await expect(open({ port })).rejects.toMatchObject({
      code: 'PORT_IN_USE',
      message: expect.stringContaining(String(port)) as string,
    });
    taken.close();
    const server = await open({ port });
    expect(new URL(server.url).port).toBe(String(port));
    await server.stop();
  });

  it('refuses a folder that cannot be written', async () => {
    await writeFile(join(folder, 'file'), '');
    const dataDir = join(folder, 'file', 'data');
    await expect(open({ dataDir })).rejects.toMatchObject({
      code: 'DATA_DIR_NOT_WRITABLE',
      message: expect.stringContaining(dataDir) as string,
    });
  });

  it('refuses data of another major version, and data without its password', async () => {
    const dataDir = join(folder, 'old');
    await mkdir(join(dataDir, 'database', 'postgres'), { recursive: true });
    await writeFile(join(dataDir, 'database', 'postgres', 'PG_VERSION'), '9\n');
    await expect(open({ dataDir })).rejects.toMatchObject({ code: 'DATA_VERSION' });
    const current = await readFile(join(folder, 'data', 'database', 'postgres', 'PG_VERSION'), 'utf8');
    await writeFile(join(dataDir, 'database', 'postgres', 'PG_VERSION'), current);
    await expect(open({ dataDir })).rejects.toMatchObject({ code: 'PASSWORD_MISSING' });
  });
});

describe('a program that is killed', () => {
  // The compiled program: node does not run TypeScript here.
  const PROGRAM = `
    const { openDatabaseServer } = await import(process.argv[1]);
    const server = await openDatabaseServer({ dataDir: process.argv[2] });
    console.log(server.pid);
    setInterval(() => undefined, 1000);`;

  async function run(): Promise<{ program: ChildProcessByStdio<null, Readable, null>; pid: number }> {
    const index = projectPath('store', 'dist', 'index.js');
    const args = ['--input-type=module', '-e', PROGRAM, index, join(folder, 'data')];
    const program = spawn(process.execPath, args, { stdio: ['ignore', 'pipe', 'inherit'] });
    const [line] = (await once(createInterface({ input: program.stdout }), 'line')) as [string];
    return { program, pid: Number(line) };
  }

  it('leaves no server behind, and its data can be used at once', async () => {
    const { pid, program } = await run();
    expect(await runs(pid)).toBe(true);
    program.kill('SIGKILL');
    await once(program, 'exit');
    const server = await open();
    expect(await runs(pid)).toBe(false);
    await server.stop();
  });

  it('by Ctrl-C still stops its server properly', async () => {
    const { pid, program } = await run();
    const group = await readFile(`/proc/${pid}/stat`, 'utf8').catch(() => undefined);
    if (group !== undefined) expect(group.split(' ')[4]).toBe(String(pid));
    program.kill('SIGTERM');
    await once(program, 'exit');
    await expect.poll(() => runs(pid), { timeout: 10_000 }).toBe(false);
  });
});

describe.runIf(process.getuid?.() === 0)('as root, below a folder that is closed to others', () => {
  it('the server’s files move to the system’s state folder, which is logged', async () => {
    const closed = await mkdtemp(join(tmpdir(), 'behalf-closed-'));
    const warnings: string[] = [];
    const log: Log = { log: (_level, _code, facts) => void warnings.push(String(facts?.to)) };
    const server = await open({ dataDir: join(closed, 'data'), log });
    const [, elsewhere = ''] = /(\/var\/lib\/behalf\/[0-9a-f]{16})$/.exec(warnings[0] ?? '') ?? [];
    expect(elsewhere).not.toBe('');
    expect(await ask(server.url, 'select 1 as one')).toEqual([{ one: 1 }]);
    await server.stop();
    await rm(elsewhere, { recursive: true });
    await rm(closed, { recursive: true });
  });
});
