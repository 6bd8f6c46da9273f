import { type Kysely, sql } from 'kysely';

/**
 * The functions through which gateways reach the database. Every role that may call one, beside its owner, is a gateway's.
 * Their names stand here and not where they are made, since this part is below the others.
 */
const GATEWAY_FUNCTIONS = ['audit.append(jsonb)', 'replay.claim(bytea, integer)'] as const;

/**
 * Ends the sessions of gateways' roles that keep a transaction open. A gateway's own transactions are one statement of some
 * milliseconds, so nothing honest is this long. A role that is in the wrong hands can, in an open transaction, hold back
 * what we change of its own tables, fill the server's table of locks, and show a record later than its time says.
 *
 * Where this database's user may not end them (it needs `pg_signal_backend`, or to be a member of the role), none is ended.
 *
 * @returns how many were told to end
 */
export async function endHeldTransactions<Schema>(
  db: Kysely<Schema>,
  olderThanSeconds: number,
): Promise<number> {
  const functions = sql.join(GATEWAY_FUNCTIONS.map((name) => sql`to_regprocedure(${name})`));
  const { rows } = await sql<{ ended: number }>`
    select count(pg_terminate_backend(a.pid))::integer as ended
    from pg_stat_activity a join pg_roles r on r.oid = a.usesysid
    where a.xact_start < clock_timestamp() - make_interval(secs => ${olderThanSeconds}::double precision)
      and a.pid <> pg_backend_pid() and not r.rolsuper
      and (pg_has_role(r.oid, 'USAGE') or pg_has_role('pg_signal_backend', 'USAGE'))
      and exists (
        select from pg_proc p, aclexplode(p.proacl) granted
        where p.oid in (${functions}) and granted.grantee = r.oid and granted.grantee <> p.proowner)`.execute(
    db,
  );
  return rows[0]?.ended ?? 0;
}
