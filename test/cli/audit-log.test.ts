import { sql } from 'kysely';
import { spawn } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { existsSync } from 'node:fs';
import { mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { projectPath } from '@behalf/example/internal';
import { loadLogKey, newestCheckpoint, verifierKey } from '../../audit/log/index.js';
import { auditSequencer } from '../../cli/actions/audit-log.js';
import { record } from '../audit/support.js';
import { TestLog } from '../audit/log/support.js';
import { until } from '../support/wait.js';
import { behalf } from './support.js';

let folder: string;
let log: TestLog;
let policy: string;
let transactionId: string;
const run = (...args: string[]) => behalf(['audit', ...args], '', { DATABASE_URL: log.database.url });

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'behalf-audit-cli-'));
  log = await TestLog.create(`cli_${randomBytes(6).toString('hex')}`);
  policy = join(folder, 'log.policy');
  await writeFile(policy, `log ${verifierKey(log.key)}\nquorum none\n`);
  const [first] = await log.append(300);
  transactionId = first?.transactionId ?? '';
});
afterAll(async () => {
  await log.drop();
  await rm(folder, { recursive: true, force: true });
});

describe('audit prove and verify-proof', () => {
  const proof = (): string => join(folder, 'one.tlog-proof');

  it('prove a record, offline', async () => {
    expect(await run('prove', transactionId, '--output', proof())).toMatchObject({ code: 0, stderr: '' });
    const { code, stdout } = await behalf(['audit', 'verify-proof', proof(), '--policy', policy]);
    expect(code).toBe(0);
    expect(stdout).toContain(transactionId);
    expect(stdout).toMatch(
      /This record is entry \d+ of audit\.bank\.example \(300 entries\), recorded at 20/,
    );
  });

  it('print the proof without a file', async () => {
    const { stdout } = await run('prove', transactionId);
    expect(stdout).toBe(await readFile(proof(), 'utf8'));
  });

  it('say that a changed proof does not hold', async () => {
    const text = await readFile(proof(), 'utf8');
    const changed = join(folder, 'changed.tlog-proof');
    await writeFile(changed, text.replace(/index \d+/, 'index 299'));
    const { code, stdout } = await behalf(['audit', 'verify-proof', changed, '--policy', policy]);
    expect([code, stdout]).toEqual([
      1,
      'PROOF  the entry is not at 299 in the log of size 300 that was signed\n',
    ]);
  });

  it.each([
    ['a transaction that is none', ['prove', 'x'], 1, 'must be the behalf-transaction'],
    ['an unknown transaction', ['prove', crypto.randomUUID()], 1, 'the log has no record of it'],
    ['no policy', ['verify-proof', 'x'], 2, '--policy'],
    ['a file that is not there', ['verify-proof', '/none', '--policy', '/none'], 2, '/none'],
  ])('refuse %s', async (_what, args, code, message) => {
    const ended = await run(...args);
    expect(ended.code).toBe(code);
    expect(ended.stderr).toContain(message);
  });
});

describe('what cannot be written or read is named in one line', () => {
  it.each([
    [
      'prove to a folder',
      () => ['prove', transactionId, '-o', folder],
      /^FILE_UNWRITABLE: .* cannot be written: EISDIR\n$/,
    ],
    [
      'prove into no folder',
      () => ['prove', transactionId, '-o', '/none/x'],
      /^FILE_UNWRITABLE: .* ENOENT\n$/,
    ],
    ['export to a file', () => ['export', policy], /^FILE_UNWRITABLE: .* cannot be written: /],
    ['export below a file', () => ['export', join(policy, 'x')], /^FILE_UNWRITABLE: .* ENOTDIR\n$/],
    [
      'export to a full disk',
      () => ['export', '/dev/full', '--format', 'json'],
      /^FILE_UNWRITABLE: .* it is there already\n$/,
    ],
    ['export to nothing', () => ['export', ''], /must not be empty/],
    ['verify of nothing', () => ['verify', '', '--policy', policy], /must not be empty/],
    ['erase without a reason', () => ['erase', 'x', '--reason', ' '], /must not be empty/],
    ['erase by nobody', () => ['erase', 'x', '--reason', 'r', '--by', ''], /must not be empty/],
    ['erase nobody', () => ['erase', ' ', '--reason', 'r'], /must not be empty/],
    [
      'prune without a reason',
      () => ['prune', 'access', '--before', '2020-01-01', '--reason', ''],
      /must not be empty/,
    ],
    [
      'prune before the 30th of February',
      () => ['prune', 'access', '--before', '2020-02-30', '--reason', 'r'],
      /must be a day or a time/,
    ],
    ['search from a month that is none', () => ['search', '--from', '2020-13-01'], /must be a day or a time/],
    [
      'search from a text after a day',
      () => ['search', '--from', '2020-01-01 noon'],
      /must be a day or a time/,
    ],
    [
      'search until an hour that is none',
      () => ['search', '--until', '2020-01-01T25:00:00Z'],
      /must be a day or a time/,
    ],
  ])('%s', async (_what, args, message) => {
    const ended = await run(...args());
    expect(ended.stderr).toMatch(message);
    expect(ended.code).toBeGreaterThan(0);
    expect(ended.stderr).not.toContain('    at ');
  });

  it.each([
    ['a file in place of an export', 'file'],
    ['a folder in place of its checkpoint', 'checkpoint'],
    ['a file in place of its tiles', 'tile'],
  ])('verify of %s', async (_what, name) => {
    const target = join(folder, `damaged-${name}`);
    if (name === 'file') await writeFile(target, '');
    else {
      expect(await run('export', target)).toMatchObject({ code: 0 });
      const at = join(target, name);
      await rm(at, { recursive: true });
      await (name === 'checkpoint' ? mkdir(at) : writeFile(at, ''));
    }
    const { code, stderr, stdout } = await run('verify', target, '--policy', policy);
    expect([code, stderr]).toEqual([1, '']);
    expect(stdout).toMatch(/^MISSING {2}(?:the log has no checkpoint|entry 0: missing|hashes)/m);
  });
});

describe('audit verify', () => {
  it('finds nothing wrong, in the database and in an export', async () => {
    const target = join(folder, 'export');
    expect((await run('export', target)).stdout).toBe(`300 entries are in ${target}\n`);
    for (const args of [[], [target]]) {
      const { code, stdout } = await run('verify', ...args, '--policy', policy);
      expect(code).toBe(0);
      expect(stdout).toContain(
        'audit.bank.example has 300 entries, signed by its key, cosigned by no witness',
      );
      expect(stdout).toContain('300 records compared with their entries, 0 earlier checkpoints');
      expect(stdout).toContain('Nothing is wrong. Without a witness or an earlier checkpoint');
    }
  });

  it('compares with a checkpoint that was seen before', async () => {
    const seen = join(folder, 'seen');
    await writeFile(seen, (await newestCheckpoint(log.database.db))?.note ?? '');
    await log.append(5);
    const { code, stdout } = await run('verify', '--policy', policy, '--seen', seen);
    expect([code, stdout.trimEnd().split('\n').at(-1)]).toEqual([0, 'Nothing is wrong']);
  });

  it('names a record that was hidden from searches', async () => {
    await log.run(`update audit.record set client_id = 'other'
      where seq = (select seq from audit.leaf where log_index = 9)`);
    const { code, stdout } = await run('verify', '--policy', policy);
    expect(code).toBe(1);
    expect(stdout).toMatch(
      /CHANGED {2}record 9 \(#10\): searches and histories read columns that differ from its text/,
    );
    await log.run('update audit.record set client_id = null');
  });

  it('names what was edited, in one line', async () => {
    await log.run(`update audit.record set content = replace(content, 'answered', 'refused_')
      where seq = (select seq from audit.leaf where log_index = 7)`);
    const { code, stdout } = await run('verify', '--policy', policy);
    expect(code).toBe(1);
    expect(stdout).toContain('CHANGED  record 7: not what was logged\n');
  });

  it('refuses a policy that is none', async () => {
    const broken = join(folder, 'broken.policy');
    await writeFile(broken, 'log nonsense\nquorum none\n');
    expect(await run('verify', '--policy', broken)).toMatchObject({
      code: 2,
      stderr: expect.stringContaining('line 1: a verifier key has the form NAME+ID+KEY') as string,
    });
  });
});

it('audit sequencer makes a key, and records are provable', async () => {
  const other = await TestLog.create(`cli_${randomBytes(6).toString('hex')}`);
  const stop = new AbortController();
  const keys: string[] = [];
  const keyFile = join(folder, 'key.pem');
  const start = (): Promise<void> =>
    auditSequencer({
      databaseUrl: other.database.url,
      origin: 'audit.other.example',
      keyFiles: [keyFile],
      log: { log: () => undefined },
      started: (made) => keys.push(...made),
      signal: stop.signal,
    });
  const running = start();
  try {
    const own = record();
    await other.sink.append(own);
    const isSigned = async (): Promise<boolean> =>
      ((await newestCheckpoint(other.database.db))?.size ?? 0) === 1;
    await until(isSigned, 'it is signed');
    await writeFile(policy, `log ${keys[0] ?? ''}\nquorum none\n`);
    const proof = join(folder, 'other.tlog-proof');
    await behalf(['audit', 'prove', own.transactionId, '-o', proof], '', {
      DATABASE_URL: other.database.url,
    });
    expect((await behalf(['audit', 'verify-proof', proof, '--policy', policy])).code).toBe(0);
  } finally {
    stop.abort();
    await running;
  }
  // Started again, it has the same key.
  await start();
  expect(keys[1]).toBe(keys[0]);
  await other.drop();
});

it('audit rotate-key introduces a key that verifiers of the first one follow', async () => {
  const other = await TestLog.create(`cli_${randomBytes(6).toString('hex')}`);
  const [first, second] = [join(folder, 'first.pem'), join(folder, 'second.pem')];
  const signWith = async (...keyFiles: [string, ...string[]]): Promise<readonly string[]> => {
    const stop = new AbortController();
    let keys: readonly string[] = [];
    const running = auditSequencer({
      databaseUrl: other.database.url,
      origin: 'audit.other.example',
      keyFiles,
      log: { log: () => undefined },
      started: (made) => (keys = made),
      signal: stop.signal,
    });
    await other.sink.append(record());
    const isSigned = async (): Promise<boolean> => {
      const { rows } = await sql`select from audit.pending`.execute(other.database.db);
      return rows.length === 0;
    };
    await until(isSigned, 'it is integrated');
    stop.abort();
    await running;
    return keys;
  };
  const env = { DATABASE_URL: other.database.url };
  const [trusted = ''] = await signWith(first);
  const rotate = ['audit', 'rotate-key', '--origin', 'audit.other.example', '--key', first, '--next', second];
  const { stdout } = await behalf([...rotate, '--reason', 'yearly', '--by', 'mira'], '', env);
  expect(await signWith(first, second)).toEqual([trusted, stdout.trim().replace('log ', '')]);
  await signWith(second);
  await writeFile(policy, `log ${trusted}\nquorum none\n`);
  const verified = await behalf(['audit', 'verify', '--policy', policy], '', env);
  expect(verified).toMatchObject({ code: 0, stderr: '' });
  expect(verified.stdout).toContain(`The log introduced the key ${stdout.trim().replace('log ', '')}`);
  const stray = join(folder, 'stray.pem');
  await loadLogKey(stray, 'audit.other.example');
  for (const [origin, key, next, message] of [
    ['audit.other.example', join(folder, 'none.pem'), stray, 'none.pem'],
    ['audit.other.example', stray, second, 'LOG_KEY_UNUSABLE: the key has not signed the newest checkpoint'],
    ['audit.other.example', second, second, 'LOG_KEY_UNUSABLE: the next key of the log is its current one'],
    ['audit.wrong.example', second, stray, 'LOG_ORIGIN_CHANGED: the log is audit.other.example, not'],
  ] as const) {
    const args = ['audit', 'rotate-key', '--origin', origin, '--key', key, '--next', next, '--reason', 'r'];
    const refused = await behalf(args, '', env);
    expect(refused).toMatchObject({ code: 1, stderr: expect.stringContaining(message) as string });
  }
  expect(await behalf(['audit', 'verify', '--policy', policy], '', env)).toMatchObject({ code: 0 });
  await other.drop();
});

describe('audit sequencer refuses keys that nobody follows', () => {
  const origin = 'audit.other.example';
  let other: TestLog;
  let trusted: string;
  let right: string;
  const env = () => ({ DATABASE_URL: other.database.url });

  /** Runs it until it has signed everything. @returns its keys */
  async function sign(...keyFiles: [string, ...string[]]): Promise<readonly string[]> {
    return signAs(undefined, ...keyFiles);
  }
  async function signAs(
    reason: string | undefined,
    ...keyFiles: [string, ...string[]]
  ): Promise<readonly string[]> {
    const stop = new AbortController();
    let keys: readonly string[] = [];
    const running = auditSequencer({
      databaseUrl: other.database.url,
      origin,
      keyFiles,
      replacesKey: reason === undefined ? undefined : { operator: 'mira', reason },
      log: { log: () => undefined },
      started: (made) => (keys = made),
      signal: stop.signal,
    });
    const isSigned = async (): Promise<boolean> => {
      const { rows } = await sql`
        select from audit.head where exists (select from audit.pending) or not exists (
          select from audit.checkpoint where checkpoint.size = head.size)`.execute(other.database.db);
      return keys.length > 0 && rows.length === 0;
    };
    await Promise.race([running, until(isSigned, 'it is signed')]);
    stop.abort();
    await running;
    return keys;
  }
  async function verify(...keys: readonly string[]): Promise<string> {
    await writeFile(policy, `${keys.map((key) => `log ${key}\n`).join('')}quorum none\n`);
    return (await behalf(['audit', 'verify', '--policy', policy], '', env())).stdout;
  }
  const fileOf = (name: string): string => join(folder, `${name}-${randomBytes(4).toString('hex')}.pem`);
  const args = (...more: string[]): string[] => ['audit', 'sequencer', '--origin', origin, ...more];

  beforeEach(async () => {
    other = await TestLog.create(`cli_${randomBytes(6).toString('hex')}`);
    right = fileOf('right');
    await other.sink.append(record());
    [trusted = ''] = await sign(right);
  });
  afterEach(() => other.drop());

  it('that are missing, and makes none', async () => {
    const typo = fileOf('typo');
    for (const keys of [
      ['--key', typo],
      ['--key', right, '--key', typo],
    ]) {
      const { code, stderr, stdout } = await behalf(args(...keys), '', env());
      expect([code, stdout]).toEqual([1, '']);
      expect(stderr).toBe(
        `LOG_KEY_UNUSABLE: ${typo} is not there, and the log ${origin} was signed with a key\n`,
      );
      expect(existsSync(typo)).toBe(false);
    }
  });

  it('that have signed nothing, under a wrong name as well', async () => {
    const stray = fileOf('stray');
    await loadLogKey(stray, origin);
    await other.sink.append(record());
    expect(await behalf(args('--key', stray), '', env())).toMatchObject({
      code: 1,
      stderr: `LOG_KEY_UNUSABLE: the key has not signed the newest checkpoint of ${origin}\n`,
    });
    const typo = fileOf('typo');
    expect(await behalf(args('--key', typo, '--origin', 'audit.wrong.example'), '', env())).toMatchObject({
      code: 1,
      stderr: `LOG_ORIGIN_CHANGED: the log is ${origin}, not audit.wrong.example\n`,
    });
    expect(existsSync(typo)).toBe(false);
    await sign(right);
    expect(await verify(trusted)).toContain(`${origin} has 2 entries, signed by its key`);
  });

  it('that are files or folders of something else', async () => {
    for (const [key, message] of [
      [folder, /^LOG_KEY_UNUSABLE: .* cannot be used: EISDIR\n$/],
      [join(right, 'x'), /^LOG_KEY_UNUSABLE: .* cannot be used: ENOTDIR\n$/],
    ] as const) {
      expect((await behalf(args('--key', key), '', env())).stderr).toMatch(message);
    }
    await rm(`${right}.last-signed`);
    await mkdir(`${right}.last-signed`);
    const { stderr } = await behalf(args('--key', right), '', env());
    expect(stderr).toMatch(/^LOG_KEY_UNUSABLE: .*\.last-signed cannot be read: EISDIR\n$/);
  });

  it('but signs the same head with one that is added, so that the first can go', async () => {
    const next = fileOf('next');
    const [introduced = ''] = [await loadLogKey(next, origin)].map(verifierKey);
    await sign(right, next);
    // Nothing was appended in between.
    expect(await verify(introduced)).toContain('has 1 entry, signed by its key');
    await sign(next);
  });

  it('until somebody says that the key is lost, which the log then says too', async () => {
    const next = fileOf('next');
    await rm(right);
    const [replaced = ''] = await signAs('the disk died', next);
    expect(await verify(trusted)).toContain('SIGNATURE  no trusted key signed the checkpoint');
    expect(await verify(trusted, replaced)).toContain(`${origin} has 2 entries, signed by its key`);
    const found = await behalf(['audit', 'search', '--event', 'log-key-replaced'], '', env());
    expect(found.stdout).toContain('log-key-replaced  by mira\n    the disk died\n');
    expect(found.stdout).toContain(replaced.slice(0, 30));
    // Once is enough, also when the option is still there.
    await signAs('the disk died', next);
    await sign(next);
    expect(await verify(trusted, replaced)).toContain('has 2 entries');
    const { stderr } = await behalf(args('--key', next, '--replace-lost-key', ' '), '', env());
    expect(stderr).toContain('must not be empty');
  });
});

it('audit sequencer needs a policy with witnesses to require them', async () => {
  const keyFile = join(folder, 'unused.pem');
  const args = ['sequencer', '--origin', 'audit.example', '--key', keyFile, '--require-witnesses'];
  expect(await run(...args)).toMatchObject({
    code: 1,
    stderr: expect.stringContaining('USAGE: --require-witnesses needs --witnesses') as string,
  });
});

describe('witness', () => {
  it('runs until it is told to end, and prints its line of a policy', async () => {
    const logs = join(folder, 'logs.policy');
    await writeFile(logs, `log ${verifierKey(log.key)}\n`);
    const state = join(folder, 'state');
    const child = spawn(process.execPath, [
      projectPath('cli/bin.js'),
      ...['witness', '--name', 'witness.example/w1', '--key', join(folder, 'witness.pem')],
      ...['--logs', logs, '--state', state, '--port', '0'],
    ]);
    let printed = '';
    child.stdout.on('data', (chunk: Buffer) => (printed += chunk.toString()));
    await until(() => printed.includes('\n'), 'it has started');
    expect(printed).toMatch(
      /^witness witness\.example\/w1 witness\.example\/w1\+[0-9a-f]{8}\+\S+ http:\/\/127\.0\.0\.1:\d+\n$/,
    );
    child.kill('SIGTERM');
    const [code] = (await once(child, 'exit')) as [number];
    expect(code).toBe(0);
  });

  it.each([
    ['a port that is none', ['--port', '70000'], 'must be a whole number from 0 to 65535'],
    ['a name that is none', ['--name', 'a b'], 'WITNESS_NAME_INVALID'],
    ['logs that are not there', ['--logs', '/none'], '/none'],
  ])('refuses %s', async (_what, more, message) => {
    const args = [
      '--name',
      'w',
      '--key',
      join(folder, 'w.pem'),
      '--logs',
      policy,
      '--state',
      folder,
      ...more,
    ];
    const { code, stderr } = await behalf(['witness', ...args]);
    expect(code).toBe(1);
    expect(stderr).toContain(message);
  });
});
