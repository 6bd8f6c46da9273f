import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdir, mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { projectPath } from '@behalf/example/internal';
import { startWitness } from '@behalf/witness';
import type { RunningWitness } from '@behalf/witness';
import { ProofMaker } from '../../audit/log/proofs.js';
import { addStateFile, listStateFiles } from '../../witness/state-files.js';
import { contents, MemoryLog } from '../audit-verify/support.js';
import { behalf } from '../cli/support.js';
import { until } from '../support/wait.js';

let root: string;
let folder: string;
let log: MemoryLog;
const running: RunningWitness[] = [];

beforeAll(async () => {
  root = await mkdtemp(join(tmpdir(), 'behalf-state-'));
});
afterAll(() => rm(root, { recursive: true, force: true }));
beforeEach(async () => {
  folder = await mkdtemp(join(root, 'witness-'));
  log = new MemoryLog();
});
afterEach(async () => {
  await Promise.all(running.splice(0).map((each) => each.close()));
});

const stateFolder = (): string => join(folder, 'state');
const keyFile = (): string => join(folder, 'key.pem');

async function start(more: Partial<Parameters<typeof startWitness>[0]> = {}): Promise<RunningWitness> {
  const options = { name: 'w.example/1', keyFile: keyFile(), policy: log.policy, stateFolder: stateFolder() };
  const witness = await startWitness({ ...options, port: 0, now: () => 1_790_000_000_000, ...more });
  running.push(witness);
  return witness;
}

async function submission(oldSize: number, from = log): Promise<string> {
  const maker = new ProofMaker(async (level, index) => from.tiles.get(`${level}/${index}`));
  const proof = await maker.consistency(oldSize, from.held.length);
  return `old ${oldSize}\n${proof.map((hash) => `${hash.toString('base64')}\n`).join('')}\n${from.signed}`;
}

async function post(url: string, body: string): Promise<{ readonly status: number; readonly body: string }> {
  const response = await fetch(`${url}/add-checkpoint`, { method: 'POST', body });
  return { status: response.status, body: await response.text() };
}

/** Another log of the same name and key that begins with the same entries. */
function fork(count: number): MemoryLog {
  const other = new MemoryLog(log.key);
  other.held = [...log.held];
  return other.append(...contents(count, 1_000));
}

/** The only file of the state. */
async function stateFile(): Promise<string> {
  const [name = '', ...more] = await readdir(stateFolder());
  expect(more).toEqual([]);
  return join(stateFolder(), name);
}

describe('two witnesses on one state folder', () => {
  it('as two processes never cosign two logs of one size', { timeout: 60_000 }, async () => {
    const logs = join(folder, 'logs.policy');
    await writeFile(logs, log.policy.replace('quorum none\n', ''));
    const spawned = ['1', '2'].map(() => {
      const files = ['--key', keyFile(), '--logs', logs, '--state', stateFolder()];
      const args = ['witness', '--name', 'w.example/1', ...files, '--port', '0'];
      return spawn(process.execPath, [projectPath('cli/bin.js'), ...args]);
    });
    const [first, second] = spawned;
    try {
      const [a, b] = await Promise.all([urlOf(first), urlOf(second)]);
      log.append(...contents(10));
      expect((await post(a, await submission(0))).status).toBe(200);
      const other = fork(5);
      log.append(...contents(5, 10));
      expect((await post(a, await submission(10))).status).toBe(200);
      expect(await post(b, await submission(10, other))).toMatchObject({ status: 409, body: '15\n' });
      expect((await post(b, await submission(15, other))).status).toBe(422);
      expect(await readFile(await stateFile(), 'utf8')).toContain(log.signed);
      // A crash leaves no lock behind.
      second?.kill('SIGKILL');
      first?.kill('SIGKILL');
      log.append(...contents(5, 20));
      expect((await post((await start()).url, await submission(15))).status).toBe(200);
    } finally {
      for (const child of spawned) {
        child.kill('SIGKILL');
        if (child.exitCode === null && child.signalCode === null) await once(child, 'exit');
      }
    }
  });

  it('that are asked at once cosign one of two logs', { timeout: 60_000 }, async () => {
    const witnesses = [await start(), await start(), await start()];
    for (let round = 0; round < 10; round++) {
      const size = log.held.length;
      const forks = witnesses.map((_witness, at) => fork(at + 1));
      const bodies = await Promise.all(forks.map((each) => submission(size, each)));
      const answers = await Promise.all(witnesses.map(({ url }, at) => post(url, bodies[at] ?? '')));
      const winners = forks.filter((_fork, at) => answers[at]?.status === 200);
      expect(winners).toHaveLength(1);
      log = winners[0] ?? log;
      expect(answers.filter(({ body }) => body === `${log.held.length}\n`)).toHaveLength(2);
    }
  });

  it('show monitors the same', async () => {
    const [first, second] = [await start(), await start()];
    log.append(...contents(3));
    await post(first.url, await submission(0));
    const { hash = '' } = (await listStateFiles(stateFolder())).files[0] ?? {};
    const shown = await Promise.all([first, second].map(({ url }) => fetch(`${url}/${hash}/checkpoint`)));
    const [one, two] = await Promise.all(shown.map((response) => response.text()));
    expect(one).toContain(log.signed);
    expect(two).toBe(one);
  });
});

async function urlOf(child: ReturnType<typeof spawn> | undefined): Promise<string> {
  let printed = '';
  let problem = '';
  child?.stdout?.on('data', (chunk: Buffer) => (printed += chunk.toString()));
  child?.stderr?.on('data', (chunk: Buffer) => (problem += chunk.toString()));
  await until(() => printed.includes('\n') || child?.exitCode !== null, 'it has started');
  if (!printed.includes('\n')) throw new Error(`it did not start: ${problem}`);
  return printed.trim().split(' ').at(-1) ?? '';
}

describe('a version of the state', () => {
  const hash = 'a'.repeat(64);
  const add = (version: number | undefined): Promise<boolean> =>
    addStateFile(folder, hash, version === undefined ? undefined : { hash, version }, String(version));

  it('follows the newest one only, also when the one after an old one has disappeared', async () => {
    expect(await add(undefined)).toBe(true);
    expect(await add(undefined)).toBe(false);
    expect(await add(1)).toBe(true);
    expect(await add(2)).toBe(true);
    // 1 and 2 are gone: their places are free, and are not taken.
    for (const stale of [undefined, 1, 2]) expect(await add(stale)).toBe(false);
    expect(await listStateFiles(folder)).toMatchObject({ files: [{ version: 3 }] });
    expect(await readdir(folder)).toHaveLength(1);
  });
});

describe('the state of a witness', () => {
  beforeEach(async () => {
    log.append(...contents(15));
    await post((await start()).url, await submission(0));
    await Promise.all(running.splice(0).map((each) => each.close()));
  });

  const edits: readonly (readonly [string, (text: string) => string])[] = [
    ['a smaller size', (text) => text.replace('\n15\n', '\n4\n')],
    ['another root', (text) => text.replace(/\n15\n./, '\n15\nx')],
    ['no cosignature', (text) => text.replace(/— w\.example.*\n/, '')],
    ['another time', (text) => text.replace(/(— w\.example\/1 .{8})./, '$1x')],
    ['nothing', () => ''],
  ];
  it.each(edits)('with %s is not believed', async (_what, edit) => {
    const file = await stateFile();
    const text = await readFile(file, 'utf8');
    expect(edit(text)).not.toBe(text);
    await writeFile(file, edit(text));
    await expect(start()).rejects.toMatchObject({ code: 'WITNESS_STATE_UNUSABLE' });
  });

  it('that is changed while it runs is not believed', async () => {
    const { url } = await start();
    const file = await stateFile();
    await writeFile(file, (await readFile(file, 'utf8')).replace('\n15\n', '\n4\n'));
    log.append('{}');
    expect((await post(url, await submission(15))).status).toBe(500);
    expect((await post(url, await submission(4))).status).toBe(500);
  });

  it.each(['x.checkpoint', `${'a'.repeat(64)}.checkpoint`, `${'a'.repeat(64)}.2.checkpoint`])(
    'with a folder %s is refused',
    async (name) => {
      await mkdir(join(stateFolder(), name));
      await expect(start()).rejects.toMatchObject({ code: 'WITNESS_STATE_UNUSABLE' });
    },
  );

  it('of one log is not that of another', async () => {
    const text = await readFile(await stateFile(), 'utf8');
    await writeFile(join(stateFolder(), `${'a'.repeat(64)}.1.checkpoint`), text);
    await expect(start()).rejects.toMatchObject({ code: 'WITNESS_STATE_UNUSABLE' });
  });

  it('belongs to its key and name', async () => {
    const other = join(folder, 'other.pem');
    await expect(start({ keyFile: other })).rejects.toMatchObject({
      code: 'WITNESS_KEY_UNUSABLE',
      message: `${other} is not there, and the state has checkpoints that the key of the witness cosigned`,
    });
    expect(await readdir(folder)).not.toContain('other.pem');
    await start({ keyFile: other, stateFolder: join(folder, 'empty') });
    for (const more of [{ keyFile: other }, { name: 'w.example/2' }])
      await expect(start(more)).rejects.toMatchObject({ code: 'WITNESS_STATE_UNUSABLE' });
  });

  it('has no remains of a process that crashed', async () => {
    await writeFile(join(stateFolder(), 'x.unfinished'), 'half');
    await start();
    await stateFile();
  });
});

describe('a witness says in one line what it cannot use', () => {
  const cases: readonly (readonly [string, () => Promise<string[]> | string[], RegExp])[] = [
    ['a folder as key', () => ['--key', folder], /^WITNESS_KEY_UNUSABLE: .* cannot be used: EISDIR\n$/],
    ['a key in no folder', () => ['--key', '/none/k'], /^WITNESS_KEY_UNUSABLE: .*ENOENT\n$/],
    ['a key below a file', () => ['--key', join(folder, 'logs', 'k')], /^WITNESS_KEY_UNUSABLE: .*ENOTDIR\n$/],
    ['a file as state', () => ['--state', join(folder, 'logs')], /^WITNESS_STATE_UNUSABLE: .*: EEXIST\n$/],
    [
      'a state below a file',
      () => ['--state', join(folder, 'logs', 's')],
      /^WITNESS_STATE_UNUSABLE: .*ENOTDIR\n$/,
    ],
    [
      'a key that is none',
      async () => {
        await writeFile(join(folder, 'nonsense'), 'nonsense');
        return ['--key', join(folder, 'nonsense')];
      },
      /^WITNESS_KEY_UNUSABLE: .* has no Ed25519 private key in PEM\n$/,
    ],
    [
      'logs that are none',
      async () => {
        await writeFile(join(folder, 'nonsense'), '\nlog x\n');
        return ['--logs', join(folder, 'nonsense')];
      },
      /^MALFORMED: .*nonsense: line 2: a verifier key has the form NAME\+ID\+KEY\n$/,
    ],
    [
      'no log',
      async () => {
        await writeFile(join(folder, 'empty'), '# nothing\n');
        return ['--logs', join(folder, 'empty')];
      },
      /^MALFORMED: .*empty: the policy has no log line\n$/,
    ],
  ];
  it.each(cases)('%s', async (_what, more, message) => {
    await writeFile(join(folder, 'logs'), log.policy);
    const files = ['--key', keyFile(), '--logs', join(folder, 'logs'), '--state', stateFolder()];
    const ended = await behalf(['witness', '--name', 'w', ...files, ...(await more())]);
    expect(ended.code).toBe(1);
    expect(ended.stderr).toMatch(message);
  });

  it('a state that it cannot write', async () => {
    // Nobody can put a file there, not even root.
    await expect(start({ stateFolder: '/proc/self/fdinfo' })).rejects.toMatchObject({
      code: 'WITNESS_STATE_UNUSABLE',
      message: expect.stringContaining('/proc/self/fdinfo: E') as string,
    });
  });
});
