import { randomUUID } from 'node:crypto';
import { sql } from 'kysely';
import type { Kysely } from 'kysely';
import { withoutUndefined } from '@behalf/directives/internal';
import { appendEvent } from './erase.js';
import type { AuditCaller } from './caller.js';
import type { AuditDatabase } from './schema.js';
import { checkSubject } from './search/filter.js';

/** Who looks for somebody's records, and why. It is recorded. */
export interface LookUp {
  readonly reason: string;
  /** Who does it at a command line or a console, as they named themselves. */
  readonly operator?: string;
  /** The caller of the request that does it. Default: nobody's token is involved. */
  readonly caller?: AuditCaller;
  /** Of that request. Default: a new one. */
  readonly transactionId?: string;
  /** Of that request, 32 hex digits. */
  readonly traceId?: string;
}

/**
 * The pseudonym under which records name a person, for themselves. For anybody else, use {@link lookUpSubject}.
 *
 * @throws {AuditError} `AUDIT_SEARCH_REFUSED` when it cannot be a name
 *
 * @example
 * ```ts
 * import { type AuditDatabase, pseudonymOf, searchAudit } from '@behalf/audit/postgres';
 * import { openDatabase } from '@behalf/store';
 *
 * const db = openDatabase<AuditDatabase>('postgres://behalf_audit_reader@db.example/behalf');
 * export async function historyOf(signedIn: string) {
 *   return searchAudit(db, { subject: await pseudonymOf(db, signedIn) }, { first: 50 });
 * }
 * ```
 */
export async function pseudonymOf(db: Kysely<AuditDatabase>, subject: string): Promise<string> {
  checkSubject(subject);
  const { rows } = await sql<{ pseudonym: string }>`
    select pseudonym from audit.pseudonyms(array[${subject}]::text[])`.execute(db);
  const [row] = rows;
  if (row === undefined) throw new TypeError('audit.pseudonyms answered nothing');
  return row.pseudonym;
}

/**
 * The pseudonym under which records name a person, for somebody else. The event `subject-looked-up` is durable before it returns,
 * so nobody learns the pseudonym unseen; it is about that person, who finds it in their history. Nobody gets a pseudonym by being
 * looked for.
 *
 * @param nowMs milliseconds since the epoch
 * @returns undefined if no record can name them: the log never knew them, or they were erased
 * @throws {AuditError} `AUDIT_SEARCH_REFUSED` when it cannot be a name
 *
 * @example
 * ```ts
 * import { type AuditDatabase, lookUpSubject, searchAudit } from '@behalf/audit/postgres';
 * import { openDatabase } from '@behalf/store';
 *
 * const db = openDatabase<AuditDatabase>('postgres://auditor@db.example/behalf');
 * const why = { operator: 'dana', reason: 'access request 4711' };
 * const subject = await lookUpSubject(db, 'c-000001', why, Date.now());
 * if (subject !== undefined) {
 *   const { records } = await searchAudit(db, { subject }, { first: 50 });
 *   console.log(records.length);
 * }
 * await db.destroy();
 * ```
 */
export async function lookUpSubject(
  db: Kysely<AuditDatabase>,
  subject: string,
  lookUp: LookUp,
  nowMs: number,
): Promise<string | undefined> {
  checkSubject(subject);
  return db.transaction().execute(async (trx) => {
    const { rows } = await sql<{ pseudonym: string | null }>`
      select audit.known_pseudonym(${subject}) as pseudonym`.execute(trx);
    const pseudonym = rows[0]?.pseudonym ?? undefined;
    await append(trx, pseudonym, lookUp, nowMs);
    return pseudonym;
  });
}

/**
 * Records that somebody else reads the records of a person whose pseudonym they know from a record, as {@link lookUpSubject} does
 * for a name. Call it with what was found, before it is shown: a pseudonym that no record has is a text that anybody made up.
 *
 * @param nowMs milliseconds since the epoch
 *
 * @example
 * ```ts
 * import { type AuditDatabase, recordLookUp, searchAudit } from '@behalf/audit/postgres';
 * import { openDatabase } from '@behalf/store';
 *
 * const db = openDatabase<AuditDatabase>('postgres://auditor@db.example/behalf');
 * export async function recordsOf(pseudonym: string) {
 *   const { records } = await searchAudit(db, { subject: pseudonym }, { first: 50 });
 *   const why = { operator: 'dana', reason: 'access request 4711' };
 *   if (records.length > 0) await recordLookUp(db, pseudonym, why, Date.now());
 *   return records;
 * }
 * ```
 */
export async function recordLookUp(
  db: Kysely<AuditDatabase>,
  pseudonym: string,
  lookUp: LookUp,
  nowMs: number,
): Promise<void> {
  await append(db, pseudonym, lookUp, nowMs);
}

async function append(
  db: Kysely<AuditDatabase>,
  pseudonym: string | undefined,
  { caller = {}, operator, reason, traceId, transactionId = randomUUID() }: LookUp,
  nowMs: number,
): Promise<void> {
  const subjects = pseudonym === undefined ? undefined : [pseudonym];
  const event = { transactionId, time: nowMs, event: 'subject-looked-up', caller, reason } as const;
  await appendEvent(db, { ...event, ...withoutUndefined({ operator, traceId, subjects }) });
}
