import type { Transaction } from 'kysely';

import type { AuthorityDatabase, AuthoritySchema } from '../schema.js';
import { type ConsentEventRow, replay, type ReplayedConsent, ReplayError } from './replay.js';
import type { ConsentRow } from './rows.js';

const PAGE = 500;
const MAX_DIFFERENCES = 1_000;

/** A consent whose projection differs from its events. */
export interface ConsentDifference {
  readonly consentId: string;
  /** The names of the differing members; never their values, which are personal data. */
  readonly problem: string;
}

/** The result of {@link verifyConsents}. */
export interface ConsentVerification {
  /** The number of compared consents. */
  readonly checked: number;
  /** At most the first thousand. Empty: log and projection agree. */
  readonly differences: readonly ConsentDifference[];
}

/**
 * Compares each consent with a replay of its events, in one read-only transaction and page by page, so that only one page is in
 * memory whatever the size of the store.
 *
 * @example
 * ```ts
 * import { type AuthoritySchema, verifyConsents } from '@behalf/authority/consent';
 * import { openDatabase } from '@behalf/store';
 *
 * const db = openDatabase<AuthoritySchema>('postgres://behalf@db.example/behalf');
 * const { checked, differences } = await verifyConsents(db);
 * console.log(`${checked} consents, ${differences.length} of which differ from their log`);
 * await db.destroy();
 * ```
 */
export async function verifyConsents(db: AuthorityDatabase): Promise<ConsentVerification> {
  return db
    .transaction()
    .setIsolationLevel('repeatable read')
    .setAccessMode('read only')
    .execute(async (trx) => {
      const differences: ConsentDifference[] = [];
      let checked = 0;
      let after = '';
      for (;;) {
        const rows = await pageOf(trx, after);
        const logged = await eventsOf(trx, rows);
        for (const row of rows) {
          const problem = compare(row, logged.get(row.id) ?? []);
          if (problem !== undefined) differences.push({ consentId: row.id, problem });
        }
        checked += rows.length;
        const last = rows.at(-1);
        if (last === undefined || differences.length >= MAX_DIFFERENCES) break;
        after = last.id;
      }
      differences.push(...(await withoutProjection(trx)));
      return { checked, differences: differences.slice(0, MAX_DIFFERENCES) };
    });
}

async function pageOf(trx: Transaction<AuthoritySchema>, after: string): Promise<readonly ConsentRow[]> {
  const all = trx.selectFrom('authority.consent').selectAll();
  return all.where('id', '>', after).orderBy('id').limit(PAGE).execute();
}

async function eventsOf(
  trx: Transaction<AuthoritySchema>,
  rows: readonly ConsentRow[],
): Promise<ReadonlyMap<string, readonly ConsentEventRow[]>> {
  const byConsent = new Map<string, ConsentEventRow[]>();
  if (rows.length === 0) return byConsent;
  const ids = rows.map(({ id }) => id);
  const events = await trx
    .selectFrom('authority.consent_event')
    .selectAll()
    .where('record_id', 'in', ids)
    .orderBy('event_id')
    .execute();
  for (const event of events) {
    const known = byConsent.get(event.record_id);
    if (known === undefined) byConsent.set(event.record_id, [event]);
    else known.push(event);
  }
  return byConsent;
}

/** Consents that are in the log but not in the projection. */
async function withoutProjection(trx: Transaction<AuthoritySchema>): Promise<ConsentDifference[]> {
  const rows = await trx
    .selectFrom('authority.consent_event as e')
    .select('e.record_id')
    .distinct()
    .leftJoin('authority.consent as c', 'c.id', 'e.record_id')
    .where('c.id', 'is', null)
    .limit(MAX_DIFFERENCES)
    .execute();
  return rows.map(({ record_id: consentId }) => ({ consentId, problem: 'is in the log only' }));
}

function compare(row: ConsentRow, events: readonly ConsentEventRow[]): string | undefined {
  let replayed: ReplayedConsent | undefined;
  try {
    replayed = replay(events);
  } catch (error) {
    if (error instanceof ReplayError) return error.message;
    throw error;
  }
  if (replayed === undefined) return 'was never granted by the log';
  const { tokens_not_before: _, ...projected } = row;
  const names = Object.keys(projected) as (keyof ReplayedConsent)[];
  const differing = names.filter(
    (name) => JSON.stringify(projected[name]) !== JSON.stringify(replayed[name]),
  );
  return differing.length === 0 ? undefined : `differs in ${differing.join(', ')}`;
}
