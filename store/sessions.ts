import { type Kysely, sql } from 'kysely';

/**
 * The functions through which gateways access the database. A role that may call such a function, but may not create anything in
 * its schema, is a gateway's. They are listed here, because the store must not depend on the parts that create them.
 */
const GATEWAY_FUNCTIONS = [
  { schema: 'audit', signature: 'audit.append(jsonb)' },
  { schema: 'replay', signature: 'replay.claim(bytea, integer)' },
] as const;

/** For each session; ending one takes milliseconds. */
const ENDS_WITHIN_MS = 1_000;

/**
 * Ends sessions of gateways' roles that keep a transaction open, or hold an advisory lock (which no gateway takes, and which
 * outlasts a transaction). A gateway's own transactions are single statements of some milliseconds, so no honest one lasts this
 * long. A stolen role could otherwise use an open transaction to block changes to its tables, to fill the server's lock table, or
 * to reveal a record later than its time says.
 *
 * Resolves when the sessions have ended. Without the right to end them (`pg_signal_backend`, or membership of the role), none is
 * ended.
 *
 * @param olderThanSeconds 0 if one of them is in the way: an honest gateway repeats its statement
 * @returns the number of ended sessions
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
  // It reads neither tables nor views, because each needs a lock, and the lock table may be nearly full.
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
