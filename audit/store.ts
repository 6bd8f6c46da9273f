import type { Kysely, Selectable } from 'kysely';
import { createGatewayRole, migrate } from '@behalf/store/internal';
import { auditMigrations } from './migrations.js';
import type { AuditDatabase, RecordTable } from './schema.js';

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
 * Creates or updates the log's tables, and the function that is the only way to append. Several processes may call it at the same
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
}

/**
 * Creates the role that may only call `audit.append`. It cannot read or write any table itself.
 *
 * @param password replaces the previous one
 * @returns descriptions of the rights that the role still has, because this database user may not revoke them from PUBLIC
 * @throws StoreError `DATABASE_RIGHTS`, `DATABASE_BUSY`, `ROLE_UNUSABLE`
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
    functionSignature: 'audit.append(jsonb)',
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
  const url = new URL(databaseUrl);
  url.username = role;
  url.password = password;
  return url.href;
}

/** A record as {@link readAudit} returns it. */
export type StoredAuditRecord = Selectable<RecordTable>;

/** Which records {@link readAudit} returns, and how many. */
export interface ReadAuditOptions {
  /** Only records after this position. */
  readonly afterSeq?: number;
  /** Only records of one transaction. */
  readonly transactionId?: string;
  readonly limit: number;
}

/**
 * The newest records in ascending order; with `afterSeq`, the first ones after it.
 *
 * @example
 * ```ts
 * import { type AuditDatabase, readAudit } from '@behalf/audit/postgres';
 * import { openDatabase } from '@behalf/store';
 *
 * const db = openDatabase<AuditDatabase>('postgres://auditor@db.example/behalf');
 * for (const { occurred_at, client_id, outcome } of await readAudit(db, { limit: 20 }))
 *   console.log(occurred_at.toISOString(), client_id, outcome);
 * await db.destroy();
 * ```
 */
export async function readAudit(
  db: Kysely<AuditDatabase>,
  { afterSeq, transactionId, limit }: ReadAuditOptions,
): Promise<StoredAuditRecord[]> {
  let query = db.selectFrom('audit.record').selectAll().limit(limit);
  if (transactionId !== undefined) query = query.where('transaction_id', '=', transactionId);
  if (afterSeq !== undefined) return query.where('seq', '>', afterSeq).orderBy('seq').execute();
  return (await query.orderBy('seq', 'desc').execute()).reverse();
}
