import { type Kysely, type Migration, sql } from 'kysely';

import { migrate } from './migrate.js';
import { createGatewayRole } from './roles.js';

/**
 * The database role under which gateways claim proofs, unless {@link createReplayRole} is given another name.
 *
 * @example
 * ```ts
 * import { REPLAY_ROLE } from '@behalf/store';
 *
 * console.log(`postgres://${REPLAY_ROLE}:password@db.example/behalf`);
 * ```
 */
export const REPLAY_ROLE = 'behalf_replay';

/** Each gateway has at most eight connections. The authority and the audit writers need the rest. */
const CONNECTIONS_PERCENT = 40;

/** How many expired rows one claim removes: more than it adds, so that claims do not make the table grow. */
const REMOVED_BY_A_CLAIM = 4;
/** Among how many of the oldest places a claim looks for expired rows. */
const LOOKED_AT_BY_A_CLAIM = 64;
const SHA256_BYTES = 32;
/** A proof is valid for at most five minutes (`dpop.proofLifetimeSeconds`), plus the difference of clocks. */
const MAX_KEPT_SECONDS = 600;
/** Enough for ten gateways with full memories; about 1 GB. A stolen role password cannot be used to fill the disk. */
export const MAX_KEPT_PROOFS = 5_000_000;

/** The migrations of used DPoP proofs, in the PostgreSQL schema `replay`. */
const replayMigrations: Record<string, Migration> = {
  '001-proof': {
    async up(db: Kysely<never>) {
      // A logged table, so that it survives a crash: a forgotten proof could be replayed.
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
 * Creates `replay.claim`. It runs as the table's owner; its caller sees only the answer. Concurrent inserts of one digest wait
 * for each other, so exactly one claim is the first. A caller that does not commit is waited for no longer than this
 * `lock_timeout`, whatever it has set itself. Rows that another claim is removing are skipped.
 *
 * The number of rows is computed from the places of the newest and the oldest, which takes two look-ups whatever the size. A
 * sequence is not transactional, so claims do not wait for each other because of it. A full table yields null instead of an
 * error, which would roll back the cleaning.
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

/**
 * Creates or updates the table of used DPoP proofs (RFC 9449 section 11.1), and the function that is the only way to access it.
 * Several processes may call it at the same time.
 *
 * @throws StoreError `MIGRATION_FAILED`, `DATABASE_RIGHTS`, `DATABASE_BUSY`
 *
 * @example
 * ```ts
 * import { createReplayRole, migrateReplay, openDatabase } from '@behalf/store';
 *
 * const db = openDatabase('postgres://behalf@db.example/behalf');
 * await migrateReplay(db);
 * await createReplayRole(db, process.env.REPLAY_PASSWORD ?? '');
 * await db.destroy();
 * ```
 */
export async function migrateReplay<Schema>(db: Kysely<Schema>): Promise<void> {
  await migrate(db, { part: 'replay', migrations: replayMigrations });
}

/**
 * Creates the role that may only call `replay.claim`, after {@link migrateReplay}. It cannot read or write any table itself.
 *
 * @param password replaces the previous one
 * @param role default: {@link REPLAY_ROLE}
 * @returns descriptions of the rights that the role still has, because this database user may not revoke them from PUBLIC
 * @throws StoreError `SCHEMA_MISSING`, `DATABASE_RIGHTS`, `DATABASE_BUSY`, `ROLE_UNUSABLE`
 *
 * @example
 * ```ts
 * import { createReplayRole, migrateReplay, openDatabase } from '@behalf/store';
 *
 * const db = openDatabase('postgres://behalf@db.example/behalf');
 * await migrateReplay(db);
 * for (const right of await createReplayRole(db, process.env.REPLAY_PASSWORD ?? '')) console.warn(right);
 * await db.destroy();
 * ```
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
    functionSignatures: ['replay.claim(bytea, integer)'],
    connectionsPercent: CONNECTIONS_PERCENT,
  });
}
