import { type Kysely, sql } from 'kysely';

/**
 * The schemas with the functions through which gateways reach the database. A role that may call the function and may not
 * make anything in its schema is a gateway's. Their names stand here and not where they are made, since this part is below
 * the others.
 */
const GATEWAY_FUNCTIONS = [
  { schema: 'audit', signature: 'audit.append(jsonb)' },
  { schema: 'replay', signature: 'replay.claim(bytea, integer)' },
] as const;

/** Of one session; it ends in milliseconds. */
const ENDS_WITHIN_MS = 1_000;

/**
 * Ends the sessions of gateways' roles that keep a transaction open or an advisory lock, which no gateway takes and which
 * lasts without a transaction. A gateway's own transactions are one statement of some milliseconds, so nothing honest is
 * this long. A role that is in the wrong hands can, in an open transaction, hold back what we change of its own tables, fill
 * the server's table of locks, and show a record later than its time says.
 *
 * It answers when they have ended. Where this database's user may not end them (it needs `pg_signal_backend`, or to be a
 * member of the role), none is ended.
 *
 * @param olderThanSeconds 0 where one of them is in the way: what is honest is done again by its gateway
 * @returns how many were ended
 */
export async function endHeldTransactions<Schema>(
  db: Kysely<Schema>,
  olderThanSeconds: number,
): Promise<number> {
  const isGateways = GATEWAY_FUNCTIONS.map(
    ({ schema, signature }) => sql`coalesce(
      has_function_privilege(a.usesysid, to_regprocedure(${signature}), 'EXECUTE')
      and not has_schema_privilege(a.usesysid, to_regnamespace(${schema}), 'CREATE'), false)`,
  );
  // It reads no table and no view, each of which would need a lock: there may be little room for locks.
  const { rows } = await sql<{ ended: number }>`
    select count(pg_terminate_backend(a.pid, ${ENDS_WITHIN_MS}))::integer as ended
    from pg_stat_get_activity(null) a
    where (a.xact_start < clock_timestamp() - make_interval(secs => ${olderThanSeconds}::double precision)
        or a.pid in (select l.pid from pg_lock_status() l where l.locktype = 'advisory'))
      and a.pid <> pg_backend_pid()
      and (pg_has_role(a.usesysid, 'USAGE') or pg_has_role('pg_signal_backend', 'USAGE'))
      and (${sql.join(isGateways, sql` or `)})`.execute(db);
  return rows[0]?.ended ?? 0;
}
