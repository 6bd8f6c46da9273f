import { sql, type Transaction } from 'kysely';

/** A right that PostgreSQL grants to PUBLIC and that no gateway needs. */
interface PublicRight {
  readonly name: string;
  /** SQL boolean: whether the role has the right. */
  readonly isHeld: (role: string) => ReturnType<typeof sql>;
  /** SQL boolean: whether the session's user is the owner, or a member of it, and so may revoke the right. */
  readonly mayRevoke: ReturnType<typeof sql>;
  readonly revoke: (database: string) => ReturnType<typeof sql>;
}

/** Functions that create large objects, or write to the write-ahead log without a table's limits. */
const FUNCTIONS = [
  ['large objects', 'lo_creat(integer)'],
  ['large objects', 'lo_create(oid)'],
  ['large objects', 'lo_from_bytea(oid, bytea)'],
  ['messages in the write-ahead log', 'pg_logical_emit_message(boolean, text, text, boolean)'],
  ['messages in the write-ahead log', 'pg_logical_emit_message(boolean, text, bytea, boolean)'],
  ['messages in the write-ahead log', 'pg_logical_emit_message(boolean, text, text)'],
  ['messages in the write-ahead log', 'pg_logical_emit_message(boolean, text, bytea)'],
] as const;

const RIGHTS: readonly PublicRight[] = [
  {
    name: 'temporary tables',
    isHeld: (role) => sql`has_database_privilege(${role}, current_database(), 'TEMPORARY')`,
    mayRevoke: sql`(select pg_has_role(datdba, 'USAGE') from pg_database where datname = current_database())`,
    revoke: (database) => sql`revoke temporary on database ${sql.id(database)} from public`,
  },
  {
    name: 'tables in the schema "public"',
    isHeld: (role) =>
      sql`coalesce(has_schema_privilege(${role}, to_regnamespace('public'), 'CREATE'), false)`,
    mayRevoke: sql`(select pg_has_role(nspowner, 'USAGE') from pg_namespace where nspname = 'public')`,
    revoke: () => sql`revoke create on schema public from public`,
  },
  ...FUNCTIONS.map(([name, signature]): PublicRight => {
    const fn = sql`to_regprocedure(${`pg_catalog.${signature}`})`;
    return {
      name,
      // Not every PostgreSQL version has every signature.
      isHeld: (role) => sql`coalesce(has_function_privilege(${role}, ${fn}, 'EXECUTE'), false)`,
      mayRevoke: sql`(select pg_has_role(proowner, 'USAGE') from pg_proc where oid = ${fn})`,
      revoke: () => sql`revoke execute on function ${sql.raw(`pg_catalog.${signature}`)} from public`,
    };
  }),
];

/**
 * Revokes from PUBLIC, in this database, the rights that the role has through it and does not need. Other applications in the same
 * database lose them too, unless they were granted to them by name.
 *
 * PostgreSQL only warns when a non-owner revokes, so the right is checked before and after.
 *
 * @returns the rights that remain, because this session's user may not revoke them
 */
export async function closeToPublic<Schema>(trx: Transaction<Schema>, role: string): Promise<string[]> {
  const left = new Set<string>();
  for (const right of RIGHTS) {
    const look = async (): Promise<{ database: string; held: boolean; may: boolean } | undefined> => {
      const { rows } = await sql<{ database: string; held: boolean; may: boolean }>`
        select current_database() as database, ${right.isHeld(role)} as held,
          coalesce(${right.mayRevoke}, false) as may`.execute(trx);
      return rows[0];
    };
    const before = await look();
    if (before?.held !== true) continue;
    if (before.may) await right.revoke(before.database).execute(trx);
    if ((await look())?.held === true) left.add(right.name);
  }
  return [...left];
}
