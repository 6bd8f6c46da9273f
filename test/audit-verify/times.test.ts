import { createHash } from 'node:crypto';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { parsePolicy, verifyCheckpoint, verifyLog, verifyProof } from '@behalf/audit-verify';
import { entryBytes } from '../../audit/log/entry.js';
import { describeRecord } from '../../cli/actions/describe-record.js';
import { toOcsf } from '../../audit/ocsf.js';
import { record } from '../audit/support.js';
import { behalf } from '../cli/support.js';
import { contents, MemoryLog, TestWitness } from './support.js';

const LAST_MS = 253_402_300_799_999;

let folder: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'behalf-times-'));
});
afterAll(() => rm(folder, { recursive: true, force: true }));

/** A log that its owner signed, whatever the time of its entry. */
function logOf(recordedAtMs: number, content: string, recordClass = 'access'): MemoryLog {
  const log = new MemoryLog();
  const contentHash = createHash('sha256').update(content).digest();
  log.held.push({ entry: entryBytes({ recordClass, recordedAtMs, contentHash }), content });
  return log.sign();
}

async function written(name: string, text: string): Promise<string> {
  const file = join(folder, name);
  await writeFile(file, text);
  return file;
}

describe('a time that has no date', () => {
  it.each([Number.MAX_SAFE_INTEGER, 8_640_000_000_000_001, LAST_MS + 1])(
    'of an entry (%d) is a finding, and no proof',
    async (time) => {
      const log = logOf(time, '{}');
      const policy = parsePolicy(log.policy);
      const { findings } = await verifyLog(log, policy);
      expect(findings).toEqual([
        { code: 'MALFORMED', index: 0, message: 'entry 0: the time of the entry is after the year 9999' },
      ]);
      const proof = await log.proof(0);
      expect(() => verifyProof(proof, policy)).toThrow(expect.objectContaining({ code: 'MALFORMED' }));
      const args = [await written('x.tlog-proof', proof), '--policy', await written('p', log.policy)];
      expect(await behalf(['audit', 'verify-proof', ...args])).toMatchObject({
        code: 1,
        stdout: 'MALFORMED  the time of the entry is after the year 9999\n',
        stderr: '',
      });
    },
  );

  it.each([0, LAST_MS])('is not %d', async (time) => {
    const log = logOf(time, '{}');
    expect((await verifyLog(log, parsePolicy(log.policy))).findings).toEqual([]);
  });

  it.each([-1e300, -1, 0.5, 1e300, null, '0'])('of an erasure (%j) is a finding', async (before) => {
    const content = JSON.stringify({ event: 'records-erased', details: { class: 'access', before } });
    const log = logOf(1_790_000_000_000, content, 'log');
    const { erasures, findings } = await verifyLog(log, parsePolicy(log.policy));
    expect([erasures, findings.map(({ code }) => code)]).toEqual([[], ['MALFORMED']]);
  });

  it.each([253_402_300_800, Number.MAX_SAFE_INTEGER])('of a cosignature (%d) does not count', (seconds) => {
    const log = new MemoryLog().append(...contents(1));
    const witness = new TestWitness();
    const policy = parsePolicy(
      `${log.policy.replace('quorum none\n', '')}witness W ${witness.verifierKey}\nquorum W\n`,
    );
    expect(() => verifyCheckpoint(witness.cosign(log.signed, seconds), policy)).toThrow(
      expect.objectContaining({ code: 'MALFORMED' }),
    );
    const last = verifyCheckpoint(witness.cosign(log.signed, 253_402_300_799), policy);
    expect(last.cosignatures).toEqual([{ witness: 'W', time: 253_402_300_799 }]);
  });

  it('of a record in the database is shown as it is', () => {
    // PostgreSQL's infinity.
    const occurredAt = Infinity as unknown as Date;
    const entry = { seq: 1, occurredAt, recordedAt: occurredAt, record: record() };
    expect(describeRecord(entry)).toMatch(/^#1 {2}Infinity {2}/);
    expect(toOcsf(entry)).toMatchObject({ time: Infinity });
  });
});
