import type { Kysely } from 'kysely';
import { withoutUndefined } from '@behalf/directives/internal';
import { createGatewayRole, migrate } from '@behalf/store/internal';
import { auditMigrations } from './migrations.js';
import { createPartitions } from './partitions.js';
import { readStoredEntry } from './read-entry.js';
import { roleUrl } from './role-url.js';
import type { AuditEntry, AuditRecord } from './record.js';
import type { AuditDatabase } from './schema.js';

/**
 * The database role that gateways write under, unless {@link createWriterRole} is given another name.
 *
 * @example
 * ```ts
 * import { AUDIT_WRITER_ROLE } from '@behalf/audit/postgres';
 *
 * console.log(`postgres://${AUDIT_WRITER_ROLE}:password@db.example/behalf`);
 * ```
 */
export const AUDIT_WRITER_ROLE = 'behalf_audit_writer';

/** Each gateway has one connection. The authority and the replay role need the rest. */
const CONNECTIONS_PERCENT = 25;

/**
 * Creates or updates the log's tables, and the functions that are the only way to append. Several processes may call it at the same
 * time.
 *
 * @throws StoreError `MIGRATION_FAILED`, `DATABASE_RIGHTS`, `DATABASE_BUSY`
 *
 * @example
 * ```ts
 * import { createWriterRole, migrateAudit } from '@behalf/audit/postgres';
 * import { openDatabase } from '@behalf/store';
 *
 * const db = openDatabase('postgres://behalf@db.example/behalf');
 * await migrateAudit(db);
 * await createWriterRole(db, process.env.AUDIT_PASSWORD ?? '');
 * await db.destroy();
 * ```
 */
export async function migrateAudit<Schema>(db: Kysely<Schema>): Promise<void> {
  await migrate(db, { part: 'audit', migrations: auditMigrations });
  await createPartitions(db);
}

/**
 * Creates the role that may only call `audit.append` and `audit.pseudonyms`. It cannot read or write any table itself.
 *
 * @param password replaces the previous one
 * @returns descriptions of the rights that the role still has, because this database user may not revoke them from PUBLIC
 * @throws StoreError `SCHEMA_MISSING`, `DATABASE_RIGHTS`, `DATABASE_BUSY`, `ROLE_UNUSABLE`
 *
 * @example
 * ```ts
 * import { createWriterRole, migrateAudit } from '@behalf/audit/postgres';
 * import { openDatabase } from '@behalf/store';
 *
 * const db = openDatabase('postgres://behalf@db.example/behalf');
 * await migrateAudit(db);
 * for (const right of await createWriterRole(db, process.env.AUDIT_PASSWORD ?? '')) console.warn(right);
 * await db.destroy();
 * ```
 */
export async function createWriterRole<Schema>(
  db: Kysely<Schema>,
  password: string,
  role = AUDIT_WRITER_ROLE,
): Promise<readonly string[]> {
  return createGatewayRole(db, {
    name: role,
    password,
    schema: 'audit',
    functionSignatures: ['audit.append(jsonb)', 'audit.pseudonyms(text[])'],
    connectionsPercent: CONNECTIONS_PERCENT,
  });
}

/**
 * The connection string of the writer's role on the same database.
 *
 * @example
 * ```ts
 * import { writerUrl } from '@behalf/audit/postgres';
 *
 * writerUrl('postgres://behalf@db.example/behalf', 'its-password');
 * // 'postgres://behalf_audit_writer:its-password@db.example/behalf'
 * ```
 */
export function writerUrl(databaseUrl: string, password: string, role = AUDIT_WRITER_ROLE): string {
  return roleUrl(databaseUrl, password, role);
}

/** A record as {@link readAudit} and {@link readAuditEntries} return it. */
export interface StoredAuditRecord<Entry extends AuditEntry = AuditRecord> {
  /** In the order of arrival, nearly. */
  readonly seq: number;
  /** When the database stored it. */
  readonly recordedAt: Date;
  /** The record's own time, or `recordedAt` if that was too far off. */
  readonly occurredAt: Date;
  /** Whether the record's own time was too far off. */
  readonly isClockOff: boolean;
  readonly record: Entry;
  /** Its place in the log; absent until it is integrated. */
  readonly logIndex?: number;
}

/** Which records {@link readAudit} returns, and how many. */
export interface ReadAuditOptions {
  /** Only records after this one. */
  readonly after?: { readonly recordedAt: Date; readonly seq: number };
  /** Only records of one transaction. */
  readonly transactionId?: string;
  readonly limit: number;
}

/**
 * The newest records of requests in ascending order; with `after`, the first ones after it.
 *
 * @example
 * ```ts
 * import { type AuditDatabase, readAudit } from '@behalf/audit/postgres';
 * import { openDatabase } from '@behalf/store';
 *
 * const db = openDatabase<AuditDatabase>('postgres://auditor@db.example/behalf');
 * for (const { occurredAt, record } of await readAudit(db, { limit: 20 }))
 *   console.log(occurredAt.toISOString(), record.caller.clientId, record.outcome);
 * await db.destroy();
 * ```
 */
export async function readAudit(
  db: Kysely<AuditDatabase>,
  options: ReadAuditOptions,
): Promise<StoredAuditRecord[]> {
  const found = await read(db, options, true);
  return found.flatMap(({ record, ...row }) => ('event' in record ? [] : [{ ...row, record }]));
}

/**
 * As {@link readAudit}, with events.
 *
 * @example
 * ```ts
 * import { type AuditDatabase, readAuditEntries } from '@behalf/audit/postgres';
 * import { openDatabase } from '@behalf/store';
 *
 * const db = openDatabase<AuditDatabase>('postgres://auditor@db.example/behalf');
 * for (const { record } of await readAuditEntries(db, { limit: 20 }))
 *   console.log('event' in record ? record.event : record.outcome);
 * await db.destroy();
 * ```
 */
export async function readAuditEntries(
  db: Kysely<AuditDatabase>,
  options: ReadAuditOptions,
): Promise<StoredAuditRecord<AuditEntry>[]> {
  return read(db, options, false);
}

async function read(
  db: Kysely<AuditDatabase>,
  { after, transactionId, limit }: ReadAuditOptions,
  isOfRequests: boolean,
): Promise<StoredAuditRecord<AuditEntry>[]> {
  const isForwards = after !== undefined;
  const direction = isForwards ? 'asc' : 'desc';
  let query = db
    .selectFrom('audit.record as record')
    .leftJoin('audit.leaf as leaf', 'leaf.seq', 'record.seq')
    .select([
      'record.seq',
      'record.recorded_at',
      'record.occurred_at',
      'record.clock_off',
      'record.content',
      'leaf.log_index',
    ])
    .orderBy('record.recorded_at', direction)
    .orderBy('record.seq', direction)
    .limit(limit);
  if (isOfRequests) query = query.where('record.outcome', 'is not', null);
  if (transactionId !== undefined) query = query.where('record.transaction_id', '=', transactionId);
  if (isForwards) {
    query = query.where((column) =>
      column(
        column.refTuple('record.recorded_at', 'record.seq'),
        '>',
        column.tuple(after.recordedAt, after.seq),
      ),
    );
  }
  const rows = (await query.execute()).map((row) => ({
    seq: row.seq,
    recordedAt: row.recorded_at,
    occurredAt: row.occurred_at,
    isClockOff: row.clock_off === true,
    record: readStoredEntry(row.content, row.recorded_at),
    ...withoutUndefined({ logIndex: row.log_index ?? undefined }),
  }));
  return isForwards ? rows : rows.reverse();
}
