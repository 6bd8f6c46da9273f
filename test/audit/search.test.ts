import { randomBytes } from 'node:crypto';
import { sql } from 'kysely';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { fillAudit } from '../../bench/search/fill.js';
import type { AuditEntry } from '../../audit/index.js';
import { MAX_AUDIT_PAGE, searchAudit } from '../../audit/postgres.js';
import type { AuditDatabase, AuditFilter, AuditPage, StoredAuditRecord } from '../../audit/postgres.js';
import { endOf, spansOf } from '../../audit/search/spans.js';
import { TestLog } from './log/support.js';
import { record } from './support.js';
import { createAuditDatabase } from '../support/audit-database.js';
import type { TestDatabase } from '../support/database.js';

const DAY_MS = 86_400_000;
const UNTIL = new Date(Date.UTC(2026, 0, 11));
const daysBefore = (days: number): Date => new Date(UNTIL.getTime() - days * DAY_MS);

type Stored = StoredAuditRecord<AuditEntry>;

let database: TestDatabase<AuditDatabase>;
/** Every record, the newest first. */
let everything: readonly Stored[];

beforeAll(async () => {
  database = await createAuditDatabase();
  await fillAudit(database.db, { days: 10, recordsPerDay: 600, people: 40, until: UNTIL });
  // Many records of one moment: only their sequence tells them apart.
  await sql`update audit.record set recorded_at = ${daysBefore(1)}
    where recorded_at >= ${daysBefore(1)} and recorded_at < ${daysBefore(0.9)}`.execute(database.db);
  await sql`update audit.record_subject set recorded_at = ${daysBefore(1)}
    where recorded_at >= ${daysBefore(1)} and recorded_at < ${daysBefore(0.9)}`.execute(database.db);
  everything = await readAll({});
});
afterAll(() => database.drop());

async function pagesOf(filter: AuditFilter, first = MAX_AUDIT_PAGE): Promise<readonly AuditPage[]> {
  const pages: AuditPage[] = [];
  let after: string | undefined;
  do {
    const page = await searchAudit(database.db, filter, { first, after });
    pages.push(page);
    after = page.next;
  } while (after !== undefined);
  return pages;
}

async function readAll(filter: AuditFilter, first?: number): Promise<readonly Stored[]> {
  return (await pagesOf(filter, first)).flatMap(({ records }) => records);
}

const seqs = (records: readonly Stored[]): number[] => records.map(({ seq }) => seq);

/** The same by looking at every record. */
function matching({ from, until, ...filter }: AuditFilter): readonly Stored[] {
  return everything.filter(({ record: each, recordedAt }) => {
    if ((from !== undefined && recordedAt < from) || (until !== undefined && recordedAt >= until))
      return false;
    const { caller, subjects = [], transactionId } = each;
    const event = 'event' in each ? each.event : undefined;
    const found: Record<keyof typeof filter, readonly unknown[]> = {
      subject: [caller.subjectPseudonym, ...subjects],
      client: [caller.clientId],
      actor: [caller.actor],
      coordinate: 'fields' in each ? each.fields.map(({ coordinate }) => coordinate) : [],
      outcome: ['outcome' in each ? each.outcome : undefined],
      event: [event],
      class: [event === undefined ? 'access' : 'log'],
      transaction: [transactionId],
    };
    return Object.entries(filter).every(([name, value]) =>
      found[name as keyof typeof filter].includes(value),
    );
  });
}

const isOld = ({ record: each, seq }: Stored): boolean => seq < 5 && !('event' in each);

describe('a search', () => {
  it('returns every record once, the newest first, whatever the size of its pages', async () => {
    expect(everything).toHaveLength(6_000);
    const order = [...everything].sort(
      (a, b) => b.recordedAt.getTime() - a.recordedAt.getTime() || b.seq - a.seq,
    );
    expect(seqs(everything)).toEqual(seqs(order));
    expect(seqs(await readAll({ from: daysBefore(1.1) }, 7))).toEqual(
      seqs(matching({ from: daysBefore(1.1) })),
    );
  });

  it.each<AuditFilter>([
    { subject: 'person-7' },
    { subject: 'nobody' },
    { client: 'client-3' },
    { client: 'rare-app' },
    { actor: 'agent-3' },
    { coordinate: 'Customer.name' },
    { coordinate: 'Customer.taxId' },
    { coordinate: 'No.field' },
    { outcome: 'refused' },
    { outcome: 'answered' },
    { event: 'subject-looked-up' },
    { class: 'log' },
    { class: 'access', client: 'client-3' },
    { from: daysBefore(3), until: daysBefore(2) },
    { from: daysBefore(2), until: daysBefore(3) },
    { until: daysBefore(9), outcome: 'intended' },
    { client: 'client-3', outcome: 'refused' },
    { client: 'client-3', outcome: 'refused', coordinate: 'Customer.name' },
    { client: 'client-3', coordinate: 'Customer.taxId' },
    { subject: 'person-7', outcome: 'answered', coordinate: 'Customer.name' },
    { actor: 'agent-3', subject: 'person-9', from: daysBefore(8), until: daysBefore(1) },
  ])('by %j finds what looking at every record finds', async (filter) => {
    expect(seqs(await readAll(filter, 13))).toEqual(seqs(matching(filter)));
  });

  it('by transaction finds its records', async () => {
    const { record: one } = everything[2_345] ?? {};
    if (one === undefined) throw new Error('no record');
    const { transactionId: transaction, caller } = one;
    expect(seqs(await readAll({ transaction }))).toEqual(seqs(matching({ transaction })));
    const subject = caller.subjectPseudonym ?? '';
    expect(seqs(await readAll({ transaction, subject }))).toHaveLength(1);
    expect(seqs(await readAll({ transaction, subject: 'nobody' }))).toEqual([]);
  });

  it('says where a record is in the log', () => {
    for (const { logIndex, seq } of everything.slice(0, 5)) expect(logIndex).toBe(seq);
  });

  it('that few candidates match ends its page early, and goes on', async () => {
    await sql`update audit.record set client_id = 'busy', outcome = case when seq < 5 then 'answered' else 'refused' end
      where outcome is not null`.execute(database.db);
    try {
      const pages = await pagesOf({ client: 'busy', outcome: 'answered' });
      expect(pages.map(({ records }) => records.length)).toEqual([0, matching({}).filter(isOld).length]);
      expect(seqs(pages.flatMap(({ records }) => records))).toEqual(seqs(matching({}).filter(isOld)));
    } finally {
      await sql`update audit.record set client_id = content::json -> 'caller' ->> 'clientId',
        outcome = content::json ->> 'outcome'`.execute(database.db);
    }
  });

  it('does not end at a record that was removed', async () => {
    const [first, second, third] = matching({ subject: 'person-8' });
    await sql`create table kept as select * from audit.record where seq = ${second?.seq}`.execute(
      database.db,
    );
    await sql`delete from audit.record where seq = ${second?.seq}`.execute(database.db);
    try {
      expect(seqs(await readAll({ subject: 'person-8' }, 2)).slice(0, 2)).toEqual([first?.seq, third?.seq]);
    } finally {
      await sql`insert into audit.record select * from kept`.execute(database.db);
    }
  });
});

describe('a search by several indexes', () => {
  const newestMs = UNTIL.getTime();
  const reach = { newestMs, firstLengthMs: 1_000, limitMs: 20_000 };

  it('ends its call after a bounded span, before every record of its last moment', () => {
    const ends = [...spansOf({}, undefined, reach)].map((span) => [span.since, endOf(span, {}, reach)]);
    const at = (seconds: number): Date => new Date(newestMs - seconds * 1_000);
    expect(ends.slice(0, 3)).toEqual([
      [at(1), undefined],
      [at(5), undefined],
      [at(21), { recordedAt: at(21), seq: 0 }],
    ]);
  });

  it('ends at the time from which it searches', () => {
    const filter = { from: new Date(newestMs - 10_000) };
    const spans = [...spansOf(filter, undefined, reach)];
    expect(spans.map(({ since }) => newestMs - (since?.getTime() ?? 0))).toEqual([1_000, 5_000, 10_000]);
    expect(spans.map((span) => endOf(span, filter, reach))).toEqual([undefined, undefined, undefined]);
  });
});

describe('a cursor', () => {
  const filter = { client: 'client-3' };
  const continued = (after: string, of: AuditFilter = filter): Promise<AuditPage> =>
    searchAudit(database.db, of, { first: 5, after });
  const cursorOf = async (of: AuditFilter = filter): Promise<string> =>
    (await searchAudit(database.db, of, { first: 5 })).next ?? '';
  const refused = { code: 'AUDIT_SEARCH_REFUSED', message: '"after" is not a cursor of this search' };

  it('that was changed anywhere is refused', async () => {
    const cursor = await cursorOf();
    for (let at = 0; at < cursor.length; at++) {
      const changed = cursor.slice(0, at) + (cursor[at] === 'A' ? 'B' : 'A') + cursor.slice(at + 1);
      await expect(continued(changed)).rejects.toMatchObject(refused);
    }
  });

  it.each(['', 'x', 'A'.repeat(32), 'A'.repeat(33), '\0'.repeat(32), '9'.repeat(10_000), "' or true --"])(
    'that is %j is refused',
    async (cursor) => {
      await expect(continued(cursor)).rejects.toMatchObject(refused);
    },
  );

  it('of another person’s history is refused', async () => {
    const cursor = await cursorOf({ subject: 'person-8' });
    await expect(continued(cursor, { subject: 'person-9' })).rejects.toMatchObject(refused);
    await expect(continued(cursor, {})).rejects.toMatchObject(refused);
    expect((await continued(cursor, { subject: 'person-8' })).records).toHaveLength(5);
  });

  it('stays valid while records arrive', async () => {
    const log = await TestLog.create(`audit_search_${randomBytes(6).toString('hex')}`);
    try {
      await log.append(3);
      const { next = '', records } = await searchAudit(log.database.db, {}, { first: 2 });
      await log.append(3);
      const rest = await searchAudit(log.database.db, {}, { first: 2, after: next });
      expect([...records, ...rest.records].map(({ logIndex }) => logIndex)).toEqual([2, 1, 0]);
      expect(rest.next).toBeUndefined();
    } finally {
      await log.drop();
    }
  });
});

describe('what cannot be searched for is refused, without being quoted', () => {
  const WILD = 'wild\0value';
  it.each([
    ['subject', '../etc/passwd'],
    ['subject', 'x'.repeat(129)],
    ['subject', ''],
    ['client', WILD],
    ['client', '\ud800'],
    ['actor', ''],
    ['coordinate', 'x'.repeat(1_025)],
    ['coordinate', WILD],
    ['outcome', 'toString'],
    ['event', '__proto__'],
    ['class', 'none'],
    ['transaction', '1 or 1=1'],
    ['from', new Date(Number.NaN)],
    ['until', new Date(8.64e15)],
    ['toString', 'x'],
    ['client', ['client-3']],
  ])('%s %j', async (name, value) => {
    const filter = { [name]: value } as unknown as AuditFilter;
    await expect(searchAudit(database.db, filter, { first: 5 })).rejects.toMatchObject({
      code: 'AUDIT_SEARCH_REFUSED',
      message: `"${name}" cannot be searched for`,
    });
  });

  it.each([0, -1, 101, 1.5, Number.NaN])('a page of %s', async (first) => {
    await expect(searchAudit(database.db, {}, { first })).rejects.toMatchObject({
      code: 'AUDIT_SEARCH_REFUSED',
      message: '"first" must be from 1 to 100',
    });
  });

  it('but a coordinate or client of any printable text is only unknown', async () => {
    for (const wild of ["Customer.name'); drop table audit.record; --", '{}', '%', 'ü', 'a"b']) {
      expect(await readAll({ coordinate: wild })).toEqual([]);
      expect(await readAll({ client: wild })).toEqual([]);
    }
  });
});

it('finds records in the partition for the rest', async () => {
  const log = await TestLog.create(`audit_search_${randomBytes(6).toString('hex')}`);
  try {
    const [old] = [record({ caller: { clientId: 'old-app' } })];
    await log.sink.append(old);
    await sql`update audit.record set recorded_at = '2001-02-03'`.execute(log.database.db);
    const { records } = await searchAudit(log.database.db, { client: 'old-app' }, { first: 5 });
    expect(records.map(({ record: { transactionId } }) => transactionId)).toEqual([old.transactionId]);
  } finally {
    await log.drop();
  }
});
