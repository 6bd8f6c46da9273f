import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { AuditEvent } from '../../audit/index.js';
import type { StoredAuditRecord } from '../../audit/postgres.js';
import { describeRecord } from '../../cli/actions/describe-record.js';
import { describeApplication } from '../../cli/authority-store.js';
import { composeSupergraph } from '../../gateway/compose/compose.js';
import { jsonLog } from '../../gateway/log.js';
import { printable, printableLines } from '../../gateway/printable.js';
import { behalf } from './support.js';

const ESC = '\u001b';
/** Characters of foreign text that must never reach a terminal. */
const ACTS = /[\p{Cc}\p{Cs}\p{Zl}\p{Zp}]|(?![\u200c\u200d])\p{Cf}/u;
const ACTS_BUT_LINE_FEED = /(?!\n)[\p{Cc}\p{Cs}\p{Zl}\p{Zp}]|(?![\u200c\u200d])\p{Cf}/u;

const HOSTILE = [
  ['an escape sequence that clears the screen', `${ESC}[2J`],
  ['a title that is set', `${ESC}]0;owned\u0007`],
  ['a C1 control sequence', '\u009b2J'],
  ['DEL', '\u007f'],
  ['a line of its own', 'x\nok: nothing denied'],
  ['a carriage return over the line', 'denied\rallowed'],
  ['text from right to left', 'abc\u202edef\u2066'],
  ['separators of lines', 'a\u2028b\u2029c'],
  ['tags beyond the basic plane', 'a\u{e0041}'],
  ['half a surrogate pair', 'a\ud800'],
  ['a byte order mark', '\ufeffa'],
] as const;

describe('foreign text on a terminal', () => {
  it.each(HOSTILE)('%s is escaped', (_case, text) => {
    expect(printable(text)).not.toMatch(ACTS);
    expect(printableLines(`${text}\n`)).not.toMatch(ACTS_BUT_LINE_FEED);
    expect(printable(text)).toMatch(/\\u[0-9a-f]{4}/);
  });

  it('leaves names in any script and emoji unchanged', () => {
    for (const name of ['Åsa Lindqvist', 'सीता देवी', 'می‌خواهم', '👩‍👧', 'محمد'])
      expect(printable(name)).toBe(name);
  });

  it('never acts on it, and JSON stays unchanged (property)', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary' }), (text) => {
        expect(printable(text)).not.toMatch(ACTS);
        const json = JSON.stringify({ [text]: [text] });
        expect(JSON.parse(printable(json))).toEqual(JSON.parse(json));
        expect(JSON.parse(printableLines(JSON.stringify([text], undefined, 2)))).toEqual([text]);
      }),
    );
  });

  it('is truncated if it would fill the screen', () => {
    expect(printable('x'.repeat(10_000), 200)).toHaveLength(201);
  });
});

describe('a command that prints it', () => {
  const everywhere = HOSTILE.map(([, text]) => text).join('');

  it('audit tail: escapes every text of a record', () => {
    const record: StoredAuditRecord = {
      seq: 1,
      occurredAt: new Date(0),
      recordedAt: new Date(0),
      isClockOff: false,
      record: {
        transactionId: crypto.randomUUID(),
        traceId: everywhere,
        time: 0,
        outcome: everywhere as 'answered',
        reason: everywhere,
        caller: {
          subjectPseudonym: everywhere,
          clientId: everywhere,
          actor: everywhere,
          consentId: everywhere,
          consentVersion: 1,
          purposes: [everywhere],
        },
        operationName: everywhere,
        source: everywhere,
        unaccounted: [everywhere],
        fields: [
          {
            coordinate: everywhere,
            decision: everywhere as 'denied',
            count: 1,
            strategy: everywhere,
            rule: everywhere,
            subgraph: everywhere,
          },
        ],
      },
    };
    const lines = describeRecord(record).split('\n');
    expect(lines).toHaveLength(3);
    for (const line of lines) expect(line).not.toMatch(ACTS);
  });

  it('audit tail: prints an event with who, whom, why and what', () => {
    const event: AuditEvent = {
      eventId: crypto.randomUUID(),
      transactionId: crypto.randomUUID(),
      time: Date.UTC(2026, 10, 30, 12),
      event: 'consent-revoked',
      caller: { clientId: 'bank-console', subjectPseudonym: 'pseudonym-of-the-administrator' },
      subjects: ['pseudonym-of-the-person'],
      reason: 'incident 7',
      details: { consentId: 'c-1', scopes: ['a', 'b'], until: Date.UTC(2027, 0, 1) },
    };
    const at = new Date(Date.UTC(2026, 10, 30, 13));
    const stored = { seq: 7, occurredAt: at, recordedAt: at, isClockOff: true, record: event };
    expect(describeRecord(stored).split('\n')).toEqual([
      '#7  2026-11-30T13:00:00.000Z  consent-revoked  by bank-console for subject pseudonym-of…',
      '    happened at 2026-11-30T12:00:00.000Z',
      '    incident 7',
      '    about pseudonym-of…',
      '    consentId: c-1',
      '    scopes: a, b',
      '    until: 2027-01-01T00:00:00.000Z',
    ]);
    const byOperator = { ...event, caller: {}, operator: 'operator:mira' };
    expect(describeRecord({ ...stored, record: byOperator })).toContain('consent-revoked  by operator:mira');
    const byAuthority = { ...event, caller: {} };
    expect(describeRecord({ ...stored, record: byAuthority }).split('\n')[0]).toMatch(/consent-revoked$/);
  });

  it('audit tail: escapes every text of an event', () => {
    const record = {
      transactionId: everywhere,
      time: Number.NaN,
      event: everywhere as 'consent-revoked',
      caller: { clientId: everywhere, subjectPseudonym: everywhere },
      subjects: [everywhere + everywhere],
      reason: everywhere,
      details: { [everywhere]: everywhere, scopes: [everywhere], until: Infinity },
    };
    const stored = { seq: 1, occurredAt: new Date(0), recordedAt: new Date(0), isClockOff: true, record };
    const lines = describeRecord(stored).split('\n');
    expect(lines).toHaveLength(7);
    for (const line of lines) expect(line).not.toMatch(ACTS);
  });

  it('audit tail: truncates a record that is too large', () => {
    const record = {
      seq: 1,
      occurredAt: new Date(0),
      record: {
        outcome: 'answered',
        caller: {},
        operationName: 'n'.repeat(240_000),
        fields: Array.from({ length: 20_000 }, () => ({
          coordinate: 'c'.repeat(1_000),
          decision: 'denied',
          count: 1,
        })),
      },
    } as unknown as StoredAuditRecord;
    const text = describeRecord(record);
    expect(text.length).toBeLessThan(400_000);
    expect(text).toContain('… and 19000 more');
  });

  it('clients show: escapes the name an application registered', () => {
    const lines = describeApplication({
      clientId: everywhere,
      confidential: false,
      registration: {
        displayName: everywhere,
        owner: everywhere,
        contact: everywhere,
        homePage: everywhere,
        redirectUris: [everywhere],
      },
      registeredAt: new Date(0),
      changedAt: new Date(0),
    } as unknown as Parameters<typeof describeApplication>[0]).split('\n');
    expect(lines.length).toBeLessThan(10);
    for (const line of lines) expect(line).not.toMatch(ACTS);
  });

  it('the log: writes each entry as one line of JSON', () => {
    const written: string[] = [];
    const log = jsonLog('info', (line) => void written.push(line));
    log.log('info', 'MESSAGE', { message: everywhere });
    expect(written).toHaveLength(1);
    expect(written[0]?.trimEnd()).not.toMatch(ACTS);
    expect(JSON.parse(written[0] ?? '')).toMatchObject({ message: everywhere });
  });
});

describe('the commands', () => {
  let folder: string;
  const HOSTILE_SDL = `
    extend schema
      @link(url: "https://specs.apollo.dev/federation/v2.9", import: ["@key"])
      @link(url: "https://specs.behalf.dev/behalf/v0.1", import: ["@requiresScope", "@purpose"])
    type Query {
      open: String
      hidden: String @purpose(of: ["\\u001b[2J\\nSCOPE_UNKNOWN \\u009b31m\\u202e"])
    }`;

  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), 'behalf-terminal-'));
    await writeFile(join(folder, 's.graphql'), HOSTILE_SDL);
    await writeFile(
      join(folder, 'supergraph.yaml'),
      'subgraphs:\n  "s":\n    routing_url: http://localhost:1\n    schema: { file: ./s.graphql }\n',
    );
    await writeFile(join(folder, 'broken.graphql'), `type Query { a: Nothing_here }`);
    const sdl = composeSupergraph([{ name: 's', url: 'http://localhost:1', sdl: HOSTILE_SDL }]);
    await writeFile(join(folder, 'new.graphql'), sdl);
    const before = HOSTILE_SDL.replace(/@purpose\(.*/, '');
    await writeFile(
      join(folder, 'old.graphql'),
      composeSupergraph([{ name: 's', url: 'http://localhost:1', sdl: before }]),
    );
    await writeFile(join(folder, 'q.graphql'), 'query Q { open hidden }');
    await writeFile(join(folder, 'bad.graphql'), `query Q { open${ESC}[2J }`);
  });
  afterAll(() => rm(folder, { recursive: true, force: true }));

  it.each([
    ['explain', ['explain', 'q.graphql', '--supergraph', 'new.graphql']],
    ['explain, for programs', ['explain', 'q.graphql', '--supergraph', 'new.graphql', '--format', 'json']],
    ['explain of an invalid operation', ['explain', 'bad.graphql', '--supergraph', 'new.graphql']],
    ['diff', ['diff', 'old.graphql', 'new.graphql']],
    ['diff, for programs', ['diff', 'old.graphql', 'new.graphql', '--format', 'json']],
    ['lint', ['lint', '--config', 'supergraph.yaml', '--policy', 'policy.yaml']],
    ['an error', ['explain', `${ESC}[2J\u202e.graphql`, '--supergraph', 'new.graphql']],
    ['an unknown option', ['lint', `--${ESC}[2J`]],
  ])('%s', async (_case, args) => {
    await writeFile(join(folder, 'policy.yaml'), 'version: 1\nscopes: {}\n');
    const inFolder = args.map((arg) => (/\.(graphql|yaml)$/.test(arg) ? join(folder, arg) : arg));
    const { stdout, stderr } = await behalf(inFolder);
    expect(stdout + stderr).not.toBe('');
    expect(stdout + stderr).not.toMatch(ACTS_BUT_LINE_FEED);
    if (!args.includes('json')) expect(stdout).not.toMatch(/^SCOPE_UNKNOWN/m);
  });
});
