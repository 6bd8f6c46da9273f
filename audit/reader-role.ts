import type { Kysely } from 'kysely';
import { createGatewayRole } from '@behalf/store/internal';
import { roleUrl } from './role-url.js';

/**
 * The database role that searches the log, unless {@link createReaderRole} is given another name.
 *
 * @example
 * ```ts
 * import { AUDIT_READER_ROLE } from '@behalf/audit/postgres';
 *
 * console.log(`postgres://${AUDIT_READER_ROLE}:password@db.example/behalf`);
 * ```
 */
export const AUDIT_READER_ROLE = 'behalf_audit_reader';

/** A consent subgraph has few connections. */
const CONNECTIONS_PERCENT = 10;

/** The log, and what its proofs are made of. The keys of subjects are not among them. */
const TABLES = ['record', 'record_subject', 'leaf', 'tile', 'head', 'checkpoint'];

/**
 * Creates the role that may read the log, but not the keys that lead from people to their records. It may call `audit.pseudonyms`
 * and `audit.known_pseudonym`, which answer for names that they are given, and `audit.append`, to record for whom it looked. It can change no record.
 *
 * @param password replaces the previous one
 * @returns descriptions of the rights that the role still has, because this database user may not revoke them from PUBLIC
 * @throws StoreError `SCHEMA_MISSING`, `DATABASE_RIGHTS`, `DATABASE_BUSY`, `ROLE_UNUSABLE`
 *
 * @example
 * ```ts
 * import { createReaderRole, migrateAudit } from '@behalf/audit/postgres';
 * import { openDatabase } from '@behalf/store';
 *
 * const db = openDatabase('postgres://behalf@db.example/behalf');
 * await migrateAudit(db);
 * for (const right of await createReaderRole(db, process.env.AUDIT_READER_PASSWORD ?? '')) console.warn(right);
 * await db.destroy();
 * ```
 */
export async function createReaderRole<Schema>(
  db: Kysely<Schema>,
  password: string,
  role = AUDIT_READER_ROLE,
): Promise<readonly string[]> {
  return createGatewayRole(db, {
    name: role,
    password,
    schema: 'audit',
    functionSignatures: ['audit.append(jsonb)', 'audit.pseudonyms(text[])', 'audit.known_pseudonym(text)'],
    readableTables: TABLES.map((name) => `audit.${name}`),
    connectionsPercent: CONNECTIONS_PERCENT,
  });
}

/**
 * The connection string of the reader's role on the same database.
 *
 * @example
 * ```ts
 * import { readerUrl } from '@behalf/audit/postgres';
 *
 * readerUrl('postgres://behalf@db.example/behalf', 'its-password');
 * // 'postgres://behalf_audit_reader:its-password@db.example/behalf'
 * ```
 */
export function readerUrl(databaseUrl: string, password: string, role = AUDIT_READER_ROLE): string {
  return roleUrl(databaseUrl, password, role);
}
