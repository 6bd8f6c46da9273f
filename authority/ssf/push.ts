import { randomUUID } from 'node:crypto';

import { sql } from 'kysely';
import { Agent, request as httpRequest } from 'undici';

import type { Log } from '@behalf/store';
import type { Clock } from '@behalf/directives';
import { withoutUndefined } from '@behalf/directives/internal';
import type { SigningKeyRing } from '../keys/ring.js';
import type { Sealed, SealedSecrets } from '../keys/sealed.js';
import type { AuthorityDatabase } from '../schema.js';
import { transact } from '../transact.js';
import type { ChangeFeed } from '../changes/feed.js';
import type { Outbox } from './outbox.js';
import { recordStream } from './stream-events.js';
import { pushName } from './stream-request.js';
import type { StreamRegister } from './streams.js';

const EVENTS_PER_ROUND = 50;
/** The longest turn of a stream, so that a slow receiver does not hold up others. */
const ROUND_MS = 5_000;
const STREAMS_AT_ONCE = 3;
const REQUEST_TIMEOUT_MS = 10_000;
const MAX_RESPONSE_BYTES = 16 * 1024;
const LOOK_AGAIN_MS = 1_000;
/**
 * The last request of a round begins within `ROUND_MS` of the lease's start and ends within `REQUEST_TIMEOUT_MS`. After an
 * instance dies, another continues after this time.
 */
const LEASE_SECONDS = 20;

/** RFC 8935, section 2.4: the error codes of a receiver. */
const ERRORS: ReadonlySet<unknown> = new Set([
  'invalid_request',
  'invalid_key',
  'invalid_issuer',
  'invalid_audience',
  'authentication_failed',
  'access_denied',
]);

/** When to retry a receiver that does not accept its events. */
export interface PushRetry {
  /** Doubles with each consecutive failure. */
  readonly firstMs: number;
  readonly longestMs: number;
  /** After this many consecutive failures the stream is paused, with the reason. */
  readonly attempts: number;
}

/** 1 s, 2 s, 4 s … 5 minutes: about half an hour. */
export const PUSH_RETRY: PushRetry = { firstMs: 1_000, longestMs: 5 * 60 * 1_000, attempts: 14 };

/** @see PushDelivery */
export interface PushDeliveryOptions {
  readonly db: AuthorityDatabase;
  readonly streams: StreamRegister;
  readonly outbox: Outbox;
  readonly keys: SigningKeyRing;
  readonly secrets: SealedSecrets;
  readonly feed: ChangeFeed;
  /** The endpoints of the current configuration. */
  readonly endpoints: ReadonlySet<string>;
  readonly retry: PushRetry;
  readonly log: Log;
  readonly clock: Pick<Clock, 'monotonic'>;
}

interface PushedStream {
  readonly id: string;
  readonly receiver: string;
  readonly endpoint: string;
  readonly failures: number;
}

/**
 * Pushes events to receivers (RFC 8935), one after the other and in order for each stream: the next one is sent when the previous
 * one was accepted. The position of a stream is in the store, so any instance can continue after a restart. Only one instance at
 * a time pushes a stream: it holds a lease of some seconds in the stream's row, by the database's clock.
 *
 * An event that was accepted but not yet recorded is sent again, with the same `jti`. An event that the receiver refuses is never
 * skipped, because the receiver would miss a revocation. The stream stops there until somebody acts.
 */
export class PushDelivery {
  readonly #options: PushDeliveryOptions;
  readonly #closing = new AbortController();
  /** No redirects: only the configuration decides where events go. */
  readonly #agent = new Agent({ maxResponseSize: MAX_RESPONSE_BYTES, connectTimeout: REQUEST_TIMEOUT_MS });
  #running: Promise<void> | undefined;

  constructor(options: PushDeliveryOptions) {
    this.#options = options;
  }

  /** Without configured endpoints, there is nothing to push. */
  start(): void {
    if (this.#options.endpoints.size > 0) this.#running ??= this.#run();
  }

  /** Waits for requests in flight. */
  async close(): Promise<void> {
    this.#closing.abort();
    await this.#running;
    await this.#agent.close();
  }

  async #run(): Promise<void> {
    const { feed } = this.#options;
    const { signal } = this.#closing;
    while (!signal.aborted) {
      // Subscribe before querying, or a change in between is missed.
      const change = feed.wait(signal, LOOK_AGAIN_MS);
      const taken = await this.#round().catch((error: unknown) => this.#logFailure(error));
      if (taken !== true) await change;
    }
  }

  /** @returns true if an event was accepted, so that there may be more */
  async #round(): Promise<boolean> {
    const waiting = [...(await this.#due())];
    let taken = false;
    const work = async (): Promise<void> => {
      for (let stream = waiting.shift(); stream !== undefined; stream = waiting.shift()) {
        if (this.#closing.signal.aborted) return;
        // A failure of one stream does not stop the others.
        const result = await this.#pushLeased(stream).catch((error: unknown) => this.#logFailure(error));
        taken ||= result === true;
      }
    };
    await Promise.all(Array.from({ length: STREAMS_AT_ONCE }, work));
    return taken;
  }

  #logFailure(error: unknown): void {
    const reason = error instanceof Error ? error.name : 'unknown';
    this.#options.log.log('warn', 'PUSH_FAILED', { reason });
  }

  /** The streams with events to deliver whose retry delay is over. */
  async #due(id?: string): Promise<readonly PushedStream[]> {
    const { rows } = await sql<PushedStream>`
      select s.id, s.receiver, s.push_endpoint as endpoint, s.push_failures as failures
      from authority.stream s
      where s.push_endpoint is not null and s.status = 'enabled' and s.push_not_before <= clock_timestamp()
        and (${id ?? null}::text is null or s.id = ${id ?? null}::text)
        and (exists (select from authority.stream_verification v where v.stream_id = s.id)
          or exists (select from authority.change_event e
            where e.seq > s.delivered_seq and e.kind = any(s.events)))`.execute(this.#options.db);
    return rows;
  }

  async #pushLeased({ id }: PushedStream): Promise<boolean> {
    const { db, clock } = this.#options;
    const lease = randomUUID();
    const endMs = clock.monotonic() + ROUND_MS;
    const { numAffectedRows } = await sql`
      update authority.stream set push_lease = ${lease},
        push_lease_until = clock_timestamp() + make_interval(secs => ${LEASE_SECONDS})
      where id = ${id} and push_lease_until < clock_timestamp()`.execute(db);
    if (numAffectedRows !== 1n) return false;
    try {
      // Read again, because another instance may have just pushed it.
      const [stream] = await this.#due(id);
      return stream !== undefined && (await this.#push(stream, endMs));
    } finally {
      await sql`update authority.stream set push_lease = null, push_lease_until = '-infinity'
        where id = ${id} and push_lease = ${lease}`.execute(db);
    }
  }

  /** @param endMs no request begins after this time of the monotonic clock */
  async #push(stream: PushedStream, endMs: number): Promise<boolean> {
    const { clock, endpoints, outbox, streams } = this.#options;
    // The endpoint may have been removed from the configuration since the stream was created.
    if (!endpoints.has(stream.endpoint)) {
      await this.#noteFailure(stream, 'endpoint_not_configured');
      return false;
    }
    const sealed = await streams.pushAuthorization(stream.id);
    const authorization = sealed === undefined ? undefined : this.#open(stream.endpoint, sealed);
    if (authorization === 'unreadable') {
      await this.#noteFailure(stream, 'header_unreadable');
      return false;
    }
    const { sets } = await outbox.next(stream, EVENTS_PER_ROUND);
    let taken = false;
    for (const [jti, set] of sets) {
      if (this.#closing.signal.aborted || clock.monotonic() > endMs) return taken;
      const failure = await this.#post(stream.endpoint, authorization?.header, set);
      if (failure !== undefined) {
        await this.#noteFailure(stream, failure);
        return taken;
      }
      await streams.acknowledge(stream, [jti]);
      if (!taken) await this.#noteSuccess(stream);
      taken = true;
    }
    return taken;
  }

  /** It was encrypted with another key, or for another address. */
  #open(endpoint: string, sealed: Sealed): { readonly header: string } | 'unreadable' {
    try {
      return { header: this.#options.secrets.open(pushName(endpoint), sealed) };
    } catch {
      return 'unreadable';
    }
  }

  /** RFC 8935, section 2. @returns a code of what went wrong; undefined if the event was accepted */
  async #post(endpoint: string, authorization: string | undefined, set: string): Promise<string | undefined> {
    try {
      const response = await httpRequest(endpoint, {
        method: 'POST',
        dispatcher: this.#agent,
        headers: withoutUndefined({
          'content-type': 'application/secevent+jwt',
          accept: 'application/json',
          authorization,
        }),
        body: set,
        headersTimeout: REQUEST_TIMEOUT_MS,
        bodyTimeout: REQUEST_TIMEOUT_MS,
        signal: AbortSignal.timeout(REQUEST_TIMEOUT_MS),
      });
      const { statusCode } = response;
      const text = await response.body.text();
      if (statusCode >= 200 && statusCode <= 299) return undefined;
      return statusCode === 400 ? errorIn(text) : `http_${statusCode}`;
    } catch {
      return 'unreachable';
    }
  }

  async #noteSuccess({ failures, id }: PushedStream): Promise<void> {
    if (failures === 0) return;
    await this.#options.db
      .updateTable('authority.stream')
      .set({ push_failures: 0, push_not_before: sql<Date>`'-infinity'` })
      .where('id', '=', id)
      .execute();
  }

  async #noteFailure({ failures, id, receiver }: PushedStream, failure: string): Promise<void> {
    const { db, keys, log, retry } = this.#options;
    // The next attempt signs the event again, with the key then in force.
    if (failure === 'invalid_key') await keys.refresh();
    const delayMs = Math.min(retry.firstMs * 2 ** Math.min(failures, 30), retry.longestMs);
    const isOver = failures + 1 >= retry.attempts;
    const reason = `delivery failed: ${failure}`;
    await transact(db, async (trx) => {
      const { rows } = await sql<{ status: string }>`update authority.stream
        set push_failures = push_failures + 1,
          push_not_before = clock_timestamp() + make_interval(secs => ${delayMs / 1000}::double precision),
          status = case when ${isOver}::boolean and status = 'enabled' then 'paused' else status end,
          status_reason = case when ${isOver}::boolean and status = 'enabled' then ${reason}::text else status_reason end,
          polled_at = clock_timestamp()
        where id = ${id} returning status`.execute(trx);
      if (!isOver || rows[0]?.status !== 'paused') return;
      const paused = { streamId: id, receiver, status: 'paused' } as const;
      await recordStream(trx, 'stream-status-changed', paused, reason);
    });
    if (isOver) log.log('error', 'STREAM_PAUSED', { stream: id, receiver, failure });
    else log.log('warn', 'PUSH_REFUSED', { receiver, failure });
  }
}

function errorIn(text: string): string {
  try {
    const body: unknown = JSON.parse(text);
    const code = typeof body === 'object' && body !== null && 'err' in body ? body.err : undefined;
    if (typeof code === 'string' && ERRORS.has(code)) return code;
  } catch {
    // Told below.
  }
  return 'http_400';
}
