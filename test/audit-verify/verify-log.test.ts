import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { FolderSource, parsePolicy, verifyLog, verifyProof } from '@behalf/audit-verify';
import type { LogReport } from '@behalf/audit-verify';
import { tilePath, tilesOf } from '@behalf/audit-verify/internal';
import { entryBytes } from '../../audit/log/entry.js';
import { signNote, verifierKey } from '../../audit/log/note.js';
import { contents, makeKey, MemoryLog, ORIGIN } from './support.js';

async function verify(log: MemoryLog, seen: readonly string[] = []): Promise<LogReport> {
  return verifyLog(log, parsePolicy(log.policy), { seen });
}

const codes = ({ findings }: LogReport): string[] => findings.map(({ code }) => code);

describe('a log that nobody touched', () => {
  it.each([0, 1, 2, 255, 256, 257, 600, 66_000])('of %d records is whole', async (size) => {
    const log = new MemoryLog().append(...contents(size));
    const report = await verify(log);
    expect(report).toMatchObject({ findings: [], records: size, checkpoint: { size } });
  });

  it('begins with every checkpoint that was seen before', async () => {
    const log = new MemoryLog();
    const seen = [log.signed];
    for (const count of [1, 5, 255, 1, 300])
      seen.push(log.append(...contents(count, log.held.length)).signed);
    expect((await verify(log, seen.reverse())).findings).toEqual([]);
  });
});

describe('an administrator with all rights to the database, but not the key', () => {
  const anyLog = fc.record({ size: fc.integer({ min: 2, max: 600 }), at: fc.nat(), other: fc.nat() });

  /** A log that somebody changed after it was signed. */
  async function afterwards(size: number, change: (log: MemoryLog) => void): Promise<LogReport> {
    const log = new MemoryLog().append(...contents(size));
    change(log);
    return verify(log);
  }

  it('cannot edit a record', async () => {
    await fc.assert(
      fc.asyncProperty(anyLog, async ({ size, at }) => {
        const index = at % size;
        const report = await afterwards(size, ({ held }) => {
          const record = held[index];
          if (record !== undefined) record.content = record.content?.replace('answered', 'refused_') ?? null;
        });
        expect(report.findings).toEqual([
          { code: 'CHANGED', message: `record ${index}: not what was logged`, index },
        ]);
      }),
      { numRuns: 20 },
    );
  });

  it('cannot edit a record and its entry', async () => {
    await fc.assert(
      fc.asyncProperty(anyLog, async ({ size, at }) => {
        const index = at % size;
        const report = await afterwards(size, (log) => {
          const [forged] = new MemoryLog().append('{"outcome":"refused"}').held;
          if (forged !== undefined) log.held[index] = forged;
        });
        expect(report.findings[0]).toEqual({
          code: 'CHANGED',
          message: `entry ${index}: not what was hashed`,
          index,
        });
      }),
      { numRuns: 20 },
    );
  });

  it('cannot rewrite entries, tiles and all', async () => {
    await fc.assert(
      fc.asyncProperty(anyLog, async ({ size, at }) => {
        const report = await afterwards(size, (log) => {
          const { signed } = log;
          const [forged] = new MemoryLog().append('{"outcome":"refused"}').held;
          if (forged !== undefined) log.held[at % size] = forged;
          log.sign().signed = signed;
        });
        expect(codes(report)).toEqual(['CHANGED']);
      }),
      { numRuns: 20 },
    );
  });

  it('cannot remove the text of records and leave their entries', async () => {
    const report = await afterwards(300, ({ held }) => {
      for (const record of held.slice(10, 20)) record.content = null;
    });
    expect(report.findings).toEqual([{ code: 'MISSING', message: 'record 10 to 19: missing', index: 10 }]);
  });

  it('cannot swap records', async () => {
    await fc.assert(
      fc.asyncProperty(anyLog, async ({ size, at, other }) => {
        const [a, b] = [at % size, other % size];
        fc.pre(a !== b);
        const report = await afterwards(size, ({ held }) => {
          const [first, second] = [held[a], held[b]];
          if (first !== undefined && second !== undefined) [held[a], held[b]] = [second, first];
        });
        expect(codes(report)).toContain('CHANGED');
      }),
      { numRuns: 20 },
    );
  });

  it('cannot remove a record, or the last ones', async () => {
    await fc.assert(
      fc.asyncProperty(anyLog, fc.boolean(), async ({ size, at, other }, isTail) => {
        const report = await afterwards(size, ({ held }) => {
          if (isTail) held.splice(at % size);
          else held.splice(at % size, 1 + (other % 3));
        });
        expect(codes(report)).toContain('MISSING');
        expect(report.findings.length).toBeLessThan(4);
      }),
      { numRuns: 20 },
    );
  });

  it.each([
    ['tile', (log: MemoryLog) => log.tiles.set('0/1', Buffer.alloc(256 * 32))],
    ['tile of a higher level', (log: MemoryLog) => log.tiles.set('1/0', Buffer.alloc(2 * 32))],
  ])('cannot change a %s, from which proofs are made', async (_name, change) => {
    expect(codes(await afterwards(600, change))).toContain('CHANGED');
  });

  it.each([
    ['tile', (log: MemoryLog) => log.tiles.delete('0/1')],
    ['tile of a higher level', (log: MemoryLog) => log.tiles.delete('1/0')],
    ['part of a tile', (log: MemoryLog) => log.tiles.set('0/2', Buffer.alloc(32))],
    ['checkpoint', (log: MemoryLog) => void (log.signed = '')],
  ])('cannot remove a %s', async (_name, change) => {
    expect(codes(await afterwards(600, change))).toContain('MISSING');
  });

  it('cannot sign', async () => {
    const report = await afterwards(3, (log) => {
      log.keys = [makeKey()];
      log.held.pop();
      log.sign();
    });
    expect(codes(report)).toEqual(['SIGNATURE']);
  });

  it('is reported in one line for neighbours', async () => {
    const report = await afterwards(1_000, ({ held }) => held.forEach((record) => (record.content = '{}')));
    expect(report.findings.map(({ message }) => message)).toEqual(['record 0 to 999: not what was logged']);
  });

  it('is reported in at most a hundred lines', async () => {
    const report = await afterwards(1_000, ({ held }) =>
      held.forEach((record, at) => (record.content = at % 2 === 0 ? '{}' : record.content)),
    );
    expect(report.findings).toHaveLength(100);
  });

  it('may store anything instead of an entry', async () => {
    const report = await afterwards(3, ({ held }) => {
      for (const record of held) record.entry = Buffer.from('behalf-record/v2\n');
    });
    expect(codes(report)).toContain('MALFORMED');
  });
});

describe('an administrator with the key of the log as well', () => {
  /** A log of which a witness keeps the checkpoint, and which somebody then changes and signs again. */
  async function resigned(size: number, change: (log: MemoryLog) => void): Promise<LogReport> {
    const log = new MemoryLog().append(...contents(size));
    const witnessed = log.signed;
    change(log);
    log.sign();
    return verify(log, [witnessed]);
  }

  it('cannot cut off the end', async () => {
    const report = await resigned(300, ({ held }) => held.splice(290));
    expect(report.findings).toEqual([
      {
        code: 'TRUNCATED',
        message: 'the log has 290 entries; 300 were seen before, so the last 10 are gone',
        index: 290,
      },
    ]);
  });

  it('cannot cut off the end and append as many others', async () => {
    const report = await resigned(300, (log) => {
      log.held.splice(290);
      log.append(...contents(10, 1_000));
    });
    expect(codes(report)).toEqual(['CHANGED']);
  });

  it('cannot edit, swap or remove anything, whatever is appended afterwards', async () => {
    await fc.assert(
      fc.asyncProperty(fc.nat(299), fc.nat(299), fc.nat(2), fc.nat(400), async (a, b, how, more) => {
        fc.pre(a !== b);
        const report = await resigned(300, (log) => {
          const [first, second] = [log.held[a], log.held[b]];
          if (first === undefined || second === undefined) return;
          if (how === 0) [log.held[a], log.held[b]] = [second, first];
          else if (how === 1) log.held.splice(a, 1);
          else log.held[a] = { entry: Buffer.concat([first.entry, Buffer.of()]), content: first.content };
          if (how === 2) {
            const [forged] = new MemoryLog().append('{"outcome":"refused"}').held;
            if (forged !== undefined) log.held[a] = forged;
          }
          log.append(...contents(more, 1_000));
        });
        expect(report.findings.length).toBeGreaterThan(0);
      }),
      { numRuns: 30 },
    );
  });

  it('cannot pass off another log', async () => {
    const log = new MemoryLog().append(...contents(3));
    const other = new MemoryLog(makeKey('other.example')).append(...contents(2));
    expect(codes(await verify(log, [other.signed]))).toEqual(['CHANGED']);
  });
});

describe('a checkpoint that was seen before, and that the log does not have', () => {
  const forged = (size: number, by: ReturnType<typeof makeKey>): string =>
    signNote(`${ORIGIN}\n${size}\n${Buffer.alloc(32, 7).toString('base64')}\n`, [by]);

  it.each([
    ['smaller', 2],
    ['larger', 9_999],
  ])('is no fault of the log if no key of the log signed it: %s', async (_how, size) => {
    const log = new MemoryLog().append(...contents(5));
    expect(codes(await verify(log, [forged(size, makeKey())]))).toEqual(['SIGNATURE']);
    // A signature that names the key and is another's.
    const [text = '', signature = ''] = forged(size, log.key).split('\n\n');
    const altered = `${text.replace(/^(.*\n\d+\n)./, '$1C')}\n\n${signature}`;
    expect(codes(await verify(log, [altered]))).toEqual(['SIGNATURE']);
  });

  it.each([
    ['CHANGED', 2],
    ['TRUNCATED', 9_999],
  ])('is one if a key of the log signed it: %s', async (code, size) => {
    const log = new MemoryLog().append(...contents(5));
    expect(codes(await verify(log, [forged(size, log.key)]))).toEqual([code]);
  });
});

describe('a new key of the log', () => {
  const statementOf = (text: string, by: ReturnType<typeof makeKey>, origin = ORIGIN): string =>
    JSON.stringify({
      event: 'log-key-added',
      statement: signNote(`behalf-log-key/v1\n${origin}\n${text}\n`, [by]),
    });

  it('is trusted if the one before signed it', async () => {
    const log = new MemoryLog();
    const [second, third] = [makeKey(), makeKey()];
    log.append(statementOf(verifierKey(second), log.key), ...contents(3));
    log.keys = [third];
    log.append(statementOf(verifierKey(third), second));
    const report = await verify(log);
    expect(report.findings).toEqual([]);
    expect(report.successors.map(({ text }) => text)).toEqual([verifierKey(second), verifierKey(third)]);
  });

  it('is not trusted if it signed itself', async () => {
    const log = new MemoryLog();
    const thief = makeKey();
    log.append(statementOf(verifierKey(thief), thief));
    log.keys = [thief];
    expect(codes(await verify(log.sign()))).toEqual(['SIGNATURE']);
  });

  it.each([
    [
      'a key that nobody trusts signed',
      (log: MemoryLog) => statementOf(verifierKey(makeKey()), makeKey(log.key.name)),
    ],
    ['is no note', () => JSON.stringify({ event: 'log-key-added', statement: 'x' })],
    ['names no key', (log: MemoryLog) => statementOf('nonsense', log.key)],
  ])('whose statement %s spoils nothing: anybody who may append could write it', async (_what, make) => {
    const log = new MemoryLog().append(...contents(3));
    log.append(make(log));
    expect(await verify(log)).toMatchObject({ findings: [], successors: [] });
  });

  it('may be the only one that a verifier trusts', async () => {
    const log = new MemoryLog();
    const next = makeKey();
    log.append(...contents(3), statementOf(verifierKey(next), log.key));
    log.keys = [next];
    log.sign();
    expect((await verifyLog(log, parsePolicy(`log ${verifierKey(next)}\nquorum none\n`))).findings).toEqual(
      [],
    );
  });

  it.each([
    ['another log', (key: string) => [key, 'other.example'] as const],
    ['a key that is none', () => ['nonsense', ORIGIN] as const],
  ])('is not trusted for %s', async (_name, make) => {
    const log = new MemoryLog();
    const next = makeKey();
    const [text, origin] = make(verifierKey(next));
    log.append(statementOf(text, log.key, origin));
    log.keys = [next];
    expect((await verify(log.sign())).checkpoint).toBeUndefined();
  });
});

describe('C2SP tlog-proof', () => {
  it('proves any record, offline', async () => {
    const log = new MemoryLog().append(...contents(300));
    const proven = verifyProof(await log.proof(123), parsePolicy(log.policy));
    expect(proven).toMatchObject({
      record: { outcome: 'answered', number: 123 },
      recordClass: 'access',
      recordedAtMs: 1_790_000_000_123,
      index: 123,
      checkpoint: { size: 300 },
    });
  });

  it('proves a log of one record', async () => {
    const log = new MemoryLog().append('{}');
    expect(verifyProof(await log.proof(0), parsePolicy(log.policy)).record).toEqual({});
  });

  it('proves nothing else: no line of it can be changed', async () => {
    const log = new MemoryLog().append(...contents(300));
    const proof = await log.proof(123);
    const lines = proof.split('\n');
    const blank = lines.indexOf('');
    for (const [at, line] of lines.entries()) {
      if (line === '' && at !== blank) continue;
      const changed = [...lines];
      changed[at] =
        line === '' ? '\n' : `${line.slice(0, 12)}${line[12] === 'A' ? 'B' : 'A'}${line.slice(13)}`;
      const run = (): unknown => verifyProof(changed.join('\n'), parsePolicy(log.policy));
      expect(run, `line ${at}: ${line}`).toThrow();
    }
  });

  it('refuses a record that belongs to another entry', async () => {
    const log = new MemoryLog().append(...contents(2));
    const [first, second] = log.held;
    if (first !== undefined && second !== undefined) first.content = second.content;
    const proof = await log.proof(0);
    expect(() => verifyProof(proof, parsePolicy(log.policy))).toThrow(
      expect.objectContaining({ code: 'CHANGED' }),
    );
  });

  it('refuses a record whose class or time was changed', async () => {
    const log = new MemoryLog().append(...contents(2));
    const proof = await log.proof(0);
    for (const [from, to] of [
      ['access', 'consent'],
      ['1790000000000', '1790000000009'],
    ] as const) {
      const forged = proof.replace(/extra (\S+)/, (_all, base64: string) => {
        const text = Buffer.from(base64, 'base64').toString('utf8').replace(from, to);
        return `extra ${Buffer.from(text).toString('base64')}`;
      });
      expect(() => verifyProof(forged, parsePolicy(log.policy))).toThrow(
        expect.objectContaining({ code: 'PROOF' }),
      );
    }
  });

  it.each([
    ['nothing', ''],
    ['no checkpoint', 'c2sp.org/tlog-proof@v1\nindex 0\n'],
    ['another version', 'c2sp.org/tlog-proof@v2\nindex 0\n\n'],
    ['no index', 'c2sp.org/tlog-proof@v1\n\n'],
    ['no record', 'c2sp.org/tlog-proof@v1\nindex 0\n\nx\n'],
    [
      '64 hashes',
      `c2sp.org/tlog-proof@v1\nindex 0\n${`${Buffer.alloc(32).toString('base64')}\n`.repeat(64)}\n`,
    ],
  ])('refuses %s', (_name, text) => {
    expect(() => verifyProof(text, parsePolicy('quorum none'))).toThrow(
      expect.objectContaining({ code: 'MALFORMED' }),
    );
  });
});

describe('an export in a folder', () => {
  let folder: string;
  const log = new MemoryLog().append(...contents(600));

  async function write(path: string, bytes: string | Buffer | undefined): Promise<void> {
    await mkdir(dirname(join(folder, path)), { recursive: true });
    await writeFile(join(folder, path), bytes ?? '');
  }

  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), 'behalf-export-'));
    const first = log.held[0];
    if (first !== undefined) first.content = null;
    await write('checkpoint', log.signed);
    for (const place of tilesOf(600)) {
      const path = tilePath(place.index, place.width);
      await write(`tile/0/${path}`, await log.tile(0, place));
      await write(`tile/entries/${path}`, await log.entries(place));
      const lines = (await log.records(place))?.map((text) => `${text ?? 'null'}\n`).join('');
      await write(`records/${path}`, lines);
    }
    await write('tile/1/000.p/2', log.tiles.get('1/0'));
  });
  afterAll(() => rm(folder, { recursive: true, force: true }));

  it('is verified as the log itself', async () => {
    const report = await verifyLog(new FolderSource(folder), parsePolicy(log.policy));
    expect(report).toMatchObject({
      findings: [{ code: 'MISSING', message: 'record 0: missing' }],
      records: 599,
    });
  });

  it('is not there', async () => {
    const report = await verifyLog(new FolderSource(join(folder, 'none')), parsePolicy(log.policy));
    expect(report.findings).toEqual([{ code: 'MISSING', message: 'the log has no checkpoint' }]);
  });

  it('names tiles as C2SP tlog-tiles does', () => {
    expect([tilePath(0, 256), tilePath(67, 112), tilePath(1_000, 256), tilePath(1_234_067, 1)]).toEqual([
      '000',
      '067.p/112',
      'x001/000',
      'x001/x234/067.p/1',
    ]);
  });
});

it('entries that are written are those that are read', () => {
  const bytes = entryBytes({ recordClass: 'access', recordedAtMs: 1, contentHash: Buffer.alloc(32) });
  expect(bytes.toString()).toBe(`behalf-record/v1\naccess\n1\n${'A'.repeat(43)}=\n`);
});
