import { isRecord, systemClock } from '@behalf/directives/internal';
import type { JWTPayload } from 'jose';
import type { Clock } from '@behalf/directives';
import { ACCESS_RESUMED, ACCESS_SUSPENDED, readSubject, readSuspended, SESSION_REVOKED } from './events.js';
import { FOREIGN_EVENTS, readForeignEvents } from './foreign-events.js';
import type { ForeignEventName } from './foreign-events.js';
import { readKeyEvent } from './key-events.js';
import type { RevocationLog } from './log.js';
import { createStream, openForeignStream } from './stream.js';
import type { Stream } from './stream.js';
import type { ForeignStreamOptions, ReceiverOptions } from './stream-options.js';
import { StreamError, TransmitterClient } from './transmitter-client.js';
import type { RevocationView } from './view.js';

const ALL_FOREIGN_EVENTS = Object.keys(FOREIGN_EVENTS) as readonly ForeignEventName[];
/** A long poll that takes longer is broken. Transmitters usually wait up to 30 s. */
const POLL_TIMEOUT_MS = 40_000;
const MAX_EVENTS = 500;
const RETRY_MIN_MS = 100;
const RETRY_MAX_MS = 2_000;
/** A long poll that returns empty sooner did not wait, so the next one follows after a pause. */
const LEAST_WAIT_MS = 50;
/** With a larger clock difference, nobody could say which tokens have expired. */
const MAX_CLOCK_SKEW_SECONDS = 60;
/**
 * RFC 6750 section 3.1, RFC 9110: the secret is refused, the stream is unknown, or it is not delivering. Each of them ends the
 * stream, because it may have missed announcements that it will never deliver.
 */
const STREAM_IS_OVER: readonly (number | undefined)[] = [401, 404, 409];

/**
 * Receives an issuer's revocations: creates a stream at its transmitter (OpenID Shared Signals Framework 1.0) and polls it (RFC
 * 8936, long polling) until it is closed. The next poll acknowledges received events, and follows as soon as they are in the
 * view: nothing is lost in between, and nobody who waits for the acknowledgement waits for a poll.
 *
 * An event that cannot be verified or read keeps the view from becoming fresh, because what it ends is unknown. When a stream
 * ends, the view becomes stale at once, and the next stream has to catch up first.
 */
export class SsfReceiver {
  readonly #closing = new AbortController();
  readonly #client: TransmitterClient;
  #running: Promise<void> | undefined;
  #stream: Stream | undefined;
  /** A foreign stream was interrupted: the events of the meantime are lost. */
  #hasGap = false;

  readonly #options: ReceiverOptions;
  readonly #view: RevocationView;
  readonly #log: RevocationLog;
  readonly #clock: Clock;
  /** Refetches the keys that verify the issuer's tokens. */
  readonly #refreshKeys: (issuer: string) => Promise<void>;

  constructor(
    options: ReceiverOptions,
    view: RevocationView,
    log: RevocationLog,
    refreshKeys: (issuer: string) => Promise<void> = async () => undefined,
    clock: Clock = systemClock,
  ) {
    this.#options = options;
    this.#view = view;
    this.#log = log;
    this.#refreshKeys = refreshKeys;
    this.#clock = clock;
    this.#client = new TransmitterClient(options, this.#closing.signal, clock);
  }

  start(): void {
    this.#running ??= this.#run();
  }

  /** Deletes the stream, so that nobody waits for a closed receiver. */
  async close(): Promise<void> {
    this.#closing.abort();
    await this.#running;
    await this.#deleteStream();
  }

  #isClosing(): boolean {
    return this.#closing.signal.aborted;
  }

  async #run(): Promise<void> {
    let pauseMs = RETRY_MIN_MS;
    while (!this.#isClosing()) {
      const isGettingOn = await this.#tryToPoll();
      if (isGettingOn) {
        pauseMs = RETRY_MIN_MS;
        continue;
      }
      await this.#clock.sleep(pauseMs, this.#closing.signal);
      pauseMs = Math.min(pauseMs * 2, RETRY_MAX_MS);
    }
  }

  /** @returns false if the next poll must be delayed */
  async #tryToPoll(): Promise<boolean> {
    try {
      this.#stream ??= await this.#openStream();
      return await this.#poll(this.#stream);
    } catch (error) {
      if (this.#isClosing()) return false;
      const reason = error instanceof StreamError ? error.reason : 'NETWORK';
      this.#log.log('warn', 'REVOCATION_STREAM_BROKEN', { issuer: this.#options.issuer, reason });
      // After any other failure the same stream continues from its acknowledgements.
      if (error instanceof StreamError && STREAM_IS_OVER.includes(error.status)) await this.#giveUpStream();
      return false;
    }
  }

  async #openStream(): Promise<Stream> {
    const { foreign, issuer } = this.#options;
    if (foreign !== undefined) return openForeignStream(this.#client, this.#options, foreign, this.#clock);
    const stream = await createStream(this.#client, this.#options, this.#view, this.#clock);
    this.#view.suspensions.beginStream(issuer);
    return stream;
  }

  /** Nothing is permitted until a stream has caught up, because this one may have missed announcements. */
  async #giveUpStream(): Promise<void> {
    const { foreign, issuer } = this.#options;
    this.#view.markUnknown(issuer);
    if (this.#stream === undefined) return;
    // A foreign stream cannot be recreated.
    if (foreign !== undefined) this.#hasGap = true;
    await this.#deleteStream();
    this.#stream = undefined;
  }

  async #poll(stream: Stream): Promise<boolean> {
    const askedAtMs = this.#view.now();
    const acknowledged = new Set(stream.unacknowledged);
    const mayWait = stream.isComplete;
    const { sets, moreAvailable } = await this.#client.post(
      stream.endpoint,
      stream.secret,
      { maxEvents: MAX_EVENTS, returnImmediately: !mayWait, ack: stream.unacknowledged },
      POLL_TIMEOUT_MS,
    );
    if (!isRecord(sets)) throw new StreamError('ANSWER_WITHOUT_SETS');
    stream.isComplete = false;
    const events = Object.entries(sets);
    // Verified concurrently, applied in order, up to the first that fails.
    const verified = await Promise.all(events.map(([jti, set]) => this.#verify(stream, jti, set)));
    for (const payload of verified) this.#apply(stream, payload);
    stream.unacknowledged = events.map(([jti]) => jti);
    // RFC 8936 section 2.4. A full batch does not count as the end, whatever the answer says.
    const isLast = (moreAvailable === undefined || moreAvailable === false) && events.length < MAX_EVENTS;
    if (!isLast && events.length === 0) throw new StreamError('ANSWER_WITHOUT_PROGRESS');
    stream.isComplete = isLast;
    if (Math.abs(this.#client.skewSeconds) > MAX_CLOCK_SKEW_SECONDS) throw new StreamError('CLOCK_SKEW');
    // The answer shows the state at the time of the request: it may have been long in transit.
    if (isLast) this.#markComplete(askedAtMs);
    if (events.length === 0) return !mayWait || this.#view.now() - askedAtMs >= LEAST_WAIT_MS;
    // An event that repeats after its acknowledgement would repeat forever.
    return events.some(([jti]) => !acknowledged.has(jti));
  }

  #markComplete(askedAtMs: number): void {
    const { issuer } = this.#options;
    if (this.#hasGap) {
      // The subjects of the lost events are unknown, so everybody needs new tokens.
      this.#view.revokeIssued(issuer, this.#view.now() / 1000 + Math.max(0, this.#client.skewSeconds));
      this.#log.log('warn', 'REVOCATIONS_LOST', { issuer });
      this.#hasGap = false;
    }
    this.#view.markComplete(issuer, askedAtMs);
  }

  async #verify(stream: Stream, jti: string, set: unknown): Promise<JWTPayload | StreamError> {
    if (typeof set !== 'string') return new StreamError('EVENT_UNREADABLE');
    try {
      // RFC 8417 section 2.3 and RFC 8725 section 3.11: the type excludes the issuer's other tokens.
      const { payload } = await stream.keys.verify(set, {
        issuer: this.#options.issuer,
        audience: [...stream.audience],
        typ: 'secevent+jwt',
        algorithms: ['EdDSA', 'ES256', 'PS256', 'RS256'],
      });
      // RFC 8936 section 2.4: acknowledged by its own name, or another event would be.
      return payload.jti === jti ? payload : new StreamError('EVENT_MISNAMED');
    } catch {
      return new StreamError('EVENT_NOT_VERIFIED');
    }
  }

  #apply(stream: Stream, payload: JWTPayload | StreamError): void {
    if (payload instanceof StreamError) throw payload;
    if (this.#options.foreign !== undefined) {
      this.#applyForeign(this.#options.foreign, payload);
      return;
    }
    const { events, sub_id: subjectId, jti } = payload;
    // Other events were not requested; they end nothing.
    if (!isRecord(events)) return;
    this.#applyKeyEvent(stream, events, subjectId);
    for (const [type, event] of Object.entries(events)) {
      if (type === SESSION_REVOKED) this.#revoke(subjectId, event, String(jti));
      if (type === ACCESS_SUSPENDED || type === ACCESS_RESUMED)
        this.#suspendOrResume(type, subjectId, String(jti));
    }
  }

  #revoke(subjectId: unknown, event: unknown, jti: string): void {
    const { issuer } = this.#options;
    const at = isRecord(event) ? event.event_timestamp : undefined;
    const what = readSubject(issuer, subjectId);
    if (typeof at !== 'number' || what === undefined) throw new StreamError('EVENT_UNREADABLE');
    // An event that does not fit is not acknowledged, so it repeats; until then the view becomes stale.
    if (!this.#view.revoke(what, at)) throw new StreamError('VIEW_FULL');
    this.#log.log('info', 'REVOKED', { issuer, event: jti });
  }

  #suspendOrResume(type: string, subjectId: unknown, jti: string): void {
    const { issuer } = this.#options;
    const { suspensions } = this.#view;
    const what = readSuspended(issuer, subjectId);
    if (what === undefined) throw new StreamError('EVENT_UNREADABLE');
    if (type === ACCESS_RESUMED) suspensions.resume(issuer, what);
    else if (!suspensions.suspend(issuer, what)) throw new StreamError('VIEW_FULL');
    const code = type === ACCESS_RESUMED ? 'ACCESS_RESUMED' : 'ACCESS_SUSPENDED';
    this.#log.log('warn', code, { issuer, event: jti, ...what });
  }

  async #deleteStream(): Promise<void> {
    const { address, secret } = this.#stream ?? {};
    if (address !== undefined && secret !== undefined) await this.#client.delete(address, secret);
  }

  #applyForeign(foreign: ForeignStreamOptions, payload: Readonly<Record<string, unknown>>): void {
    const { issuer } = this.#options;
    const names = foreign.events ?? ALL_FOREIGN_EVENTS;
    const subjects = { issuer, emailIsSubject: foreign.emailIsSubject === true };
    const revocations = readForeignEvents(payload, names, subjects);
    // It stays unacknowledged, and the view becomes stale, because its unknown subject would keep dead tokens.
    if (revocations === 'unreadable') throw new StreamError('EVENT_UNREADABLE');
    for (const { atSeconds, what } of revocations) {
      if (!this.#view.revoke(what, atSeconds)) throw new StreamError('VIEW_FULL');
      this.#log.log('info', 'REVOKED', { issuer, event: String(payload.jti) });
    }
  }

  #applyKeyEvent(stream: Stream, events: Readonly<Record<string, unknown>>, subjectId: unknown): void {
    const event = readKeyEvent(events, subjectId);
    if (event === undefined) return;
    if (event === 'unreadable') throw new StreamError('EVENT_UNREADABLE');
    const { issuer } = this.#options;
    const { keyId, isRevoked } = event;
    // First the part that cannot fail: from here on tokens of the key are refused, whatever the key set says.
    if (isRevoked && !this.#view.revoke({ issuer, keyId }, 0)) throw new StreamError('VIEW_FULL');
    this.#log.log('info', isRevoked ? 'SIGNING_KEY_REVOKED' : 'SIGNING_KEY_ROTATED', { issuer, key: keyId });
    // In the background: if it fails, the next token with an unknown key makes up for it.
    Promise.all([stream.keys.refresh(), this.#refreshKeys(issuer)]).catch(() => {
      this.#log.log('warn', 'ISSUER_KEYS_NOT_REFRESHED', { issuer });
    });
  }
}
