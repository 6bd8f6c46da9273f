import { type Kysely, type Migration, sql } from 'kysely';

import { migrate } from './migrate.js';

/** The role that gateways claim under. */
export const REPLAY_ROLE = 'behalf_replay';

/** What one claim removes of what is expired: more than it adds, so the table does not grow by what is past. */
const REMOVED_BY_A_CLAIM = 4;
const SHA256_BYTES = 32;
/** Nobody can fill the table for longer than a proof could be accepted. */
const MAX_KEPT_SECONDS = 3_600;

/** Used DPoP proofs, in the PostgreSQL schema `replay`. */
const replayMigrations: Record<string, Migration> = {
  '001-proof': {
    async up(db: Kysely<never>) {
      // Logged, and so still there after a crash: what is forgotten early can be used again.
      await sql`
        create table proof (
          digest bytea primary key check (octet_length(digest) = ${sql.lit(SHA256_BYTES)}),
          expires_at timestamptz not null
        )`.execute(db);
      await sql`create index proof_by_expiry on proof (expires_at)`.execute(db);
      // Runs as the owner of the table, of which the caller sees nothing but this answer. The insert comes first and waits
      // for another of the same digest, so of claims at the same time exactly one is the first. Rows that another claim is
      // removing are left to it: no claim waits for the cleaning of another.
      await sql`
        create function claim(proof_digest bytea, keep_seconds integer) returns boolean
        language plpgsql volatile security definer
        set search_path = pg_catalog, pg_temp
        as $$
        declare
          is_first boolean;
        begin
          if keep_seconds is null or keep_seconds not between 1 and ${sql.lit(MAX_KEPT_SECONDS)} then
            raise exception 'keep_seconds is out of range';
          end if;
          insert into replay.proof (digest, expires_at)
            values (proof_digest, clock_timestamp() + make_interval(secs => keep_seconds))
            on conflict (digest) do nothing;
          is_first := found;
          delete from replay.proof where digest in (
            select expired.digest from replay.proof expired
            where expired.expires_at < clock_timestamp() and expired.digest <> proof_digest
            order by expired.expires_at
            limit ${sql.lit(REMOVED_BY_A_CLAIM)}
            for update skip locked);
          return is_first;
        end
        $$`.execute(db);
      await sql`revoke all on function claim(bytea, integer) from public`.execute(db);
    },
  },
};

/** Makes or updates the table of used proofs, and the function that is the only way to it. */
export async function migrateReplay<Schema>(db: Kysely<Schema>): Promise<void> {
  await migrate(db, { part: 'replay', migrations: replayMigrations });
}

/**
 * Makes the role that may claim and do nothing else: it cannot read, add, change or delete a row, nor see any other table.
 *
 * @param password Replaces the one it had.
 */
export async function createReplayRole<Schema>(
  db: Kysely<Schema>,
  password: string,
  role = REPLAY_ROLE,
): Promise<void> {
  await db.transaction().execute(async (transaction) => {
    // Roles are the server's, not the database's: several starts must not make it at once.
    await sql`select pg_advisory_xact_lock(hashtext('behalf replay'))`.execute(transaction);
    const { rows } = await sql`select from pg_roles where rolname = ${role}`.execute(transaction);
    const verb = rows.length === 0 ? sql`create` : sql`alter`;
    await sql`${verb} role ${sql.id(role)} login noinherit password ${sql.lit(password)}`.execute(
      transaction,
    );
    await sql`grant usage on schema replay to ${sql.id(role)}`.execute(transaction);
    await sql`revoke all on replay.proof from ${sql.id(role)}`.execute(transaction);
    await sql`grant execute on function replay.claim(bytea, integer) to ${sql.id(role)}`.execute(transaction);
  });
}
