import { randomBytes } from 'node:crypto';
import { mkdtemp, rm } from 'node:fs/promises';
import { createServer } from 'node:http';
import type { Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { startWitness, Witnesses } from '@behalf/witness';
import type { RunningWitness } from '@behalf/witness';
import { newestCheckpoint, verifierKey } from '../../audit/log/index.js';
import type { Sequencer } from '../../audit/log/index.js';
import { checkpointText, signNote } from '../../audit/log/note.js';
import { PostgresAuditSink } from '../../audit/postgres.js';
import { TestLog } from '../audit/log/support.js';
import { record } from '../audit/support.js';
import { makeKey, ORIGIN, TestWitness } from '../audit-verify/support.js';
import { ManualClock } from '../support/manual-clock.js';

let folder: string;
let log: TestLog;
const closing: (() => Promise<void>)[] = [];

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'behalf-claims-'));
});
afterAll(() => rm(folder, { recursive: true, force: true }));
beforeEach(async () => {
  log = await TestLog.create(`claims_${randomBytes(6).toString('hex')}`);
});
afterEach(async () => {
  for (const close of closing.splice(0)) await close();
  await log.drop();
});

const policyOf = (key: string, url: string, quorum = 'none'): string =>
  `log ${verifierKey(log.key)}\nwitness W ${key} ${url}\nquorum ${quorum}\n`;

/** Asks the witnesses about everything that is logged by then. */
async function settle(sequencer: Sequencer): Promise<void> {
  await sequencer.round();
  await sequencer.settled();
}

describe('a witness that does not prove what it says', () => {
  const witness = new TestWitness();
  interface Reply {
    readonly status: number;
    readonly body: string;
  }
  const TOO_LARGE: Reply = { status: 409, body: '999999\n' };

  /** A server that answers every submission, and every monitor, with the same. */
  async function liar(submitted: Reply, shown: Reply): Promise<string> {
    const server: Server = createServer((request, response) => {
      const { body, status } = request.method === 'POST' ? submitted : shown;
      request.resume();
      response.writeHead(status, { 'content-type': 'text/plain' }).end(body);
    });
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    closing.push(async () => {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    });
    return `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  }

  const note = (keys = [log.key], origin = ORIGIN, size = 999_999): string =>
    signNote(checkpointText(origin, size, Buffer.alloc(32, 1)), keys);
  const NONE: Reply = { status: 404, body: '' };
  const shown = (body: string): Reply => ({ status: 200, body });
  const cases: readonly (readonly [string, Reply, () => Reply])[] = [
    ['says 409', TOO_LARGE, () => NONE],
    ['says 422', { status: 422, body: 'no' }, () => NONE],
    ['shows nonsense', TOO_LARGE, () => shown('nonsense')],
    ['shows a checkpoint that it has not cosigned', TOO_LARGE, () => shown(note())],
    ['shows one of another key', TOO_LARGE, () => shown(witness.cosign(note([makeKey()])))],
    [
      'shows one of another log',
      TOO_LARGE,
      () => shown(witness.cosign(note([{ ...log.key, name: 'other.example' }], 'other.example'))),
    ],
    [
      'shows one with another size',
      TOO_LARGE,
      () => shown(witness.cosign(note()).replace('999999', '9999999')),
    ],
    ['shows too much', TOO_LARGE, () => shown(`${witness.cosign(note())}${'x'.repeat(100_000)}`)],
    ['shows one that fails', TOO_LARGE, () => ({ status: 500, body: witness.cosign(note()) })],
  ];

  it.each(cases)('and %s does not stop a log', async (_what, submitted, reply) => {
    const url = await liar(submitted, reply());
    const sequencer = log.sequencer({ witnessing: new Witnesses(policyOf(witness.verifierKey, url)) });
    await settle(sequencer);
    await log.append(2);
    await settle(sequencer);
    expect((await newestCheckpoint(log.database.db))?.size).toBe(2);
    expect(log.faults).toEqual(['WITNESS_CLAIM_UNPROVEN']);
  });

  it('does not make a log that needs it go on either: its records wait for proofs only', async () => {
    const url = await liar(TOO_LARGE, NONE);
    const witnessing = new Witnesses(policyOf(witness.verifierKey, url, 'W'));
    const sequencer = log.sequencer({ witnessing, needsWitnesses: true });
    await settle(sequencer);
    await settle(sequencer);
    expect(await newestCheckpoint(log.database.db)).toBeUndefined();
    expect(log.faults).toEqual(['WITNESS_CLAIM_UNPROVEN', 'LOG_NOT_WITNESSED']);
  });

  it('stops it with a checkpoint that the log itself signed', async () => {
    for (const [size, reason] of [
      [999_999, 'W cosigned a log of 999999 entries'],
      [1, 'W cosigned another log of 1 entries, which this one does not continue'],
      [2, 'W cosigned another log of 2 entries, which this one does not continue'],
    ] as const) {
      await log.append(2);
      const url = await liar({ status: 422, body: '' }, shown(witness.cosign(note([log.key], ORIGIN, size))));
      const sequencer = log.sequencer({ witnessing: new Witnesses(policyOf(witness.verifierKey, url)) });
      await settle(sequencer);
      await expect(sequencer.round()).rejects.toMatchObject({ code: 'LOG_ROLLED_BACK', message: reason });
    }
  });
});

describe('a stop ends by itself', () => {
  let port: number;
  let clock: ManualClock;
  let stopped: Sequencer;
  let running: RunningWitness | undefined;

  async function witness(state: string): Promise<RunningWitness> {
    running = await startWitness({
      name: 'w.example/1',
      keyFile: join(folder, 'w.pem'),
      policy: `log ${verifierKey(log.key)}\n`,
      stateFolder: join(folder, state),
      port,
      now: () => 1_790_000_000_000,
    });
    return running;
  }

  const TABLES = ['record', 'pending', 'leaf', 'tile', 'checkpoint', 'head'];
  const each = (statement: (table: string) => string): Promise<void> =>
    log.run(TABLES.map(statement).join(';'));

  /** Time passes, and the witness is asked again. */
  async function later(): Promise<string> {
    await clock.advance(5_001);
    const round = (): Promise<string> =>
      stopped.round().then(
        () => 'goes on',
        (error: unknown) => (error as { code: string }).code,
      );
    await round();
    await stopped.settled();
    return round();
  }

  beforeEach(async () => {
    port = 0;
    clock = new ManualClock();
    const first = await witness(randomBytes(6).toString('hex'));
    port = Number(new URL(first.url).port);
    const policy = policyOf(first.verifierKey, first.url);
    await log.append(9);
    await settle(log.sequencer({ witnessing: new Witnesses(policy) }));
    await each((table) => `create table public.saved_${table} as table audit.${table}`);
    await log.run(`truncate audit.record, audit.pending, audit.leaf, audit.tile, audit.checkpoint;
      update audit.head set size = 0, root = sha256('')`);
    stopped = log.sequencer({ witnessing: new Witnesses(policy), clock });
    await settle(stopped);
    expect(await later()).toBe('LOG_ROLLED_BACK');
  });
  afterEach(async () => {
    await running?.close();
  });

  it('when the witness has no other log any more', async () => {
    await running?.close();
    // Not while it only does not answer.
    expect(await later()).toBe('LOG_ROLLED_BACK');
    await witness(randomBytes(6).toString('hex'));
    expect(await later()).toBe('goes on');
  });

  it('when the database is the one that the witness knows', async () => {
    await each(
      (table) => `delete from audit.${table}; insert into audit.${table} table public.saved_${table}`,
    );
    expect(await later()).toBe('goes on');
    // Not with the log's own writer, which may have seen that the records were gone.
    const sink = new PostgresAuditSink({ databaseUrl: log.writerUrl });
    await sink.append(record());
    await sink.close();
    await settle(stopped);
    expect((await newestCheckpoint(log.database.db))?.size).toBe(10);
    expect((await log.verify()).findings).toEqual([]);
  });
});
