import { randomUUID } from 'node:crypto';

import { type Selectable, sql } from 'kysely';

import type { AuthorityDatabase, ChangeEventTable } from '../schema.js';
import { announceStanding } from '../consent/suspensions.js';
import { ACCESS_RESUMED, ACCESS_SUSPENDED, ACKNOWLEDGED_CHANNEL, SESSION_REVOKED } from './log.js';

/** What a stream can deliver. */
export const EVENTS_SUPPORTED: readonly string[] = [SESSION_REVOKED, ACCESS_SUSPENDED, ACCESS_RESUMED];

const STREAMS_AT_MOST = 1_000;
/**
 * A new stream begins with so much: the longest that a gateway lets a token live when it is not told otherwise, and what
 * clocks may differ. An older revocation matches no living token (decision 0022).
 */
export const HISTORY_SECONDS = 60 * 60 + 2 * 60;
// Well within the history, also when making the stream takes long.
const ANNOUNCED_WITHIN_SECONDS = HISTORY_SECONDS / 2;
// A receiver that comes back later makes a new stream. No gateway goes on for longer without having heard anything.
const FORGOTTEN_AFTER_SECONDS = 24 * 60 * 60;

// As `randomUUID` writes it.
const UUID = /^[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}$/;

export type ChangeEvent = Selectable<ChangeEventTable>;

/** A receiver's place in the change log. */
export interface Stream {
  readonly id: string;
  readonly events: readonly string[];
}

/** What a receiver tells of itself. */
export interface Receiver {
  readonly description?: string;
  /** A gateway permits nothing when it has heard nothing for longer. */
  readonly maxStalenessMs?: number;
}

/** The SSF streams, on the store: any instance of the authority serves any of them. */
export class StreamRegister {
  readonly #db: AuthorityDatabase;

  constructor(db: AuthorityDatabase) {
    this.#db = db;
  }

  /**
   * Makes a stream that begins with all events of the last hour (see `HISTORY_SECONDS`): none older can match a living token.
   * Among them is what is suspended, whatever its age.
   *
   * @returns undefined when there are too many
   */
  async create(events: readonly string[], receiver: Receiver = {}): Promise<Stream | undefined> {
    await this.removeForgotten();
    await announceStanding(this.#db, new Date(Date.now() - ANNOUNCED_WITHIN_SECONDS * 1000));
    const id = randomUUID();
    const { description = null, maxStalenessMs = null } = receiver;
    const { rows } = await sql`
      with recent as materialized (
        select seq from authority.change_event
        where occurred_at > clock_timestamp() - make_interval(secs => ${HISTORY_SECONDS}))
      insert into authority.stream (id, events, description, max_staleness_ms, delivered_seq)
      select ${id}, ${[...events]}::text[], ${description}, ${maxStalenessMs}::integer,
        coalesce((select min(seq) - 1 from recent), (select seq from authority.change_head))
      where (select count(*) from authority.stream) < ${STREAMS_AT_MOST}
      returning id`.execute(this.#db);
    return rows.length === 1 ? { id, events } : undefined;
  }

  async find(id: string): Promise<Stream | undefined> {
    return this.#db
      .selectFrom('authority.stream')
      .select(['id', 'events'])
      .where('id', '=', id)
      .executeTakeFirst();
  }

  async list(): Promise<readonly Stream[]> {
    return this.#db.selectFrom('authority.stream').select(['id', 'events']).orderBy('created_at').execute();
  }

  /** @returns false when there was none */
  async remove(id: string): Promise<boolean> {
    const { numDeletedRows } = await this.#db
      .deleteFrom('authority.stream')
      .where('id', '=', id)
      .executeTakeFirst();
    // Nobody has to wait for it any longer.
    await sql`select pg_notify(${ACKNOWLEDGED_CHANNEL}, '')`.execute(this.#db);
    return numDeletedRows === 1n;
  }

  /** Drops streams that nobody has polled for a day. */
  async removeForgotten(): Promise<void> {
    await sql`delete from authority.stream
      where polled_at < clock_timestamp() - make_interval(secs => ${FORGOTTEN_AFTER_SECONDS})`.execute(
      this.#db,
    );
  }

  /** Remembers that these were delivered, in whatever order; unknown ones are ignored. */
  async acknowledge(stream: Stream, jtis: readonly string[]): Promise<void> {
    // Compared as what they are in the log, or no index would find them.
    const known = jtis.filter((jti) => UUID.test(jti));
    if (known.length === 0) return;
    // One statement, as it comes with every poll. Polls of one stream come one after the other, by the lock on its row; what
    // another one acknowledged meanwhile is not seen, and counts with the next. Events are found by their identifiers alone:
    // whatever else is asked of them, PostgreSQL looks through all that is undelivered as well. The notification is for
    // whoever waits until all gateways have a change.
    await sql`
      with place as materialized (
        select events, delivered_seq from authority.stream where id = ${stream.id} for update),
      known as materialized (
        select seq from authority.change_event where jti = any(${known}::uuid[])),
      next as materialized (
        select coalesce(
          (select e.seq - 1 from authority.change_event e
            where e.seq > place.delivered_seq and e.kind = any(place.events)
              and not exists (
                select from authority.stream_ack a where a.stream_id = ${stream.id} and a.seq = e.seq)
              and not exists (select from known where known.seq = e.seq)
            order by e.seq limit 1),
          (select max(e.seq) from authority.change_event e where e.seq > place.delivered_seq),
          place.delivered_seq) as seq
        from place),
      moved as (
        update authority.stream s set delivered_seq = next.seq from next where s.id = ${stream.id}),
      settled as (
        delete from authority.stream_ack a using next where a.stream_id = ${stream.id} and a.seq <= next.seq),
      ahead as (
        insert into authority.stream_ack (stream_id, seq)
        select ${stream.id}, known.seq from known, next where known.seq > next.seq
        on conflict do nothing)
      select pg_notify(${ACKNOWLEDGED_CHANNEL}, '')`.execute(this.#db);
  }

  /** The oldest undelivered events, in the order of their numbers. */
  async pending(stream: Stream, limit: number): Promise<readonly ChangeEvent[]> {
    // Read in order from the stream's place on, however long the log is: the place is a value, not a join, and what is asked
    // of the kind does not look selective to PostgreSQL, which would otherwise rather sort all that is undelivered.
    const { rows } = await sql<ChangeEvent>`
      select e.* from authority.change_event e
      where e.seq > (select delivered_seq from authority.stream where id = ${stream.id})
        and array_position((select events from authority.stream where id = ${stream.id}), e.kind) is not null
        and not exists (select from authority.stream_ack a where a.stream_id = ${stream.id} and a.seq = e.seq)
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
}
