import { createHash, randomBytes } from 'node:crypto';
import { mkdtemp, readdir, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { parsePolicy, verifyCheckpoint, verifyProof } from '@behalf/audit-verify';
import { startWitness, Witnesses } from '@behalf/witness';
import type { RunningWitness } from '@behalf/witness';
import { newestCheckpoint, proveRecord, verifierKey } from '../../audit/log/index.js';
import { checkpointText, signNote } from '../../audit/log/note.js';
import { ProofMaker } from '../../audit/log/proofs.js';
import { rawRequest } from '../authority/raw-request.js';
import { TestLog } from '../audit/log/support.js';
import { contents, makeKey, MemoryLog, ORIGIN } from '../audit-verify/support.js';

let folder: string;
let log: MemoryLog;
let witness: RunningWitness;
let stateFolder: string;
const running: RunningWitness[] = [];

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'behalf-witness-'));
});
afterAll(() => rm(folder, { recursive: true, force: true }));
beforeEach(async () => {
  log = new MemoryLog();
  stateFolder = join(folder, randomBytes(6).toString('hex'));
  witness = await start();
});
afterEach(async () => {
  await Promise.all(running.splice(0).map((each) => each.close()));
});

async function start(policy = log.policy, name = 'witness.example/w1'): Promise<RunningWitness> {
  const options = {
    name,
    keyFile: join(folder, `${name.replaceAll('/', '-')}.pem`),
    policy,
    stateFolder,
    port: 0,
    now: () => 1_790_000_000_000,
  };
  const started = await startWitness(options);
  running.push(started);
  return started;
}

interface Answer {
  readonly status: number;
  readonly type: string | null;
  readonly body: string;
}

async function post(body: string, to = witness): Promise<Answer> {
  const response = await fetch(`${to.url}/add-checkpoint`, { method: 'POST', body });
  return { status: response.status, type: response.headers.get('content-type'), body: await response.text() };
}

/** What a log sends for its present state. */
async function submission(oldSize: number, note = log.signed, from = log): Promise<string> {
  const maker = new ProofMaker(async (level, index) => from.tiles.get(`${level}/${index}`));
  const proof = oldSize > from.held.length ? [] : await maker.consistency(oldSize, from.held.length);
  return `old ${oldSize}\n${proof.map((hash) => `${hash.toString('base64')}\n`).join('')}\n${note}`;
}

async function add(oldSize: number): Promise<Answer> {
  return post(await submission(oldSize));
}

describe('C2SP tlog-witness: add-checkpoint', () => {
  it('200: cosigns a log that grows, from nothing', async () => {
    for (const [oldSize, more] of [
      [0, 0],
      [0, 1],
      [1, 6],
      [7, 300],
      [307, 0],
      [307, 600],
    ] as const) {
      log.append(...contents(more, oldSize));
      const { status, body, type } = await add(oldSize);
      expect([status, type]).toEqual([200, 'text/plain; charset=utf-8']);
      const policy = parsePolicy(
        `${log.policy.split('\n')[0] ?? ''}\nwitness W ${witness.verifierKey}\nquorum W\n`,
      );
      const { cosignatures } = verifyCheckpoint(`${log.signed}${body}`, policy);
      expect(cosignatures).toEqual([{ witness: 'W', time: 1_790_000_000 }]);
    }
  });

  it('404: a log that it does not know', async () => {
    const other = new MemoryLog(makeKey('other.example')).append('{}');
    expect((await post(await submission(0, other.signed, other))).status).toBe(404);
  });

  it.each([
    [
      'another key under its name',
      () => signNote(checkpointText(ORIGIN, 0, createHash('sha256').digest()), [makeKey()]),
    ],
    ['a signature that does not verify', () => log.signed.replace('\n0\n', '\n1\n')],
    [
      'only signatures of others',
      () => signNote(checkpointText(ORIGIN, 0, createHash('sha256').digest()), [makeKey('x')]),
    ],
  ])('403: %s', async (_what, note) => {
    expect((await post(`old 0\n\n${note()}`)).status).toBe(403);
  });

  it('400: an old size beyond the checkpoint', async () => {
    log.append(...contents(3));
    expect((await add(4)).status).toBe(400);
  });

  it('409: another old size than the last, with the last as text/x.tlog.size', async () => {
    log.append(...contents(5));
    expect(await add(3)).toEqual({ status: 409, type: 'text/x.tlog.size', body: '0\n' });
    expect((await add(0)).status).toBe(200);
    log.append(...contents(5, 5));
    expect(await add(0)).toEqual({ status: 409, type: 'text/x.tlog.size', body: '5\n' });
    expect((await add(5)).status).toBe(200);
  });

  it('422: a log that was cut off and grew again', async () => {
    log.append(...contents(9));
    await add(0);
    log.held.splice(4);
    log.append(...contents(20, 100));
    expect((await add(9)).status).toBe(422);
  });

  it('422: another root of the same size', async () => {
    log.append(...contents(9));
    await add(0);
    log.held.splice(8);
    log.append('{}');
    expect((await add(9)).status).toBe(422);
  });

  it.each([
    ['that is missing', (body: string) => body.replace(/^(old \d+\n)[\s\S]*?\n\n/, '$1\n')],
    [
      'that is longer',
      (body: string) => body.replace(/^(old \d+\n)/, `$1${Buffer.alloc(32).toString('base64')}\n`),
    ],
    ['that is shorter', (body: string) => body.replace(/^(old \d+\n)[^\n]+\n/, '$1')],
  ])('422: a proof %s', async (_what, change) => {
    log.append(...contents(5));
    await add(0);
    log.append(...contents(8, 5));
    expect((await post(change(await submission(5)))).status).toBe(422);
    expect((await add(5)).status).toBe(200);
  });

  it('422: a proof from nothing, or of nothing', async () => {
    log.append(...contents(5));
    const body = (await submission(0)).replace('old 0\n', `old 0\n${Buffer.alloc(32).toString('base64')}\n`);
    expect((await post(body)).status).toBe(422);
  });

  it('422: an empty log with a root', async () => {
    const note = signNote(checkpointText(ORIGIN, 0, Buffer.alloc(32)), [log.key]);
    expect((await post(`old 0\n\n${note}`)).status).toBe(422);
  });

  it.each([
    ['nothing', ''],
    ['no checkpoint', 'old 0\n'],
    ['no old size', '\n\nx'],
    ['an old size with zeroes', 'old 00\n\n@'],
    ['a negative old size', 'old -1\n\n@'],
    ['an old size in hex', 'old 0x0\n\n@'],
    ['a hash that is too short', 'old 0\nAAAA\n\n@'],
    ['64 hashes', `old 0\n${`${Buffer.alloc(32).toString('base64')}\n`.repeat(64)}\n@`],
    ['no signature', `old 0\n\n${ORIGIN}\n0\n47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU=\n`],
  ])('400: %s', async (_what, body) => {
    expect((await post(body.replace('@', log.signed))).status).toBe(400);
  });

  it('413: a body that is too large', async () => {
    expect((await post('x'.repeat(600 * 1024))).status).toBe(413);
  });

  it('405: anything but POST', async () => {
    const response = await fetch(`${witness.url}/add-checkpoint`);
    expect([response.status, response.headers.get('allow')]).toEqual([405, 'POST']);
  });

  it('never goes back, however requests race', async () => {
    log.append(...contents(1));
    await add(0);
    const bodies: string[] = [];
    for (let size = 2; size <= 40; size++) {
      log.append(...contents(1, size));
      bodies.push(await submission(1));
    }
    const answers = await Promise.all(bodies.map((body) => post(body)));
    // All of them continue the first, and only one can be the next.
    expect(answers.filter(({ status }) => status === 200)).toHaveLength(1);
    expect(answers.filter(({ status }) => status === 409)).toHaveLength(38);
  });

  it('remembers, on disk before it answers', async () => {
    log.append(...contents(9));
    await add(0);
    await Promise.all(running.splice(0).map((each) => each.close()));
    witness = await start();
    log.held.splice(4);
    log.append(...contents(1, 50));
    expect(await add(0)).toMatchObject({ status: 409, body: '9\n' });
  });

  it('does not start with a memory that it cannot read', async () => {
    log.append(...contents(9));
    await add(0);
    const [name = ''] = await readdir(stateFolder);
    await writeFile(join(stateFolder, name), 'nonsense');
    await expect(start()).rejects.toMatchObject({ code: 'WITNESS_STATE_UNUSABLE' });
  });

  it.each(['', 'a b', 'a+b'])('does not start under the name "%s"', async (name) => {
    await expect(start(log.policy, name)).rejects.toMatchObject({ code: 'WITNESS_NAME_INVALID' });
  });
});

describe('C2SP tlog-witness: what monitors read', () => {
  const path = `/${createHash('sha256').update(ORIGIN).digest('hex')}/checkpoint`;

  it('is the last checkpoint with the log’s signature and the cosignature', async () => {
    expect((await fetch(`${witness.url}${path}`)).status).toBe(404);
    log.append(...contents(3));
    const { body } = await post(await submission(0, `${log.signed}— unknown.example AAAAAAAAAAAA\n`));
    const response = await fetch(`${witness.url}${path}`);
    expect(await response.text()).toBe(`${log.signed}${body}`);
    expect((await rawRequest(witness.url, { target: `http://elsewhere.example${path}` })).status).toBe(200);
    expect((await fetch(`${witness.url}${path}`, { method: 'HEAD' })).status).toBe(200);
    expect((await fetch(`${witness.url}${path}`, { method: 'PUT' })).status).toBe(405);
  });

  it.each(['/', '/x/checkpoint', `/${'0'.repeat(64)}/checkpoint`])('404: %s', async (other) => {
    expect((await fetch(`${witness.url}${other}`)).status).toBe(404);
  });
});

describe('a log with witnesses', () => {
  let real: TestLog;
  let policyText: string;

  beforeEach(async () => {
    real = await TestLog.create(`witness_${randomBytes(6).toString('hex')}`);
    const known = await start(`log ${verifierKey(real.key)}\nquorum none\n`);
    witness = known;
    policyText = `log ${verifierKey(real.key)}\nwitness W ${known.verifierKey} ${known.url}\nquorum W\n`;
  });
  afterEach(() => real.drop());

  it('has proofs that they cosigned', async () => {
    const sequencer = real.sequencer({ witnessing: new Witnesses(policyText), needsWitnesses: true });
    const [first] = await real.append(5);
    expect(await proveRecord(real.database.db, first?.transactionId ?? '')).toHaveProperty('proof');
    await sequencer.round();
    await sequencer.settled();
    const result = await proveRecord(real.database.db, first?.transactionId ?? '');
    const proof = 'proof' in result ? result.proof : '';
    expect(verifyProof(proof, parsePolicy(policyText)).checkpoint.cosignatures).toHaveLength(1);
  });

  it('has no checkpoint that counts while they do not answer, and records are still put into it', async () => {
    const gone = policyText.replace(/http:\S+/, 'http://127.0.0.1:1');
    const sequencer = real.sequencer({ witnessing: new Witnesses(gone), needsWitnesses: true });
    await sequencer.round();
    await sequencer.settled();
    expect(real.faults).toEqual(['LOG_NOT_WITNESSED']);
    expect(await newestCheckpoint(real.database.db)).toBeUndefined();
    expect((await real.verify()).findings.map(({ code }) => code)).toEqual(['MISSING']);
  });

  it('is not continued when a witness knows a longer one', async () => {
    const options = { witnessing: new Witnesses(policyText) };
    await real.append(9);
    const first = real.sequencer(options);
    await first.round();
    await first.settled();
    await real.run(`truncate audit.record, audit.pending, audit.leaf, audit.tile, audit.checkpoint;
      update audit.head set size = 0, root = sha256('')`);
    const restored = real.sequencer({ witnessing: new Witnesses(policyText) });
    await restored.round();
    await restored.settled();
    await expect(restored.round()).rejects.toMatchObject({
      code: 'LOG_ROLLED_BACK',
      message: 'W cosigned a log of 9 entries',
    });
  });

  it('is not continued when a witness knows another one of its size', async () => {
    await real.append(3);
    const first = real.sequencer({ witnessing: new Witnesses(policyText) });
    await first.round();
    await first.settled();
    await real.run(`truncate audit.record, audit.pending, audit.leaf, audit.tile, audit.checkpoint;
      update audit.head set size = 0, root = sha256('')`);
    await real.sink.close();
    const text = JSON.stringify({
      class: 'access',
      transactionId: crypto.randomUUID(),
      outcome: 'failed',
      fields: [],
    });
    await real.run(`select audit.append('${JSON.stringify([text, text, text])}')`);
    const other = real.sequencer({ witnessing: new Witnesses(policyText) });
    await other.round();
    await other.settled();
    await expect(other.round()).rejects.toMatchObject({ code: 'LOG_ROLLED_BACK' });
  });

  it('ignores cosignatures that are not the witness’s', async () => {
    const forged = policyText.replace(
      witness.verifierKey,
      (await start(log.policy, 'witness.example/w2')).verifierKey,
    );
    const witnesses = new Witnesses(forged.replace('witness.example/w1', 'witness.example/w2'));
    const sequencer = real.sequencer({ witnessing: witnesses });
    await sequencer.round();
    await sequencer.settled();
    expect(real.faults).toEqual(['LOG_NOT_WITNESSED']);
  });
});
