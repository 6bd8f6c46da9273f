import { randomUUID } from 'node:crypto';

import { type Selectable, sql } from 'kysely';

import type { Sealed } from '../keys/sealed.js';
import type { AuthorityDatabase, StreamTable } from '../schema.js';
import { announceStanding } from '../consent/suspensions.js';
import { attempt } from '../consent/transact.js';
import { wake, wakeCall } from './channels.js';
import { removeForgottenStreams } from './forgotten.js';
import {
  ACCESS_RESUMED,
  ACCESS_SUSPENDED,
  SESSION_REVOKED,
  SIGNING_KEY_REVOKED,
  SIGNING_KEY_ROTATED,
} from './log.js';
import { type ChangeEvent, type Stream, type StreamStatus, type StreamWishes, toStream } from './stream.js';

/** What a stream can deliver. */
export const EVENTS_SUPPORTED: readonly string[] = [
  SESSION_REVOKED,
  ACCESS_SUSPENDED,
  ACCESS_RESUMED,
  SIGNING_KEY_ROTATED,
  SIGNING_KEY_REVOKED,
];

/** Without one of these, a gateway would take itself for informed and go on permitting what has ended. */
export const EVENTS_OF_A_GATEWAY: readonly string[] = [
  SESSION_REVOKED,
  ACCESS_SUSPENDED,
  SIGNING_KEY_REVOKED,
];

const MAX_STREAMS_PER_RECEIVER = 1_000;
const CLOCKS_DIFFER_SECONDS = 2 * 60;
/**
 * A new stream begins with so much, unless its gateway lets tokens live longer: what it lets them live when it is not told
 * otherwise, and what clocks may differ. An older revocation matches no living token (decision 0022).
 */
export const HISTORY_SECONDS = 60 * 60 + CLOCKS_DIFFER_SECONDS;
// Well within the history, also when making the stream takes long.
const ANNOUNCED_WITHIN_SECONDS = HISTORY_SECONDS / 2;
// As `randomUUID` writes it.
const UUID = /^[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}$/;

/** The SSF streams, on the store: any instance of the authority serves any of them. Who may have which, see `accessBy`. */
export class StreamRegister {
  readonly #db: AuthorityDatabase;

  constructor(db: AuthorityDatabase) {
    this.#db = db;
  }

  /**
   * Makes a stream that begins with all events of the last hour (see `HISTORY_SECONDS`): none older can match a living token.
   * Among them is what is suspended, whatever its age.
   *
   * @param secretDigest without one, nobody can have it delivered
   * @returns undefined when there are too many
   */
  async create(
    receiver: string,
    wishes: StreamWishes,
    secretDigest: Buffer | null = null,
  ): Promise<Stream | undefined> {
    await removeForgottenStreams(this.#db);
    await announceStanding(this.#db, new Date(Date.now() - ANNOUNCED_WITHIN_SECONDS * 1000));
    const id = randomUUID();
    const { rows } = await sql`
      with recent as materialized (
        select seq from authority.change_event
        where occurred_at > clock_timestamp() - make_interval(secs => ${historySeconds(wishes)}))
      insert into authority.stream (id, receiver, secret_digest, description, max_staleness_ms, events,
        events_requested, push_endpoint, push_nonce, push_ciphertext, delivered_seq)
      select ${id}, ${receiver}, ${secretDigest}::bytea, ${wishes.description}::text,
        ${wishes.maxStalenessMs}::integer, ${delivered(wishes)}::text[],
        ${[...wishes.eventsRequested]}::text[], ${wishes.push?.endpoint ?? null}::text,
        ${wishes.push?.authorization?.nonce ?? null}::bytea,
        ${wishes.push?.authorization?.ciphertext ?? null}::bytea,
        coalesce((select min(seq) - 1 from recent), (select seq from authority.change_head))
      where (select count(*) from authority.stream where receiver = ${receiver}) < ${MAX_STREAMS_PER_RECEIVER}
      returning id`.execute(this.#db);
    if (rows.length !== 1) return undefined;
    await this.#wake();
    return this.get(id);
  }

  async get(id: string): Promise<Stream | undefined> {
    const row = await this.#db
      .selectFrom('authority.stream')
      .selectAll()
      .where('id', '=', id)
      .executeTakeFirst();
    return row === undefined ? undefined : toStream(row);
  }

  async list(receiver: string): Promise<readonly Stream[]> {
    const rows = await this.#db
      .selectFrom('authority.stream')
      .selectAll()
      .where('receiver', '=', receiver)
      .orderBy('created_at')
      .execute();
    return rows.map(toStream);
  }

  /** The stream whose secret has one of these digests. */
  async findByDigest(digests: readonly Buffer[]): Promise<Stream | undefined> {
    if (digests.length === 0) return undefined;
    const row = await this.#db
      .selectFrom('authority.stream')
      .selectAll()
      .where('secret_digest', 'in', digests)
      .executeTakeFirst();
    return row === undefined ? undefined : toStream(row);
  }

  /** Its place in the log stays. @returns undefined when there is none */
  async configure(id: string, wishes: StreamWishes): Promise<Stream | undefined> {
    const row = await this.#db
      .updateTable('authority.stream')
      .set({
        description: wishes.description,
        // A gateway's stream stays one: what is asked of it, and who may have it, hangs on that.
        max_staleness_ms: sql<number | null>`coalesce(${wishes.maxStalenessMs}::integer, max_staleness_ms)`,
        events: delivered(wishes),
        events_requested: [...wishes.eventsRequested],
        // What it did not ask for, or had sent elsewhere, it does not hear of again.
        has_gap: sql<boolean>`has_gap or not (events <@ ${delivered(wishes)}::text[])
          or ${wishes.push !== undefined}::boolean`,
        push_endpoint: wishes.push?.endpoint ?? null,
        push_nonce: wishes.push?.authorization?.nonce ?? null,
        push_ciphertext: wishes.push?.authorization?.ciphertext ?? null,
      })
      .where('id', '=', id)
      .returningAll()
      .executeTakeFirst();
    await this.#wake();
    return row === undefined ? undefined : toStream(row);
  }

  /**
   * SSF 1.0, section 8.1.2: of a paused stream the events are held, of a disabled one they are not. A gateway's that was
   * either is not polled again: whether it was stopped between two polls, no answer would tell.
   *
   * @returns undefined when there is none
   */
  async setStatus(id: string, status: StreamStatus, reason: string | null): Promise<Stream | undefined> {
    const { rows } = await sql<Selectable<StreamTable>>`
      update authority.stream set status = ${status}, status_reason = ${reason}::text, push_failures = 0,
        has_gap = has_gap or ${status} <> 'enabled', push_not_before = '-infinity',
        polled_at = case when push_endpoint is null then polled_at else clock_timestamp() end,
        delivered_seq = case when status = 'disabled' and ${status} <> 'disabled'
          then (select seq from authority.change_head) else delivered_seq end
      where id = ${id} returning *`.execute(this.#db);
    await this.#wake();
    return rows[0] === undefined ? undefined : toStream(rows[0]);
  }

  /** The receiver's `authorization_header`, encrypted, or undefined when it gave none. */
  async pushAuthorization(id: string): Promise<Sealed | undefined> {
    const row = await this.#db
      .selectFrom('authority.stream')
      .select(['push_nonce as nonce', 'push_ciphertext as ciphertext'])
      .where('id', '=', id)
      .executeTakeFirst();
    if (row === undefined || row.nonce === null || row.ciphertext === null) return undefined;
    return { nonce: row.nonce, ciphertext: row.ciphertext };
  }

  /** @returns false when there was none */
  async remove(id: string): Promise<boolean> {
    const { numDeletedRows } = await this.#db
      .deleteFrom('authority.stream')
      .where('id', '=', id)
      .executeTakeFirst();
    // Nobody has to wait for it any longer.
    await attempt(this.#db, (db) => wake(db, 'acknowledged'));
    return numDeletedRows === 1n;
  }

  /** Remembers that these were delivered, in whatever order; unknown ones are ignored. */
  async acknowledge({ id }: Pick<Stream, 'id'>, jtis: readonly string[]): Promise<void> {
    // Compared as what they are in the log, or no index would find them.
    const known = jtis.filter((jti) => UUID.test(jti));
    if (known.length === 0) return;
    // One statement, as it comes with every poll. Polls of one stream come one after the other, by the lock on its row; what
    // another one acknowledged meanwhile is not seen, and counts with the next. Events are found by their identifiers alone:
    // whatever else is asked of them, PostgreSQL looks through all that is undelivered as well. The notification is for
    // whoever waits until all gateways have a change.
    const statement = sql`
      with place as materialized (
        select events, delivered_seq from authority.stream where id = ${id} for update),
      verified as (
        delete from authority.stream_verification where stream_id = ${id} and jti = any(${known}::uuid[])),
      known as materialized (
        select seq from authority.change_event where jti = any(${known}::uuid[])),
      next as materialized (
        select coalesce(
          (select e.seq - 1 from authority.change_event e
            where e.seq > place.delivered_seq and e.kind = any(place.events)
              and not exists (
                select from authority.stream_ack a where a.stream_id = ${id} and a.seq = e.seq)
              and not exists (select from known where known.seq = e.seq)
            order by e.seq limit 1),
          (select max(e.seq) from authority.change_event e where e.seq > place.delivered_seq),
          place.delivered_seq) as seq
        from place),
      moved as (
        update authority.stream s set delivered_seq = next.seq from next where s.id = ${id}),
      settled as (
        delete from authority.stream_ack a using next where a.stream_id = ${id} and a.seq <= next.seq),
      ahead as (
        insert into authority.stream_ack (stream_id, seq)
        select ${id}, known.seq from known, next where known.seq > next.seq
        on conflict do nothing)
      select ${wakeCall('acknowledged')}`;
    await attempt(this.#db, (db) => statement.execute(db));
  }

  /** The oldest undelivered events, in the order of their numbers; of a stream that is not enabled, none. */
  async pending({ id }: Pick<Stream, 'id'>, limit: number): Promise<readonly ChangeEvent[]> {
    // Read in order from the stream's place on, however long the log is: the place is a value, not a join, and what is asked
    // of the kind does not look selective to PostgreSQL, which would otherwise rather sort all that is undelivered.
    const { rows } = await sql<ChangeEvent>`
      select e.* from authority.change_event e
      where e.seq > (select delivered_seq from authority.stream where id = ${id} and status = 'enabled')
        and array_position((select events from authority.stream where id = ${id}), e.kind) is not null
        and not exists (select from authority.stream_ack a where a.stream_id = ${id} and a.seq = e.seq)
      order by e.seq limit ${limit}`.execute(this.#db);
    return rows;
  }

  /** @returns false when the stream is gone */
  async touch(id: string): Promise<boolean> {
    const { numUpdatedRows } = await this.#db
      .updateTable('authority.stream')
      // By the clock that the age of a poll is told by, whichever instance answers it.
      .set({ polled_at: sql<Date>`clock_timestamp()` })
      .where('id', '=', id)
      .executeTakeFirst();
    return numUpdatedRows === 1n;
  }

  /** Whoever pushes looks again. */
  async #wake(): Promise<void> {
    await attempt(this.#db, (db) => wake(db, 'change'));
  }
}

function historySeconds({ maxTokenLifetimeSeconds = 0 }: StreamWishes): number {
  return Math.max(HISTORY_SECONDS, maxTokenLifetimeSeconds + CLOCKS_DIFFER_SECONDS);
}

function delivered({ eventsRequested }: StreamWishes): string[] {
  return eventsRequested.filter((event) => EVENTS_SUPPORTED.includes(event));
}
