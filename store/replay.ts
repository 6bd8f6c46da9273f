import { type Kysely, type Migration, sql } from 'kysely';

import { migrate } from './migrate.js';
import { createGatewayRole } from './roles.js';

/** The role that gateways claim under. */
export const REPLAY_ROLE = 'behalf_replay';

/** Each gateway has eight at most. The authority and the audit writers need the rest. */
const CONNECTIONS_PERCENT = 40;

/** What one claim removes of what is past: more than it adds, so the table does not grow by it. */
const REMOVED_BY_A_CLAIM = 4;
/** Among so many of the oldest places a claim looks for what is past. */
const LOOKED_AT_BY_A_CLAIM = 64;
const SHA256_BYTES = 32;
/** A proof is good for at most five minutes (`dpop.proofLifetimeSeconds`), and clocks may differ by some more. */
const MAX_KEPT_SECONDS = 600;
/** Ten gateways with a full memory each; about 1 GB. Whoever has the role's password cannot fill the disk by it. */
export const MAX_KEPT_PROOFS = 5_000_000;

/** Used DPoP proofs, in the PostgreSQL schema `replay`. */
const replayMigrations: Record<string, Migration> = {
  '001-proof': {
    async up(db: Kysely<never>) {
      // Logged, and so still there after a crash: what is forgotten early can be used again.
      await sql`
        create table proof (
          digest bytea primary key check (octet_length(digest) = ${sql.lit(SHA256_BYTES)}),
          expires_at timestamptz not null,
          place bigint generated always as identity
        )`.execute(db);
      await sql`create index proof_by_place on proof (place)`.execute(db);
      await sql`create table bound (single boolean primary key default true check (single), proofs bigint not null)`.execute(
        db,
      );
      await sql`insert into bound (proofs) values (${sql.lit(MAX_KEPT_PROOFS)})`.execute(db);
      await createClaim(db);
    },
  },
};

/**
 * Runs as the owner of the table, of which the caller sees nothing but this answer. The insert waits for another of the same
 * digest, so of claims at the same time exactly one is the first; a caller that does not commit is waited for as long as
 * `lock_timeout` says, whatever the caller has set. Rows that another claim is removing are left to it.
 *
 * How many there are is told by the places of the newest and the oldest, which costs two look-ups however many they are.
 * A sequence is not part of the transaction: no claim waits for another by it. When there is no room the answer is null and
 * not an error, which would undo the cleaning.
 */
async function createClaim(db: Kysely<never>): Promise<void> {
  await sql`
    create function claim(proof_digest bytea, keep_seconds integer) returns boolean
    language plpgsql volatile security definer
    set search_path = pg_catalog, pg_temp
    set lock_timeout = '1s'
    as $$
    declare
      newest bigint;
      oldest bigint;
    begin
      if keep_seconds is null or keep_seconds not between 1 and ${sql.lit(MAX_KEPT_SECONDS)} then
        raise exception using errcode = '22023', message = 'keep_seconds is out of range';
      end if;
      select min(p.place) into oldest from replay.proof p;
      delete from replay.proof where digest in (
        select past.digest from replay.proof past
        where past.place < oldest + ${sql.lit(LOOKED_AT_BY_A_CLAIM)}
          and past.expires_at < clock_timestamp() and past.digest <> proof_digest
        order by past.place limit ${sql.lit(REMOVED_BY_A_CLAIM)}
        for update skip locked);
      select min(p.place) into oldest from replay.proof p;
      select s.last_value into newest from replay.proof_place_seq s;
      if newest - oldest >= (select b.proofs from replay.bound b) then
        return null;
      end if;
      insert into replay.proof (digest, expires_at)
        values (proof_digest, clock_timestamp() + make_interval(secs => keep_seconds))
        on conflict (digest) do nothing;
      return found;
    end
    $$`.execute(db);
  await sql`revoke all on function claim(bytea, integer) from public`.execute(db);
}

/** Makes or updates the table of used proofs, and the function that is the only way to it. */
export async function migrateReplay<Schema>(db: Kysely<Schema>): Promise<void> {
  await migrate(db, { part: 'replay', migrations: replayMigrations });
}

/**
 * Makes the role that may claim and do nothing else: it cannot read, add, change or delete a row, nor see any other table.
 *
 * @param password Replaces the one it had.
 * @returns What it can do all the same; see `createGatewayRole`.
 * @throws StoreError `database_rights`, `database_busy`, `role_unusable`
 */
export async function createReplayRole<Schema>(
  db: Kysely<Schema>,
  password: string,
  role = REPLAY_ROLE,
): Promise<readonly string[]> {
  return createGatewayRole(db, {
    name: role,
    password,
    schema: 'replay',
    functionSignature: 'replay.claim(bytea, integer)',
    connectionsPercent: CONNECTIONS_PERCENT,
  });
}
