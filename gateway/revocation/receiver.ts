import { setTimeout as sleep } from 'node:timers/promises';
import { isRecord } from '@behalf/directives/internal';
import { jwtVerify } from 'jose';
import type { JWTPayload } from 'jose';
import type { GatewayLog } from '../log.js';
import { ACCESS_RESUMED, ACCESS_SUSPENDED, readSubject, readSuspended, SESSION_REVOKED } from './events.js';
import { FOREIGN_EVENTS, readForeignEvents } from './foreign-events.js';
import type { ForeignEventName } from './foreign-events.js';
import { readKeyEvent } from './key-events.js';
import { createStream, openForeignStream } from './stream.js';
import type { Stream } from './stream.js';
import type { ForeignStreamOptions, ReceiverOptions } from './stream-options.js';
import { StreamError, TransmitterClient } from './transmitter-client.js';
import type { RevocationView } from './view.js';

export type { ForeignStreamOptions, StreamOptions } from './stream-options.js';

const ALL_FOREIGN_EVENTS = Object.keys(FOREIGN_EVENTS) as readonly ForeignEventName[];
/** A long poll that takes longer than this is a broken one. Above the 30 s that transmitters are used to. */
const POLL_TIMEOUT_MS = 40_000;
const MAX_EVENTS = 500;
const RETRY_MIN_MS = 100;
const RETRY_MAX_MS = 2_000;
/** A poll that may wait and comes back empty sooner was not waited with: the next one goes out after a pause. */
const LEAST_WAIT_MS = 50;
/** By more, one of the two does not know what time it is: nobody could say which tokens have expired. */
const MAX_CLOCK_SKEW_SECONDS = 60;
/**
 * RFC 6750 section 3.1, RFC 9110: the secret is not taken, the stream is not known, or it is not delivering. All of them end
 * the stream: whether anything was announced meanwhile that it will never tell, nobody can know.
 */
const STREAM_IS_OVER: readonly (number | undefined)[] = [401, 404, 409];

/**
 * Receives an issuer's revocations: makes a stream at its transmitter (OpenID Shared Signals Framework 1.0) and polls it
 * (RFC 8936, long polling) until it is closed. What it hears is acknowledged with the next poll, which goes out at once
 * after it is in the view: nothing is lost between, and whoever waits for the acknowledgement does not wait for a poll.
 *
 * An event that cannot be verified or read stops the view from becoming fresh: what it would have ended is not known. A
 * stream that is over takes the view's freshness with it at once, and the next one has to tell everything first.
 */
export class SsfReceiver {
  readonly #closing = new AbortController();
  readonly #client: TransmitterClient;
  #running: Promise<void> | undefined;
  #stream: Stream | undefined;
  /** A foreign stream was interrupted: what it did not hold meanwhile is lost. */
  #hasGap = false;

  readonly #options: ReceiverOptions;
  readonly #view: RevocationView;
  readonly #log: GatewayLog;
  /** Fetches the keys again that the issuer's tokens are verified with. */
  readonly #refreshKeys: (issuer: string) => Promise<void>;

  constructor(
    options: ReceiverOptions,
    view: RevocationView,
    log: GatewayLog,
    refreshKeys: (issuer: string) => Promise<void> = async () => undefined,
  ) {
    this.#options = options;
    this.#view = view;
    this.#log = log;
    this.#refreshKeys = refreshKeys;
    this.#client = new TransmitterClient(options, this.#closing.signal);
  }

  start(): void {
    this.#running ??= this.#run();
  }

  /** Deletes the stream, so that nobody waits for a gateway that is gone. */
  async close(): Promise<void> {
    this.#closing.abort();
    await this.#running;
    await this.#deleteStream();
    await this.#client.close();
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
      await sleep(pauseMs, undefined, { signal: this.#closing.signal }).catch(() => undefined);
      pauseMs = Math.min(pauseMs * 2, RETRY_MAX_MS);
    }
  }

  /** @returns false when the next poll must not go out at once */
  async #tryToPoll(): Promise<boolean> {
    try {
      this.#stream ??= await this.#openStream();
      return await this.#poll(this.#stream);
    } catch (error) {
      if (this.#isClosing()) return false;
      const reason = error instanceof StreamError ? error.reason : 'NETWORK';
      this.#log.log('warn', 'REVOCATION_STREAM_BROKEN', { issuer: this.#options.issuer, reason });
      // After any other failure the same stream goes on where it was acknowledged.
      if (error instanceof StreamError && STREAM_IS_OVER.includes(error.status)) await this.#giveUpStream();
      return false;
    }
  }

  async #openStream(): Promise<Stream> {
    const { foreign, issuer } = this.#options;
    if (foreign !== undefined) return openForeignStream(this.#client, this.#options, foreign);
    const stream = await createStream(this.#client, this.#options, this.#view);
    this.#view.suspensions.beginStream(issuer);
    return stream;
  }

  /** Nothing is permitted until a stream has told everything, since it may have announced what this one never tells. */
  async #giveUpStream(): Promise<void> {
    const { foreign, issuer } = this.#options;
    this.#view.markUnknown(issuer);
    if (this.#stream === undefined) return;
    // Nobody makes another one of it.
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
    // Verified side by side, applied in their order, up to the first that cannot be.
    const verified = await Promise.all(events.map(([jti, set]) => this.#verify(stream, jti, set)));
    for (const payload of verified) this.#apply(stream, payload);
    stream.unacknowledged = events.map(([jti]) => jti);
    // RFC 8936 section 2.4. As many as were asked for are not taken for all, whatever is said of them.
    const isLast = (moreAvailable === undefined || moreAvailable === false) && events.length < MAX_EVENTS;
    if (!isLast && events.length === 0) throw new StreamError('ANSWER_WITHOUT_PROGRESS');
    stream.isComplete = isLast;
    if (Math.abs(this.#client.skewSeconds) > MAX_CLOCK_SKEW_SECONDS) throw new StreamError('CLOCK_SKEW');
    // What is known is what was so when the question was asked: the answer may have been long on its way.
    if (isLast) this.#markComplete(askedAtMs);
    if (events.length === 0) return !mayWait || this.#view.now() - askedAtMs >= LEAST_WAIT_MS;
    // What comes again with the answer to its acknowledgement would come for ever.
    return events.some(([jti]) => !acknowledged.has(jti));
  }

  #markComplete(askedAtMs: number): void {
    const { issuer } = this.#options;
    if (this.#hasGap) {
      // Whom the lost events named is not known: everybody gets new tokens.
      this.#view.revokeIssued(issuer, this.#view.now() / 1000 + Math.max(0, this.#client.skewSeconds));
      this.#log.log('warn', 'REVOCATIONS_LOST', { issuer });
      this.#hasGap = false;
    }
    this.#view.markComplete(issuer, askedAtMs);
  }

  async #verify(stream: Stream, jti: string, set: unknown): Promise<JWTPayload | StreamError> {
    if (typeof set !== 'string') return new StreamError('EVENT_UNREADABLE');
    try {
      // RFC 8417 section 2.3 and RFC 8725 section 3.11: the type keeps other tokens of the issuer out.
      const { payload } = await jwtVerify(
        set,
        async (header, jws) => (await stream.keys.find(header, jws)).publicKey,
        {
          issuer: this.#options.issuer,
          audience: [...stream.audience],
          typ: 'secevent+jwt',
          algorithms: ['EdDSA', 'ES256', 'PS256', 'RS256'],
        },
      );
      // RFC 8936 section 2.4: it is acknowledged by the name that it has itself, or another one would be.
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
    // Other events were not asked for; they end nothing.
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
    // An event that there is no room for is not acknowledged, so it comes again; until then the view grows stale.
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
    // It stays unacknowledged, and the view grows stale: who is meant by it would go on with dead tokens.
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
    // First what cannot fail: from here on what the key signed is refused, whatever the key set says.
    if (isRevoked && !this.#view.revoke({ issuer, keyId }, 0)) throw new StreamError('VIEW_FULL');
    this.#log.log('info', isRevoked ? 'SIGNING_KEY_REVOKED' : 'SIGNING_KEY_ROTATED', { issuer, key: keyId });
    // Nobody waits for it: what fails here is made up for when a token comes whose key is not known.
    Promise.all([stream.keys.refresh(), this.#refreshKeys(issuer)]).catch(() => {
      this.#log.log('warn', 'ISSUER_KEYS_NOT_REFRESHED', { issuer });
    });
  }
}
