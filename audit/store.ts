import { sql } from 'kysely';
import type { Kysely, Selectable } from 'kysely';
import { migrate } from '../store/index.js';
import { auditMigrations } from './migrations.js';
import type { AuditDatabase, RecordTable } from './schema.js';

/** The role that a gateway writes under. */
export const AUDIT_WRITER_ROLE = 'behalf_audit_writer';

const APPENDED_COLUMNS = [
  'transaction_id',
  'trace_id',
  'occurred_at',
  'outcome',
  'reason',
  'subject_pseudonym',
  'client_id',
  'actor',
  'consent_id',
  'consent_version',
  'purposes',
  'operation_name',
  'operation_hash',
  'source',
  'fields',
  'service',
  'passed_on_by',
  'passed_on_to',
  'trace_link',
  'unaccounted',
] as const satisfies readonly Exclude<keyof RecordTable, 'seq'>[];

/** Makes or updates the log's tables. */
export async function migrateAudit<Schema>(db: Kysely<Schema>): Promise<void> {
  await migrate(db, { part: 'audit', migrations: auditMigrations });
}

/**
 * Makes the role that may append to the log and do nothing else: it cannot read, change or delete a record, nor see any
 * other table.
 *
 * @param password Replaces the one it had.
 */
export async function createWriterRole<Schema>(
  db: Kysely<Schema>,
  password: string,
  role = AUDIT_WRITER_ROLE,
): Promise<void> {
  await db.transaction().execute(async (transaction) => {
    // Roles are the server's, not the database's: several starts must not make it at once.
    await sql`select pg_advisory_xact_lock(hashtext('behalf audit writer'))`.execute(transaction);
    const { rows } = await sql`select from pg_roles where rolname = ${role}`.execute(transaction);
    const verb = rows.length === 0 ? sql`create` : sql`alter`;
    await sql`${verb} role ${sql.id(role)} login noinherit password ${sql.lit(password)}`.execute(
      transaction,
    );
    await sql`grant usage on schema audit to ${sql.id(role)}`.execute(transaction);
    await sql`revoke all on audit.record from ${sql.id(role)}`.execute(transaction);
    // Not `seq`: whoever could choose a record's place could put it before others, or take the place of the next one.
    const columns = sql.join(APPENDED_COLUMNS.map((column) => sql.id(column)));
    await sql`grant insert (${columns}) on audit.record to ${sql.id(role)}`.execute(transaction);
  });
}

/** The connection string of the writer's role on the same database. */
export function writerUrl(databaseUrl: string, password: string, role = AUDIT_WRITER_ROLE): string {
  const url = new URL(databaseUrl);
  url.username = role;
  url.password = password;
  return url.href;
}

export type StoredAuditRecord = Selectable<RecordTable>;

export interface ReadAuditOptions {
  /** Only records after this position. */
  readonly afterSeq?: number;
  /** Only these of one transaction. */
  readonly transactionId?: string;
  readonly limit: number;
}

/** The newest records, oldest of them first; with `afterSeq`, the first ones after it. */
export async function readAudit(
  db: Kysely<AuditDatabase>,
  { afterSeq, transactionId, limit }: ReadAuditOptions,
): Promise<StoredAuditRecord[]> {
  let query = db.selectFrom('audit.record').selectAll().limit(limit);
  if (transactionId !== undefined) query = query.where('transaction_id', '=', transactionId);
  if (afterSeq !== undefined) return query.where('seq', '>', afterSeq).orderBy('seq').execute();
  return (await query.orderBy('seq', 'desc').execute()).reverse();
}
