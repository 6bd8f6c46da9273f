import { execFile } from 'node:child_process';
import { mkdtemp, readFile, rm, stat } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { FileAuditSink } from '../../audit/index.js';
import type { GatewayConfig } from '../../gateway/index.js';
import { record } from '../audit/support.js';
import { expectNotReady, expectReady } from '../support/health.js';
import { AUDIENCE, Cleanup, codes, compose, startTestGateway, TestIssuer, TestSubgraph } from './support.js';
import type { TestGateway } from './support.js';

const PSEUDONYM_KEY = Buffer.alloc(32, 7).toString('base64url');
const cleanup = new Cleanup();
let issuer: TestIssuer;
let supergraph: string;
let folder: string;

beforeAll(async () => {
  issuer = await TestIssuer.start();
  const people = await TestSubgraph.start('people');
  for (const each of [issuer, people]) cleanup.add(() => each.close());
  supergraph = compose(people);
  folder = await mkdtemp(join(tmpdir(), 'behalf-readiness-'));
  cleanup.add(() => rm(folder, { recursive: true, force: true }));
});
afterAll(() => cleanup.run());

function start(config: Omit<GatewayConfig, 'issuers' | 'supergraph'>): Promise<TestGateway> {
  return startTestGateway(cleanup, supergraph, {
    issuers: [{ issuer: issuer.url, audience: AUDIENCE }],
    ...config,
  });
}

/** How large the files of this process may become, as if their disk were full (`EFBIG`). */
async function limitFiles(bytes: number | 'unlimited'): Promise<void> {
  await promisify(execFile)('prlimit', ['--pid', String(process.pid), `--fsize=${bytes}:`]);
}
const ignoreLimit = (): void => undefined;

describe('the audit in a file that takes no more', () => {
  beforeEach(() => {
    // Its default action ends the process.
    process.on('SIGXFSZ', ignoreLimit);
    return async () => {
      await limitFiles('unlimited');
      process.off('SIGXFSZ', ignoreLimit);
    };
  });

  it('is not ready after the first record that is lost, and ready again by itself', async () => {
    const file = join(folder, 'audit.jsonl');
    const gateway = await start({ audit: { mode: 'required', file, pseudonymKey: PSEUDONYM_KEY } });
    expect((await gateway.ask('{ hello }')).status).toBe(200);
    await expectReady(gateway.url);
    const { size } = await stat(file);
    // A part of a record, and nothing.
    for (const room of [100, 0]) {
      await limitFiles(size + room);
      expect(codes(await gateway.ask('{ hello }'))).toEqual(['AUDIT_UNAVAILABLE']);
      await expectNotReady(gateway.url, 'AUDIT_UNAVAILABLE');
      await expectNotReady(gateway.url, 'AUDIT_UNAVAILABLE');
    }
    await limitFiles('unlimited');
    await expectReady(gateway.url);
    expect((await gateway.ask('{ hello }')).status).toBe(200);
    const [first = '', cutOff = '', last = '', end] = (await readFile(file, 'utf8')).split('\n');
    expect([first, last].map((line) => JSON.parse(line) as unknown)).toMatchObject([
      { outcome: 'answered' },
      { outcome: 'answered' },
    ]);
    expect(() => JSON.parse(cutOff) as unknown).toThrow(SyntaxError);
    expect(end).toBe('');
  });

  it('writes whole records beside checks, and blanks only after a failure', async () => {
    const file = join(folder, 'beside.jsonl');
    const sink = await FileAuditSink.open(file);
    const append = (): Promise<unknown>[] => Array.from({ length: 50 }, () => sink.append(record()));
    const check = (): Promise<unknown>[] => Array.from({ length: 5 }, () => sink.check());
    await Promise.all([...check(), ...append(), ...check()]);
    expect(await readFile(file, 'utf8')).not.toContain(' ');
    await limitFiles((await stat(file)).size);
    await Promise.allSettled(append());
    expect(sink.lost).toBe(50);
    const checked = await Promise.allSettled(check());
    expect(checked.every(({ status }) => status === 'rejected')).toBe(true);
    await limitFiles('unlimited');
    await Promise.all([...check(), ...append(), ...check()]);
    await sink.close();
    const lines = (await readFile(file, 'utf8')).trimEnd().split('\n');
    expect(lines.map((line) => JSON.parse(line) as unknown)).toHaveLength(100);
  });
});
