import { randomUUID } from 'node:crypto';
import { sql } from 'kysely';
import type { Kysely } from 'kysely';
import type { AuditEvent, AuditEventName } from './event.js';
import type { RecordClass } from './record-class.js';
import { AuditError } from './errors.js';
import { recordText } from './record-text.js';
import type { AuditDatabase } from './schema.js';

/** Who erases something at a console, and why. Both are recorded. */
export interface Erasing {
  readonly operator: string;
  readonly reason: string;
}

/** Rows in one transaction, so that writers never wait long. */
const ROWS_AT_A_TIME = 10_000;
/** Younger records are never erased: the log's newest records are looked for to notice that they disappear. */
const LEAST_AGE_MS = 2 * 86_400_000;

/** What `verify`, or who reads its report, has to know about the rest of the log: what was erased, and which keys signed it. */
const KEPT_EVENTS: readonly AuditEventName[] = ['records-erased', 'log-key-added', 'log-key-replaced'];

/** Appends a record as the owner of the log's tables. */
export async function appendEvent(db: Kysely<AuditDatabase>, event: AuditEvent): Promise<void> {
  await sql`select from audit.append(${JSON.stringify([recordText(event)])}::jsonb)`.execute(db);
}

/**
 * An event that a command caused, not a request.
 *
 * @throws {AuditError} `AUDIT_REASON_MISSING` if it does not say who or why
 */
export function consoleEvent(
  event: AuditEvent['event'],
  { operator, reason }: Erasing,
  details: Pick<AuditEvent, 'details' | 'subjects'>,
  nowMs: number,
): AuditEvent {
  if (operator.trim() === '' || reason.trim() === '')
    throw new AuditError('AUDIT_REASON_MISSING', { message: 'It must be said who does this, and why' });
  return { transactionId: randomUUID(), time: nowMs, event, caller: {}, operator, reason, ...details };
}

/**
 * Destroys a person's key: their name leads to no pseudonym any more, and every hash stays valid. Records also name consents, and the
 * authority has to forget whose these were first (`forgetSubject` of `@behalf/authority/consent`). If the person comes back, they get
 * another pseudonym. A gateway may use the old one for a minute, which must be over by then.
 *
 * @returns false if the log has no key of theirs
 *
 * @example
 * ```ts
 * import { type AuditDatabase, eraseSubject } from '@behalf/audit/postgres';
 * import { openDatabase } from '@behalf/store';
 *
 * const db = openDatabase<AuditDatabase>('postgres://behalf@db.example/behalf');
 * await eraseSubject(db, 'c-000001', { operator: 'mira', reason: 'request 4711' }, Date.now());
 * await db.destroy();
 * ```
 */
export async function eraseSubject(
  db: Kysely<AuditDatabase>,
  subject: string,
  erasing: Erasing,
  nowMs: number,
): Promise<boolean> {
  return db.transaction().execute(async (trx) => {
    const { rows } = await sql`
      delete from audit.subject_key where subject_hash = sha256(convert_to(${subject}::text, 'UTF8'))
      returning 1`.execute(trx);
    if (rows.length === 0) return false;
    // Without their pseudonym: whoever still knows it elsewhere must not learn here whose it was.
    await appendEvent(trx, consoleEvent('subject-erased', erasing, {}, nowMs));
    return true;
  });
}

/**
 * Erases the texts of old records of one class. Their entries stay in the tree, so every proof and the whole log still verify; a
 * record in the log says what was erased, and `verify` accepts what is missing on its account. Of class `log`, the records that say
 * what was erased and which key follows stay, because verification reads them.
 *
 * @param before only records that were stored before this time
 * @returns how many texts were erased
 * @throws {AuditError} `AUDIT_TOO_YOUNG`, `AUDIT_TIME_INVALID`, `AUDIT_REASON_MISSING`
 *
 * @example
 * ```ts
 * import { type AuditDatabase, eraseRecords } from '@behalf/audit/postgres';
 * import { openDatabase } from '@behalf/store';
 *
 * const db = openDatabase<AuditDatabase>('postgres://behalf@db.example/behalf');
 * const before = new Date(Date.now() - 400 * 86_400_000);
 * const why = { operator: 'mira', reason: 'kept for 400 days' };
 * console.log(await eraseRecords(db, 'access', before, why, Date.now()));
 * await db.destroy();
 * ```
 */
export async function eraseRecords(
  db: Kysely<AuditDatabase>,
  recordClass: RecordClass,
  before: Date,
  erasing: Erasing,
  nowMs: number,
): Promise<number> {
  // A verifier refuses any other, and the record of it could not be taken back.
  if (!(before.getTime() >= 0)) {
    throw new AuditError('AUDIT_TIME_INVALID', {
      message: 'Records are erased before a time, in 1970 or later',
    });
  }
  // By the database's clock, which tells verifiers how old they were.
  if (before.getTime() > (await storedNow(db)) - LEAST_AGE_MS) {
    throw new AuditError('AUDIT_TOO_YOUNG', { message: 'Records of the last two days are not erased' });
  }
  const details = { class: recordClass, before: before.getTime() };
  // First: what is missing without it would be a finding.
  await appendEvent(db, consoleEvent('records-erased', erasing, { details }, nowMs));
  let erased = 0;
  for (let after: Position | undefined = START; after !== undefined;) {
    const { count, last }: Erased = await eraseSome(db, recordClass, before, after);
    erased += count;
    after = last;
  }
  await dropEmptyDays(db, before);
  return erased;
}

async function storedNow(db: Kysely<AuditDatabase>): Promise<number> {
  const { rows } = await sql<{ now: Date }>`select clock_timestamp() as now`.execute(db);
  if (rows[0] === undefined) throw new TypeError('the database did not tell the time');
  return rows[0].now.getTime();
}

/** A place in the order of the records. */
interface Position {
  readonly recordedAt: Date;
  readonly seq: number;
}

interface Erased {
  readonly count: number;
  /** Where to go on; undefined at the end. */
  readonly last: Position | undefined;
}

const START: Position = { recordedAt: new Date(0), seq: 0 };

/** Looks at the next records after a place, so that those of other classes, which stay, are read once. */
async function eraseSome(
  db: Kysely<AuditDatabase>,
  recordClass: RecordClass,
  before: Date,
  after: Position,
): Promise<Erased> {
  const { rows } = await sql<{ count: number; recordedAt: Date | null; seq: number | null }>`
    with looked as materialized (
      select recorded_at, seq, class = ${recordClass} and coalesce(event, '') <> all (${[...KEPT_EVENTS]}::text[]) as old
      from audit.record
      where recorded_at < ${before} and (recorded_at, seq) > (${after.recordedAt}, ${after.seq}::bigint)
      order by recorded_at, seq limit ${ROWS_AT_A_TIME}
    ), gone as (
      delete from audit.record as record using looked
      where record.recorded_at = looked.recorded_at and record.seq = looked.seq and looked.old
      returning record.recorded_at, record.seq
    ), unfound as (
      delete from audit.record_subject as about using gone
      where about.recorded_at = gone.recorded_at and about.seq = gone.seq
    )
    select (select count(*)::integer from gone) as count, last.recorded_at as "recordedAt", last.seq
    from (select) as one left join (
      select recorded_at, seq from looked order by recorded_at desc, seq desc limit 1
    ) as last on true`.execute(db);
  const { count = 0, recordedAt = null, seq = null } = rows[0] ?? {};
  return { count, last: recordedAt === null || seq === null ? undefined : { recordedAt, seq } };
}

/** Partitions of days from which every record is gone. */
async function dropEmptyDays(db: Kysely<AuditDatabase>, before: Date): Promise<void> {
  const { rows } = await sql<{ name: string }>`
    select child.relname as name
    from pg_inherits join pg_class as child on child.oid = inhrelid
    where inhparent = 'audit.record'::regclass and child.relname ~ '^record_[0-9]{8}$'
      and to_date(right(child.relname, 8), 'YYYYMMDD') < (${before}::timestamptz at time zone 'UTC')::date`.execute(
    db,
  );
  for (const { name } of rows) {
    const table = sql.table(`audit.${name}`);
    const { rows: left } = await sql`select 1 from ${table} limit 1`.execute(db);
    if (left.length === 0) await sql`drop table ${table}`.execute(db);
  }
}
