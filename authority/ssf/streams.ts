import { randomUUID } from 'node:crypto';

import { type Selectable, sql, type Transaction } from 'kysely';

import type { Sealed } from '../keys/sealed.js';
import type { AuthorityDatabase, AuthoritySchema, StreamTable } from '../schema.js';
import { announceStanding } from '../consent/suspensions.js';
import { attempt, transact } from '../transact.js';
import { wake, wakeCall } from '../changes/channels.js';
import { removeForgottenStreams } from './forgotten.js';
import {
  ACCESS_RESUMED,
  ACCESS_SUSPENDED,
  SESSION_REVOKED,
  SIGNING_KEY_REVOKED,
  SIGNING_KEY_ROTATED,
} from '../changes/log.js';
import { deliveryOf, recordStream, type StreamChange } from './stream-events.js';
import { type ChangeEvent, type Stream, type StreamStatus, type StreamWishes, toStream } from './stream.js';

/** The events that a stream can deliver. */
export const EVENTS_SUPPORTED: readonly string[] = [
  SESSION_REVOKED,
  ACCESS_SUSPENDED,
  ACCESS_RESUMED,
  SIGNING_KEY_ROTATED,
  SIGNING_KEY_REVOKED,
];

/** Without any one of these, a gateway would believe itself informed and keep permitting what has ended. */
export const EVENTS_OF_A_GATEWAY: readonly string[] = [
  SESSION_REVOKED,
  ACCESS_SUSPENDED,
  SIGNING_KEY_REVOKED,
];

const MAX_STREAMS_PER_RECEIVER = 1_000;
const CLOCKS_DIFFER_SECONDS = 2 * 60;
/**
 * The history that a new stream begins with, unless its gateway accepts longer token lifetimes: the gateway's default longest
 * lifetime, plus the difference of clocks. An older revocation cannot match a living token (decision 0022).
 */
export const HISTORY_SECONDS = 60 * 60 + CLOCKS_DIFFER_SECONDS;
// Well within the history, even if creating the stream takes long.
const ANNOUNCED_WITHIN_SECONDS = HISTORY_SECONDS / 2;
// The form of `randomUUID`.
const UUID = /^[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}$/;

interface NewStream {
  readonly id: string;
  readonly receiver: string;
  readonly wishes: StreamWishes;
  readonly secretDigest: Buffer | null;
}

/** The SSF streams in the store: every instance of the authority serves all of them. `accessBy` decides who has access to which. */
export class StreamRegister {
  readonly #db: AuthorityDatabase;

  constructor(db: AuthorityDatabase) {
    this.#db = db;
  }

  /**
   * Creates a stream that begins with all events of the last hour (see `HISTORY_SECONDS`), because no older event can match a
   * living token. They include every suspension in force, whatever its age.
   *
   * @param secretDigest without one, nobody has access to the stream
   * @returns undefined if the receiver has too many streams
   */
  async create(
    receiver: string,
    wishes: StreamWishes,
    secretDigest: Buffer | null = null,
  ): Promise<Stream | undefined> {
    await removeForgottenStreams(this.#db);
    await announceStanding(this.#db, new Date(Date.now() - ANNOUNCED_WITHIN_SECONDS * 1000));
    const id = randomUUID();
    const isCreated = await transact(this.#db, async (trx) => {
      if (!(await this.#insert(trx, { id, receiver, wishes, secretDigest }))) return false;
      await recordStream(trx, 'stream-created', { streamId: id, receiver, delivery: deliveryOf(wishes) });
      await wake(trx, 'change');
      return true;
    });
    return isCreated ? this.get(id) : undefined;
  }

  /** @returns false if the receiver has too many streams */
  async #insert(
    trx: Transaction<AuthoritySchema>,
    { id, receiver, secretDigest, wishes }: NewStream,
  ): Promise<boolean> {
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
      returning id`.execute(trx);
    return rows.length === 1;
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

  /** The stream with one of these secret digests. */
  async findByDigest(digests: readonly Buffer[]): Promise<Stream | undefined> {
    if (digests.length === 0) return undefined;
    const row = await this.#db
      .selectFrom('authority.stream')
      .selectAll()
      .where('secret_digest', 'in', digests)
      .executeTakeFirst();
    return row === undefined ? undefined : toStream(row);
  }

  /** The position in the log stays. @returns undefined if there is no such stream */
  async configure(id: string, wishes: StreamWishes): Promise<Stream | undefined> {
    return this.#change('stream-changed', async (trx) => {
      const row = await trx
        .updateTable('authority.stream')
        .set({
          description: wishes.description,
          // A gateway's stream stays a gateway's, because its requirements and its access depend on that.
          max_staleness_ms: sql<number | null>`coalesce(${wishes.maxStalenessMs}::integer, max_staleness_ms)`,
          events: delivered(wishes),
          events_requested: [...wishes.eventsRequested],
          // Events that it did not request, or had sent elsewhere, are lost to it.
          has_gap: sql<boolean>`has_gap or not (events <@ ${delivered(wishes)}::text[])
          or ${wishes.push !== undefined}::boolean`,
          push_endpoint: wishes.push?.endpoint ?? null,
          push_nonce: wishes.push?.authorization?.nonce ?? null,
          push_ciphertext: wishes.push?.authorization?.ciphertext ?? null,
        })
        .where('id', '=', id)
        .returningAll()
        .executeTakeFirst();
      return { row, facts: { delivery: deliveryOf(wishes) } };
    });
  }

  /**
   * SSF 1.0, section 8.1.2: a paused stream keeps its events, a disabled one does not. A gateway's stream that was ever either is
   * not polled again, because no answer could tell whether it was stopped between two polls.
   *
   * @returns undefined when there is none
   */
  async setStatus(id: string, status: StreamStatus, reason: string | null): Promise<Stream | undefined> {
    return this.#change('stream-status-changed', async (trx) => {
      const { rows } = await sql<Selectable<StreamTable>>`
      update authority.stream set status = ${status}, status_reason = ${reason}::text, push_failures = 0,
        has_gap = has_gap or ${status} <> 'enabled', push_not_before = '-infinity',
        polled_at = case when push_endpoint is null then polled_at else clock_timestamp() end,
        delivered_seq = case when status = 'disabled' and ${status} <> 'disabled'
          then (select seq from authority.change_head) else delivered_seq end
      where id = ${id} returning *`.execute(trx);
      return { row: rows[0], facts: { status }, reason: reason ?? undefined };
    });
  }

  /** Changes a stream, records it, and makes pushing instances look again. @returns undefined if there is no such stream */
  async #change(
    event: 'stream-changed' | 'stream-status-changed',
    work: (trx: Transaction<AuthoritySchema>) => Promise<StreamChange>,
  ): Promise<Stream | undefined> {
    return transact(this.#db, async (trx) => {
      const { row, facts, reason } = await work(trx);
      if (row === undefined) return undefined;
      const { id: streamId, receiver } = row;
      await recordStream(trx, event, { streamId, receiver, ...facts }, reason);
      await wake(trx, 'change');
      return toStream(row);
    });
  }

  /** The receiver's `authorization_header`, encrypted; undefined if there is none. */
  async pushAuthorization(id: string): Promise<Sealed | undefined> {
    const row = await this.#db
      .selectFrom('authority.stream')
      .select(['push_nonce as nonce', 'push_ciphertext as ciphertext'])
      .where('id', '=', id)
      .executeTakeFirst();
    if (row === undefined || row.nonce === null || row.ciphertext === null) return undefined;
    return { nonce: row.nonce, ciphertext: row.ciphertext };
  }

  /** @returns false if there was none */
  async remove(id: string): Promise<boolean> {
    return transact(this.#db, async (trx) => {
      const removed = await trx
        .deleteFrom('authority.stream')
        .where('id', '=', id)
        .returning(['id as streamId', 'receiver'])
        .executeTakeFirst();
      if (removed === undefined) return false;
      await recordStream(trx, 'stream-removed', removed);
      // Waiting for all gateways no longer includes it.
      await wake(trx, 'acknowledged');
      return true;
    });
  }

  /** Records that these events were delivered, in any order. Unknown ones are ignored. */
  async acknowledge({ id }: Pick<Stream, 'id'>, jtis: readonly string[]): Promise<void> {
    // Compared with the column's own type, so that the index is used.
    const known = jtis.filter((jti) => UUID.test(jti));
    if (known.length === 0) return;
    // One statement, because every poll executes it. The lock on the stream's row serializes its polls; what a concurrent poll
    // acknowledges is not seen, and counts with the next one. Events are found by identifier alone: with any further condition,
    // PostgreSQL would scan everything undelivered. The notification wakes those who wait until all gateways have a change.
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

  /** The oldest undelivered events in order; none if the stream is not enabled. */
  async pending({ id }: Pick<Stream, 'id'>, limit: number): Promise<readonly ChangeEvent[]> {
    // Reads in order from the stream's position, however long the log is. The position is a value, not a join, and the condition
    // on the kind does not look selective to PostgreSQL, which would otherwise sort everything undelivered.
    const { rows } = await sql<ChangeEvent>`
      select e.* from authority.change_event e
      where e.seq > (select delivered_seq from authority.stream where id = ${id} and status = 'enabled')
        and array_position((select events from authority.stream where id = ${id}), e.kind) is not null
        and not exists (select from authority.stream_ack a where a.stream_id = ${id} and a.seq = e.seq)
      order by e.seq limit ${limit}`.execute(this.#db);
    return rows;
  }

  /** @returns false if the stream is gone */
  async touch(id: string): Promise<boolean> {
    const { numUpdatedRows } = await this.#db
      .updateTable('authority.stream')
      // By the database's clock, which also measures the age of a poll, whichever instance answers it.
      .set({ polled_at: sql<Date>`clock_timestamp()` })
      .where('id', '=', id)
      .executeTakeFirst();
    return numUpdatedRows === 1n;
  }
}

function historySeconds({ maxTokenLifetimeSeconds = 0 }: StreamWishes): number {
  return Math.max(HISTORY_SECONDS, maxTokenLifetimeSeconds + CLOCKS_DIFFER_SECONDS);
}

function delivered({ eventsRequested }: StreamWishes): string[] {
  return eventsRequested.filter((event) => EVENTS_SUPPORTED.includes(event));
}
