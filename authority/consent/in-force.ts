import { sql } from 'kysely';

import type { Log } from '@behalf/store';
import { ChangeFeed } from '../changes/feed.js';
import type { AuthorityDatabase } from '../schema.js';
import type { ChangePosition } from './types.js';

/** Whether a change is enforced, by gateway. */
export interface InForce {
  /** No gateway permits what the change ended. */
  readonly everywhere: boolean;
  /** How many follow the change log at present. */
  readonly gateways: number;
  /** Those of them that have not acknowledged the change, by the name that each gave itself. */
  readonly waitingFor: readonly string[];
  /** Those that stopped following so long ago that they permit nothing any more: they are not waited for. */
  readonly silent: readonly string[];
}

/** @see GatewayAcknowledgements.open */
export interface AcknowledgementsOptions {
  /** Where it listens for acknowledgements, with one connection. */
  readonly databaseUrl: string;
  readonly db: AuthorityDatabase;
  readonly log: Log;
}

/** More would keep as many requests open. Whoever comes then is told how it stands, without waiting. */
const MAX_WAITS = 100;

interface StreamState {
  readonly name: string;
  readonly acknowledged: boolean;
  /** Until it permits nothing by itself; it does so already when this is not above 0. */
  readonly remaining_ms: number;
}

/**
 * Knows which gateways enforce a change. A gateway acknowledges what is in its view, and its polls are its heartbeat: one
 * that has not polled for as long as it permits anything without hearing from us (`maxStalenessMs`, which it told when it
 * made its stream) refuses every token by itself.
 */
export class GatewayAcknowledgements {
  readonly #db: AuthorityDatabase;
  readonly #feed: ChangeFeed;
  readonly #closing = new AbortController();
  #waits = 0;

  private constructor(db: AuthorityDatabase, feed: ChangeFeed) {
    this.#db = db;
    this.#feed = feed;
  }

  static async open({ databaseUrl, db, log }: AcknowledgementsOptions): Promise<GatewayAcknowledgements> {
    const feed = new ChangeFeed(databaseUrl, log, 'acknowledged');
    await feed.open();
    return new GatewayAcknowledgements(db, feed);
  }

  /** Ends what waits, with how it stands then. */
  async close(): Promise<void> {
    this.#closing.abort();
    await this.#feed.close();
  }

  /**
   * Answers when every gateway enforces the change, or after so long, who does not.
   *
   * @param change undefined: everything that was announced up to now
   * @param waitAtMostMs 0: how it stands at present
   */
  async inForce(change: ChangePosition | undefined, waitAtMostMs: number): Promise<InForce> {
    const seq = change?.seq ?? (await this.#head());
    if (waitAtMostMs <= 0 || this.#waits >= MAX_WAITS) return (await this.#look(seq)).state;
    const answered = new AbortController();
    const timeout = AbortSignal.timeout(waitAtMostMs);
    const over = AbortSignal.any([this.#closing.signal, timeout, answered.signal]);
    this.#waits += 1;
    try {
      for (;;) {
        // To wait begins before to look, or an acknowledgement in between would be slept through.
        const again = new AbortController();
        const acknowledgement = this.#feed.wait(AbortSignal.any([over, again.signal]));
        const { state, remainingMs } = await this.#look(seq);
        if (state.everywhere || over.aborted) return state;
        const timer = setTimeout(() => again.abort(), remainingMs);
        await acknowledgement;
        clearTimeout(timer);
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
    // Rounded up, so that whoever looks then finds it so.
    const remainingMs = Math.ceil(Math.min(...waitingFor.map(({ remaining_ms }) => remaining_ms))) + 1;
    return { state, remainingMs };
  }
}
