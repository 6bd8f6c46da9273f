import type { Clock } from '@behalf/directives';
import { systemClock } from '@behalf/directives/internal';
import { sql } from 'kysely';

import type { Log } from '@behalf/store';
import { ChangeFeed } from '../changes/feed.js';
import type { AuthorityDatabase } from '../schema.js';
import type { ChangePosition } from './types.js';

/** Which gateways enforce a change. */
export interface InForce {
  /** True if no gateway permits what the change ended. */
  readonly everywhere: boolean;
  /** How many gateways follow the change log at present. */
  readonly gateways: number;
  /** The ones that have not acknowledged the change, by the name that each gave itself. */
  readonly waitingFor: readonly string[];
  /** The ones that have been silent for so long that they deny everything, and are not waited for. */
  readonly silent: readonly string[];
}

/** The options of {@link GatewayAcknowledgements.open}. */
export interface AcknowledgementsOptions {
  /** The database to listen on for acknowledgements, with one connection. */
  readonly databaseUrl: string;
  readonly db: AuthorityDatabase;
  readonly log: Log;
  /** Default: the machine's. */
  readonly clock?: Clock;
}

/** Each waiter keeps a request open. Further callers get the present state without waiting. */
const MAX_WAITS = 100;

interface StreamState {
  readonly name: string;
  readonly acknowledged: boolean;
  /** The time until it denies everything by itself; 0 or less if it already does. */
  readonly remaining_ms: number;
}

/**
 * Knows which gateways enforce a change. A gateway acknowledges the events in its view, and its polls are its heartbeat: one that
 * has not polled for `maxStalenessMs`, as stated when it created its stream, refuses every token by itself.
 *
 * @example
 * ```ts
 * import { type AuthoritySchema, ConsentRegister, GatewayAcknowledgements } from '@behalf/authority/consent';
 * import { openDatabase } from '@behalf/store';
 *
 * const databaseUrl = 'postgres://behalf@db.example/behalf';
 * const db = openDatabase<AuthoritySchema>(databaseUrl);
 * const gateways = await GatewayAcknowledgements.open({ databaseUrl, db, log: { log: () => undefined } });
 * const { change } = await new ConsentRegister(db).revokeClient('budget-app', { by: 'support', initiator: 'admin' });
 * const { everywhere, waitingFor } = await gateways.inForce(change, 5_000);
 * console.log(everywhere ? 'no gateway permits it any more' : `not yet at ${waitingFor.join(', ')}`);
 * ```
 */
export class GatewayAcknowledgements {
  readonly #db: AuthorityDatabase;
  readonly #feed: ChangeFeed;
  readonly #closing = new AbortController();
  readonly #clock: Clock;
  #waits = 0;

  private constructor(db: AuthorityDatabase, feed: ChangeFeed, clock: Clock) {
    this.#clock = clock;
    this.#db = db;
    this.#feed = feed;
  }

  /** Starts listening, with one connection of its own. {@link close} ends it. */
  static async open({
    databaseUrl,
    db,
    log,
    clock = systemClock,
  }: AcknowledgementsOptions): Promise<GatewayAcknowledgements> {
    const feed = new ChangeFeed(databaseUrl, log, 'acknowledged', clock);
    await feed.open();
    return new GatewayAcknowledgements(db, feed, clock);
  }

  /** Ends all waits with the state at that time. */
  async close(): Promise<void> {
    this.#closing.abort();
    await this.#feed.close();
  }

  /**
   * Resolves when every gateway enforces the change; or after the time limit, with those that do not.
   *
   * @param change undefined: everything announced up to now
   * @param waitAtMostMs 0: returns the present state
   */
  async inForce(change: ChangePosition | undefined, waitAtMostMs: number): Promise<InForce> {
    const seq = change?.seq ?? (await this.#head());
    if (waitAtMostMs <= 0 || this.#waits >= MAX_WAITS) return (await this.#look(seq)).state;
    const answered = new AbortController();
    const over = AbortSignal.any([this.#closing.signal, answered.signal]);
    // It keeps the process alive while the connection that is listened on is lost.
    void this.#clock.sleep(waitAtMostMs, over).then(() => answered.abort());
    this.#waits += 1;
    try {
      for (;;) {
        // Subscribe before querying, or an acknowledgement in between is missed.
        const again = new AbortController();
        const acknowledgement = this.#feed.wait(AbortSignal.any([over, again.signal]));
        const { state, remainingMs } = await this.#look(seq);
        if (state.everywhere || over.aborted) return state;
        const cancel = this.#clock.after(remainingMs, () => again.abort());
        await acknowledgement;
        cancel();
      }
    } finally {
      answered.abort();
      this.#waits -= 1;
    }
  }

  async #head(): Promise<number> {
    const { seq } = await this.#db
      .selectFrom('authority.change_head')
      .select('seq')
      .executeTakeFirstOrThrow();
    return seq;
  }

  async #look(seq: number): Promise<{ readonly state: InForce; readonly remainingMs: number }> {
    const { rows } = await sql<StreamState>`
      select coalesce(s.description, s.id) as name,
        s.max_staleness_ms - 1000 * extract(epoch from clock_timestamp() - s.polled_at)::float8 as remaining_ms,
        s.delivered_seq >= ${seq} or exists (
          select from authority.stream_ack a where a.stream_id = s.id and a.seq = ${seq}) as acknowledged
      from authority.stream s where s.max_staleness_ms is not null order by s.created_at, s.id`.execute(
      this.#db,
    );
    const isSilent = ({ remaining_ms }: StreamState): boolean => remaining_ms <= 0;
    const following = rows.filter((row) => !isSilent(row));
    const waitingFor = following.filter(({ acknowledged }) => !acknowledged);
    const state = {
      everywhere: waitingFor.length === 0,
      gateways: following.length,
      waitingFor: waitingFor.map(({ name }) => name),
      silent: rows.filter(isSilent).map(({ name }) => name),
    };
    // Rounded up, so that the next look is not too early.
    const remainingMs = Math.ceil(Math.min(...waitingFor.map(({ remaining_ms }) => remaining_ms))) + 1;
    return { state, remainingMs };
  }
}
