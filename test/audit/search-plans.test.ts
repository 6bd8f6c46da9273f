import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { touchedBy } from '../../bench/search/explain.js';
import type { Touched } from '../../bench/search/explain.js';
import { fillAudit, pseudonymOf } from '../../bench/search/fill.js';
import { searchAudit } from '../../audit/postgres.js';
import type { AuditDatabase, AuditFilter } from '../../audit/postgres.js';
import { createAuditDatabase } from '../support/audit-database.js';
import type { TestDatabase } from '../support/database.js';

const DAYS = 20;
const RECORDS_PER_DAY = 1_000;
const UNTIL = new Date(Date.UTC(2026, 0, 11));
const FIRST = 50;

let database: TestDatabase<AuditDatabase>;

beforeAll(async () => {
  database = await createAuditDatabase();
  const options = { days: DAYS, recordsPerDay: RECORDS_PER_DAY, people: 100, until: UNTIL };
  await fillAudit(database.db, options);
});
afterAll(() => database.drop());

interface Measured extends Touched {
  readonly returned: number;
  readonly next?: string;
}

/** From the log's end, wherever the present is. */
async function measure(members: AuditFilter, after?: string): Promise<Measured> {
  const [filter, search] = [
    { until: UNTIL, ...members },
    { first: FIRST, after },
  ];
  const { next, records } = await searchAudit(database.db, filter, search);
  const touched = await touchedBy(database.db, (db) => searchAudit(db, filter, search));
  return { ...touched, returned: records.length, ...(next === undefined ? {} : { next }) };
}

/** Each record is read with its entry of the log, and one more record tells whether there is a next page. */
const exactly = (returned: number): number => 2 * (returned + 1);
/** The newest record of each partition in a span of time may be read before PostgreSQL knows which of them is the newest. */
const SLACK = 2 * 8;

describe('a page reads what it returns, and one record more', () => {
  it.each<AuditFilter>([
    {},
    { client: 'client-3' },
    { client: 'client-3', outcome: 'refused' },
    { actor: 'agent-3' },
    { outcome: 'refused' },
    { class: 'log' },
    { event: 'subject-looked-up' },
    { client: 'rare-app' },
    { client: 'client-3', until: new Date(Date.UTC(2026, 0, 4)) },
  ])('of %j', async (filter) => {
    const { next, returned, rows } = await measure(filter);
    expect(rows).toBeLessThanOrEqual(exactly(returned) + SLACK);
    if (next === undefined) return;
    const second = await measure(filter, next);
    expect(second.rows).toBeLessThanOrEqual(exactly(second.returned) + SLACK);
  });

  it('of a person’s history, with the table that leads to it', async () => {
    const { next, returned, rows } = await measure({ subject: pseudonymOf(42) });
    expect(returned).toBe(FIRST);
    expect(rows).toBeLessThanOrEqual(3 * (FIRST + 1));
    expect(next).toBeDefined();
  });

  it('of a person without a history', async () => {
    expect((await measure({ subject: 'nobody' })).rows).toBe(0);
  });
});

describe('a page by indexes without an order reads a small part of the log', () => {
  it.each<[AuditFilter, number]>([
    [{ coordinate: 'Customer.name' }, FIRST],
    [{ coordinate: 'Customer.taxId' }, FIRST],
    [{ coordinate: 'Account.field5' }, FIRST],
    [{ coordinate: 'Customer.secret' }, 0],
    [{ coordinate: 'No.field' }, 0],
    [{ client: 'client-3', coordinate: 'Customer.name' }, FIRST],
    [{ client: 'rare-app', coordinate: 'Customer.name' }, 2],
    [{ client: 'client-3', outcome: 'refused', coordinate: 'Customer.name' }, 13],
    [{ actor: 'agent-3', outcome: 'refused' }, 2],
  ])('of %j', async (filter, expected) => {
    const { returned, rows } = await measure(filter);
    expect(returned).toBe(expected);
    expect(rows).toBeLessThan((DAYS * RECORDS_PER_DAY) / 10);
  });
});
