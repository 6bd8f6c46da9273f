import { spawn } from 'node:child_process';
import type { ChildProcess } from 'node:child_process';
import { chmod, mkdtemp, readFile, rm } from 'node:fs/promises';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { freePorts, projectPath } from '@behalf/example/internal';
import { until } from '../support/wait.js';

let dataDir: string;
let port: number;
const started: Start[] = [];

beforeAll(async () => {
  dataDir = await mkdtemp(join(tmpdir(), 'behalf-e2e-'));
  await chmod(dataDir, 0o711);
  port = (await freePorts()).gateway;
});
afterAll(async () => {
  for (const { child } of started) child.kill('SIGKILL');
  await Promise.all(started.map(({ exited }) => exited));
  // The watchdog of a killed program stops its database.
  await until(() => databasePid().then(isDead, () => true), 'the database has ended');
  await rm(dataDir, { recursive: true, force: true, maxRetries: 5 });
});

interface Start {
  readonly child: ChildProcess;
  output(): string;
  readonly exited: Promise<number | null>;
}

function start(args: readonly string[] = []): Start {
  const { DATABASE_URL: _none, ...environment } = process.env;
  const child = spawn(
    process.execPath,
    [projectPath('subgraphs/bank/bin.js'), 'start', '--data', dataDir, '--port', String(port), ...args],
    {
      env: environment,
      stdio: ['ignore', 'pipe', 'pipe'],
    },
  );
  let text = '';
  child.stdout.on('data', (chunk: Buffer) => (text += chunk.toString()));
  child.stderr.on('data', (chunk: Buffer) => (text += chunk.toString()));
  const run: Start = {
    child,
    output: () => text,
    exited: new Promise((resolve) => child.once('exit', resolve)),
  };
  started.push(run);
  return run;
}

async function untilReady(run: Start): Promise<void> {
  const isReady = (): boolean => run.output().includes('Behalf is ready');
  await until(() => isReady() || run.child.exitCode !== null, 'it is ready or has ended', 150_000);
  if (isReady()) return;
  throw new Error(`it did not become ready:\n${run.output()}`);
}

async function databasePid(): Promise<number> {
  const text = await readFile(join(dataDir, 'database/postgres/postmaster.pid'), 'utf8');
  return Number(text.split('\n')[0]);
}

const isDead = (pid: number): boolean => !isAlive(pid);

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch {
    return false;
  }
}

async function consoleSecret(): Promise<string> {
  return (JSON.parse(await readFile(join(dataDir, 'run.json'), 'utf8')) as { consoleSecret: string })
    .consoleSecret;
}

describe('npm start', () => {
  it('starts everything, stops it on Ctrl-C, and keeps its data', { timeout: 180_000 }, async () => {
    const first = start();
    await untilReady(first);
    const response = await fetch(`http://127.0.0.1:${port}/graphql`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: '{"query":"{ accountProducts }"}',
    });
    expect(await response.json()).toMatchObject({
      data: { accountProducts: expect.any(Array) as unknown },
    });
    // A client that discovers everything gets a token.
    const api = `http://127.0.0.1:${port}/graphql`;
    const described = await fetch(`http://127.0.0.1:${port}/.well-known/oauth-protected-resource/graphql`);
    const metadata = (await described.json()) as { resource: string; authorization_servers: string[] };
    expect(metadata.resource).toBe(api);
    const issuer = await fetch(`${metadata.authorization_servers[0]}/.well-known/oauth-authorization-server`);
    expect(await issuer.json()).toMatchObject({ protected_resources: [api] });

    const secret = await consoleSecret();
    const pid = await databasePid();
    expect(isAlive(pid)).toBe(true);
    first.child.kill('SIGINT');
    expect(await first.exited).toBe(0);
    expect(isAlive(pid)).toBe(false);
    await expect(fetch(`http://127.0.0.1:${port}/health`)).rejects.toThrow();

    const second = start();
    await untilReady(second);
    expect(await consoleSecret()).toBe(secret);

    const third = start();
    expect(await third.exited).toBe(1);
    expect(third.output()).toMatch(/DATA_DIR_IN_USE/);

    const secondPid = await databasePid();
    process.kill(secondPid, 'SIGKILL');
    expect(await second.exited).toBe(1);
    expect(second.output()).toContain('SERVER_DIED');
  });

  it('names an address in use, and stops what it started', { timeout: 90_000 }, async () => {
    const blocker = createServer();
    await new Promise<void>((resolve) => blocker.listen(port + 1, '127.0.0.1', resolve));
    try {
      const blocked = start();
      expect(await blocked.exited).toBe(1);
      expect(blocked.output()).toContain(String(port + 1));
      expect(blocked.output()).not.toMatch(/^\s+at /m);
      await expect(databasePid().then(isAlive)).rejects.toThrow();
    } finally {
      await new Promise((resolve) => blocker.close(resolve));
    }
  });
});
