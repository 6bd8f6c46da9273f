import { chmod, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { migrateAudit, searchAudit } from '@behalf/audit/postgres';
import type { AuditDatabase, AuditFilter } from '@behalf/audit/postgres';
import { openDatabase, openDatabaseServer } from '@behalf/store';
import type { Kysely } from 'kysely';
import { printTable } from '../harness/table.js';
import { touchedBy } from './explain.js';
import { fillAudit, pseudonymOf } from './fill.js';

const DAY_MS = 86_400_000;
const DAYS = 100;
const RECORDS_PER_DAY = 100_000;
/** Fifty records of each. */
const PEOPLE = (DAYS * RECORDS_PER_DAY) / 50;
const FIRST = 50;

/** One index finds these in the log's order. The last needs several. */
const PAGES: readonly (readonly [string, AuditFilter])[] = [
  ['a person’s last 50', { subject: pseudonymOf(42) }],
  ['a person’s refusals', { subject: pseudonymOf(42), outcome: 'refused' }],
  ['the newest', {}],
  ['a client, 5 % of all', { client: 'client-3' }],
  ['a rare client, 0.02 %', { client: 'rare-app' }],
  ['an actor', { actor: 'agent-3' }],
  ['refusals, 2 %', { outcome: 'refused' }],
  ['failures, 0.1 %', { outcome: 'failed' }],
  ['events, 0.1 %', { class: 'log' }],
  ['a client’s refusals', { client: 'client-3', outcome: 'refused' }],
  ['an actor’s refusals', { actor: 'agent-3', outcome: 'refused' }],
  ['a coordinate, 60 %', { coordinate: 'Customer.name' }],
  ['a coordinate, 1 %', { coordinate: 'Customer.taxId' }],
  ['a coordinate, 0.01 %', { coordinate: 'Customer.secret' }],
  ['a coordinate that nobody read', { coordinate: 'No.field' }],
  ['a client’s coordinate, 0.05 %', { client: 'client-3', coordinate: 'Customer.taxId' }],
  ['a client’s, 0.0005 %', { client: 'client-3', coordinate: 'Customer.secret' }],
];

/**
 * Fills a log of its own with 10 million records of 100 days, and shows what PostgreSQL touches for one page of a search. It takes a
 * quarter of an hour and 16 GB in the folder for temporary files, and removes them.
 */
export async function benchSearch(): Promise<void> {
  const folder = await mkdtemp(join(tmpdir(), 'behalf-bench-search-'));
  try {
    // PostgreSQL runs as another user if this process is root's.
    await chmod(folder, 0o711);
    const server = await openDatabaseServer({ dataDir: folder, unsafeNoDurability: true });
    const db = openDatabase<AuditDatabase>(server.url, { max: 2, statementTimeoutMs: 0 });
    try {
      await fill(db);
      await benchPages(db);
    } finally {
      await db.destroy();
      await server.stop();
    }
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

async function fill(db: Kysely<AuditDatabase>): Promise<void> {
  await migrateAudit(db);
  await fillAudit(db, {
    days: DAYS,
    recordsPerDay: RECORDS_PER_DAY,
    people: PEOPLE,
    until: new Date(Math.floor(Date.now() / DAY_MS) * DAY_MS),
    progress: (day) => {
      if ((day + 1) % 10 === 0) console.log(`${((day + 1) * RECORDS_PER_DAY).toLocaleString('en')} records`);
    },
  });
}

async function benchPages(db: Kysely<AuditDatabase>): Promise<void> {
  const rows: string[][] = [];
  for (const [name, filter] of PAGES) {
    const next = await benchPage(db, filter, name, rows);
    if (next !== undefined) await benchPage(db, filter, '  and the next page', rows, next);
  }
  console.log(`\nWhat one page of at most ${FIRST} records touches, of ${DAYS * RECORDS_PER_DAY} records`);
  printTable(['page', 'returned', 'rows', 'per record', 'buffers', 'per record'], rows);
}

/** @returns where the search goes on */
async function benchPage(
  db: Kysely<AuditDatabase>,
  filter: AuditFilter,
  name: string,
  rows: string[][],
  after?: string,
): Promise<string | undefined> {
  const page = { first: FIRST, after };
  const { next, records } = await searchAudit(db, filter, page);
  const touched = await touchedBy(db, (explained) => searchAudit(explained, filter, page));
  const perRecord = (count: number): string =>
    records.length === 0 ? '–' : (count / records.length).toFixed(1);
  rows.push([
    name,
    String(records.length),
    String(touched.rows),
    perRecord(touched.rows),
    String(touched.buffers),
    perRecord(touched.buffers),
  ]);
  return next;
}
