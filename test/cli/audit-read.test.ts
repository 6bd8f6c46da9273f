import { randomBytes } from 'node:crypto';
import { appendFile, mkdtemp, readFile, rm, stat, truncate, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { sql } from 'kysely';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { FileAuditSink } from '../../audit/index.js';
import type { AuditEntry } from '../../audit/index.js';
import { appendEvent, consoleEvent } from '../../audit/erase.js';
import { lookUpSubject, pseudonymOf, readAuditEntries } from '../../audit/postgres.js';
import { auditTail } from '../../cli/actions/audit-tail.js';
import { TestLog } from '../audit/log/support.js';
import { record } from '../audit/support.js';
import { until } from '../support/wait.js';
import { behalf } from './support.js';
import type { Ended } from './support.js';

const FIELD = { coordinate: 'Customer.taxId', decision: 'allowed', count: 1 } as const;

let folder: string;
let log: TestLog;
let alma: string;
/** In the log, the oldest first. */
let entries: readonly AuditEntry[];
/** The same, as a gateway's file. */
let file: string;
const UNREADABLE_ID = '00000000-0000-4000-8000-000000000003';
const REQUEST = { class: 'access', transactionId: UNREADABLE_ID, outcome: 'answered' };

const run = (...args: string[]): Promise<Ended> =>
  behalf(['audit', ...args], '', { DATABASE_URL: log.database.url });
const inFile = (...args: string[]): Promise<Ended> => behalf(['audit', ...args, '--file', file]);

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'behalf-audit-read-'));
  file = join(folder, 'audit.jsonl');
  log = await TestLog.create(`cli_${randomBytes(6).toString('hex')}`);
  alma = await pseudonymOf(log.database.db, 'alma');
  entries = [
    record({ time: Date.now() - 5_000, caller: { clientId: 'old-app', subjectPseudonym: 'somebody' } }),
    record({ caller: { clientId: 'budget-app', subjectPseudonym: alma }, fields: [FIELD] }),
    record({ caller: { clientId: 'bank-console', actor: 'agent' }, subjects: [alma], outcome: 'refused' }),
    record({ outcome: 'intended', mutates: ['Mutation.pay'], caller: { clientId: 'budget-app' } }),
  ];
  const sink = await FileAuditSink.open(file);
  for (const entry of entries) {
    await log.sink.append(entry);
    await sink.append(entry);
  }
  await sink.close();
});
afterAll(async () => {
  await log.drop();
  await rm(folder, { recursive: true, force: true });
});

/** Which of the entries each line is. */
function placesOf({ stdout }: Ended): number[] {
  return stdout
    .split('\n')
    .filter((line) => line !== '')
    .map((line) => {
      const { record: shown } = JSON.parse(line) as { record: AuditEntry };
      return entries.findIndex(({ transactionId }) => transactionId === shown.transactionId);
    });
}

const SEARCHES: [string[], number[]][] = [
  [[], [3, 2, 1, 0]],
  [
    ['-n', '2'],
    [3, 2],
  ],
  [
    ['--client', 'budget-app'],
    [3, 1],
  ],
  [['--actor', 'agent'], [2]],
  [['--coordinate', 'Customer.taxId'], [1]],
  [['--coordinate', 'Mutation.pay'], [3]],
  [['--outcome', 'refused'], [2]],
  [
    ['--outcome', 'answered', '--class', 'access'],
    [1, 0],
  ],
  [['--client', 'nobody'], []],
  [['--event', 'subject-erased'], []],
  [['--from', '2999-01-01'], []],
  [
    ['--until', '2999-01-01', '--from', '2000-01-01'],
    [3, 2, 1, 0],
  ],
];

describe('audit search', () => {
  it.each(SEARCHES)('%j finds the same in the database and in a file', async (args, expected) => {
    for (const ended of [
      await run('search', ...args, '--format', 'json'),
      await inFile('search', ...args, '--format', 'json'),
    ]) {
      expect(ended.code).toBe(0);
      expect(placesOf(ended)).toEqual(expected);
    }
  });

  it('by pseudonym finds what the person’s application read, and what others read of theirs', async () => {
    const args = ['search', '--pseudonym', alma, '--format', 'json'];
    expect(placesOf(await inFile(...args))).toEqual([2, 1]);
    // Without the other searches' own records.
    const among = ['--class', 'access', '--reason', 'complaint 9'];
    expect(placesOf(await run(...args, ...among))).toEqual([2, 1]);
  });

  it('by transaction finds its record', async () => {
    const { transactionId = '' } = entries[1] ?? {};
    for (const search of [run, inFile]) {
      expect(placesOf(await search('search', '--transaction', transactionId, '--format', 'json'))).toEqual([
        1,
      ]);
    }
  });

  it('says on stderr when nothing matches, and when there is more', async () => {
    for (const search of [run, inFile]) {
      expect(await search('search', '--client', 'nobody')).toMatchObject({
        stdout: '',
        stderr: 'No record matches\n',
      });
      expect((await search('search', '-n', '1')).stderr).toBe('There are more than 1: see --lines\n');
    }
  });

  it('shows a record to people, and as OCSF', async () => {
    for (const search of [run, inFile]) {
      const human = await search('search', '--actor', 'agent');
      expect(human.stdout).toMatch(/refused {2}\(unnamed operation\) {2}bank-console for subject/);
      const { stdout } = await search('search', '--actor', 'agent', '--format', 'ocsf');
      expect(JSON.parse(stdout)).toMatchObject({ class_uid: 6003, status: 'Failure' });
    }
  });

  it('shows what a mutation was about to do', async () => {
    const { stdout } = await behalf(['audit', 'search', '--file', file, '--outcome', 'intended']);
    expect(stdout).toMatch(/ {2}intended {2}.*\n {4}about to run Mutation\.pay$/m);
  });

  it('of more records than a page has prints them all', async () => {
    const many = await TestLog.create(`cli_${randomBytes(6).toString('hex')}`);
    try {
      await many.append(230);
      const { stdout } = await behalf(['audit', 'search', '-n', '220', '--format', 'json'], '', {
        DATABASE_URL: many.database.url,
      });
      expect(stdout.trimEnd().split('\n')).toHaveLength(220);
    } finally {
      await many.drop();
    }
  });
});

describe('audit search for a person by name', () => {
  const search = (...more: string[]): Promise<Ended> =>
    run('search', '--subject', 'alma', '--format', 'json', ...more);

  it('is recorded before anything is found, with the reason and who did it', async () => {
    const ended = await search('--reason', 'access request 4711', '--by', 'dana');
    const [newest, ...rest] = ended.stdout
      .trimEnd()
      .split('\n')
      .map((line) => JSON.parse(line) as { record: unknown });
    expect(newest?.record).toMatchObject({
      event: 'subject-looked-up',
      reason: 'access request 4711',
      operator: 'dana',
      subjects: [alma],
    });
    expect(rest.length).toBeGreaterThanOrEqual(2);
    expect(ended.stdout).not.toContain('"alma"');
    const human = await run('search', '--event', 'subject-looked-up');
    expect(human.stdout).toContain('subject-looked-up  by dana\n    access request 4711\n    about ');
  });

  it.each([
    [['--subject', 'alma'], '--subject needs --reason'],
    [['--subject', 'alma', '--reason', ' '], '--subject needs --reason'],
    [['--subject', 'alma', '--reason', 'x', '--pseudonym', 'y'], 'name a person twice'],
    [['--subject', 'alma', '--reason', 'x', '--file', '/none'], 'needs the database'],
    [['--reason', 'x'], '--reason is for --subject'],
    [['--pseudonym', 'x'], '--pseudonym needs --reason'],
    [['--pseudonym', 'x', '--reason', ' '], '--pseudonym needs --reason'],
    [['--pseudonym', 'x', '--reason', 'x', '--file', '/none'], '--reason is for --subject'],
  ])('%j is refused, and nothing is recorded', async (args, message) => {
    const count = async (): Promise<number> =>
      (await readAuditEntries(log.database.db, { limit: 100 })).length;
    const before = await count();
    const ended = await run('search', ...args);
    expect(ended).toMatchObject({ code: 1, stdout: '' });
    expect(ended.stderr).toContain(`USAGE: `);
    expect(ended.stderr).toContain(message);
    expect(await count()).toBe(before);
  });

  it('by pseudonym is recorded as well, once, if there are records', async () => {
    const args = ['search', '--format', 'json', '-n', '1', '--by', 'dana'];
    await run(...args, '--pseudonym', alma, '--reason', 'complaint 10');
    await run(...args, '--pseudonym', 'nobody', '--reason', 'complaint 11');
    const records = (await readAuditEntries(log.database.db, { limit: 100 })).map(({ record }) => record);
    expect(records.filter((each) => 'event' in each && each.reason?.startsWith('complaint 1'))).toMatchObject(
      [{ event: 'subject-looked-up', operator: 'dana', reason: 'complaint 10', subjects: [alma] }],
    );
  });

  it('shows nothing if it cannot be recorded', async () => {
    await log.run('alter function audit.append(jsonb) rename to gone');
    try {
      expect(await search('--reason', 'x')).toMatchObject({ code: 1, stdout: '' });
      expect(await run('search', '--pseudonym', alma, '--reason', 'x')).toMatchObject({
        code: 1,
        stdout: '',
      });
    } finally {
      await log.run('alter function audit.gone(jsonb) rename to append');
    }
  });

  it.each([
    [['--pseudonym', '../x', '--reason', 'x'], 'AUDIT_SEARCH_REFUSED: "subject" cannot be searched for'],
    [['--client', 'a\0b'], 'AUDIT_SEARCH_REFUSED: "client" cannot be searched for'],
    [['--outcome', 'none'], 'Allowed choices are answered'],
    [['--event', '__proto__'], 'must be an event of docs/reference/audit-events.md'],
    [['--from', 'yesterday'], 'must be a day or a time'],
    [['--transaction', '1'], 'must be the behalf-transaction'],
    [['-n', '0'], 'must be a whole number above 0'],
    [['--file', '/none'], 'FILE_UNREADABLE: /none cannot be read: ENOENT'],
    [['--file', tmpdir()], 'it is not a file'],
  ])('refuses %j', async (args, message) => {
    const { code, stderr } = await run('search', ...args);
    expect(code).toBe(1);
    expect(stderr).toContain(message);
  });
});

describe('audit tail', () => {
  it('prints the newest of a file, the oldest first', async () => {
    expect(placesOf(await inFile('tail', '-n', '3', '--format', 'json'))).toEqual([1, 2, 3]);
    expect((await inFile('tail', '-n', '1')).stdout).toContain('intended');
  });

  it('prints the database’s as OCSF', async () => {
    const { stdout } = await run('tail', '-n', '1', '--format', 'ocsf');
    expect(JSON.parse(stdout)).toMatchObject({
      class_uid: 6003,
      metadata: { sequence: expect.any(Number) as number },
    });
  });

  it('of records that no gateway wrote says that they are none, and search and export do so, too', async () => {
    const UNREADABLE = [
      { caller: {} },
      { caller: { clientId: { a: 1 } }, fields: [], reason: 5 },
      { caller: {}, fields: [{ coordinate: 'Query.me' }] },
      { caller: null, fields: [] },
    ];
    const texts = UNREADABLE.map((each) => JSON.stringify({ ...REQUEST, time: Date.now(), ...each }));
    await sql`select audit.append(${JSON.stringify(texts)}::jsonb)`.execute(log.database.db);
    const none = /^(?:#\d+ {2}\S+ {2}record-unreadable\n){4}$/;
    expect((await run('tail', '-n', '4')).stdout).toMatch(none);
    expect((await run('search', '--transaction', UNREADABLE_ID)).stdout).toMatch(none);
    const target = join(folder, 'of-unreadable.jsonl');
    expect(await run('export', target, '--format', 'ocsf')).toMatchObject({ code: 0, stderr: '' });
    await log.run(`delete from audit.record where transaction_id = '${UNREADABLE_ID}'`);
  });

  it('follows a file that grows, and ends when it becomes shorter', async () => {
    const path = join(folder, 'growing.jsonl');
    await writeFile(path, `${JSON.stringify(entries[0])}\n`);
    const lines: string[] = [];
    // Each wait lets the file grow a bit, in the middle of a record as well.
    const second = JSON.stringify(entries[1]);
    const steps = [
      () => appendFile(path, second.slice(0, 40)),
      () => appendFile(path, `${second.slice(40)}\n${JSON.stringify(entries[2])}\n`),
      () => truncate(path, 10),
    ];
    const clock = {
      sleep: async () => {
        await steps.shift()?.();
      },
    };
    const following = auditTail(
      { source: { file: path }, limit: 5, format: 'json', follow: true, clock },
      { print: (line) => lines.push(line), warn: (line) => lines.push(line) },
    );
    await expect(following).rejects.toMatchObject({ code: 'FILE_UNREADABLE' });
    expect(placesOf({ code: 0, stdout: lines.join('\n'), stderr: '' })).toEqual([0, 1, 2]);
  });

  it('follows the database until it is interrupted', async () => {
    const lines = await followed(async (shown) => {
      await lookUpSubject(log.database.db, 'noor', { reason: 'followed' }, Date.now());
      await shown(2);
    });
    expect(lines[1]).toContain('followed');
  });

  it('follows records that are committed after later ones', async () => {
    const lost = (reason: string) =>
      consoleEvent('records-lost', { operator: 'tester', reason }, { details: { count: 1 } }, Date.now());
    const lines = await followed(async (shown) => {
      await log.database.db.transaction().execute(async (slow) => {
        await appendEvent(slow, lost('slow'));
        await appendEvent(log.database.db, lost('fast'));
        await shown(2);
      });
      await shown(3);
    });
    expect(lines.slice(1)).toEqual([expect.stringContaining('fast'), expect.stringContaining('slow')]);
  });
});

/** What `tail --follow` prints while something happens: the newest record first. */
async function followed(
  happening: (shown: (count: number) => Promise<unknown>) => Promise<void>,
): Promise<readonly string[]> {
  const lines: string[] = [];
  const stop = new AbortController();
  const source = { databaseUrl: log.database.url };
  const following = auditTail(
    { source, limit: 1, format: 'json', follow: true, signal: stop.signal },
    { print: (line) => lines.push(line), warn: (line) => lines.push(line) },
  );
  const shown = (count: number) => until(() => lines.length === count, `${count} are shown`);
  await shown(1);
  await happening(shown);
  stop.abort();
  await following;
  return lines;
}

describe('a file with lines that are no records', () => {
  const HOSTILE = [
    '',
    'null',
    '[]',
    '{}',
    '{"transactionId":"x","time":1e99,"outcome":"answered","caller":{},"fields":[]}',
    '{"transactionId":"x","time":1,"outcome":"answered","caller":{},"fields":[null]}',
    '{"transactionId":"x","time":1,"outcome":"answered","caller":null,"fields":[]}',
    '{"transactionId":"x","time":1',
    '{"transactionId":"x","time":1,"outcome":"answered","caller":{"purposes":[{}]},"fields":[]}',
    '{"transactionId":"x","time":1,"outcome":"answered","caller":{},"fields":[],"subjects":"x"}',
    '{"transactionId":"x","time":1,"outcome":"answered","caller":{},"fields":[],"reason":{"toString":1}}',
    '{"transactionId":"x","time":1,"event":"x","caller":{},"details":"x"}',
    '{"transactionId":"x","time":1,"event":"x","caller":{},"details":{"a":{}}}',
    'x'.repeat(200_000),
    '\u001b[2J',
  ];

  it('shows the others, and says so', async () => {
    const path = join(folder, 'hostile.jsonl');
    const shown = entries.map((entry) => JSON.stringify(entry));
    const lines = [shown[0], ...HOSTILE, shown[1], 'x'.repeat(3 * 1024 * 1024), shown[2]];
    await writeFile(path, `${lines.join('\n')}\n{"cut off`);
    const damaged = `${path}: a line is no record\n`.repeat(HOSTILE.length + 1);
    const found = await behalf(['audit', 'search', '--format', 'json', '--file', path]);
    expect(placesOf(found)).toEqual([2, 1, 0]);
    expect(found.stderr).toBe(damaged);
    const tail = await behalf(['audit', 'tail', '-n', '100', '--format', 'json', '--file', path]);
    expect(placesOf(tail)).toEqual([0, 1, 2]);
    const target = join(folder, 'of-hostile.jsonl');
    const exported = await behalf(['audit', 'export', target, '--format', 'json', '--file', path]);
    expect(exported).toMatchObject({ code: 0, stdout: `3 records are in ${target}\n`, stderr: damaged });
  });

  it('escapes what could act on a terminal', async () => {
    const path = join(folder, 'escapes.jsonl');
    const acting = { caller: { clientId: '\u001b[2J' }, operationName: '\u001b[2J', time: 1e15 };
    await writeFile(path, `${JSON.stringify({ ...entries[0], ...acting })}\n`);
    for (const format of ['human', 'json', 'ocsf']) {
      const { stdout } = await behalf(['audit', 'tail', '--format', format, '--file', path]);
      expect(stdout).toContain('\\u001b[2J');
      expect(stdout).not.toContain('\u001b');
    }
  });

  it('is empty without records', async () => {
    const path = join(folder, 'empty.jsonl');
    await writeFile(path, '');
    expect(await behalf(['audit', 'tail', '--file', path])).toEqual({ code: 0, stdout: '', stderr: '' });
    expect((await behalf(['audit', 'search', '--file', path])).stderr).toBe('No record matches\n');
  });
});

describe('audit export of records', () => {
  it.each(['json', 'ocsf'])(
    'writes them to a file that only its owner can read, the oldest first: %s',
    async (format) => {
      const target = join(folder, `exported.${format}`);
      const { stdout } = await run('export', target, '--format', format);
      const lines = (await readFile(target, 'utf8')).trimEnd().split('\n');
      expect(stdout).toBe(`${lines.length} records are in ${target}\n`);
      const first = JSON.parse(lines[0] ?? '') as { seq?: number; class_uid?: number };
      expect(format === 'json' ? first.seq : first.class_uid).toBe(format === 'json' ? 1 : 6003);
      expect((await stat(target)).mode & 0o777).toBe(0o600);
    },
  );

  it('keeps to the times, in the database and in a file', async () => {
    const now = new Date().toISOString();
    for (const [name, args, count] of [
      ['from', ['--from', '2000-01-01', '--until', now], 'all'],
      ['none', ['--from', now], 0],
      ['before', ['--until', '2000-01-01'], 0],
    ] as const) {
      for (const [source, command] of [
        ['database', run],
        ['file', inFile],
      ] as const) {
        const target = join(folder, `${name}-${source}.jsonl`);
        await command('export', target, '--format', 'json', ...args);
        const { size } = await stat(target);
        if (count === 0) expect(size).toBe(0);
        else expect(size).toBeGreaterThan(0);
      }
    }
  });

  it.each([
    [
      'a file that is there',
      ['export', '/etc/hostname', '--format', 'json'],
      'FILE_UNWRITABLE: /etc/hostname cannot be written: it is there already',
    ],
    [
      'a folder that is not',
      ['export', '/none/x', '--format', 'json'],
      'FILE_UNWRITABLE: /none/x cannot be written: ENOENT',
    ],
    ['tiles of a file', ['export', '/none', '--file', 'x'], 'USAGE: a file is no log'],
    ['tiles of some time', ['export', '/none', '--from', '2000-01-01'], 'USAGE: tiles are of the whole log'],
  ])('refuses %s', async (_what, args, message) => {
    const { code, stderr } = await run(...args);
    expect(code).toBe(1);
    expect(stderr).toContain(message);
  });
});
