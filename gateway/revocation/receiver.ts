import { hostname } from 'node:os';
import { setTimeout as sleep } from 'node:timers/promises';
import { isRecord, isStringArray } from '@behalf/directives';
import { createRemoteJWKSet, jwtVerify } from 'jose';
import type { JWTPayload } from 'jose';
import { Agent, request as httpRequest } from 'undici';
import type { GatewayLog } from '../log.js';
import { ACCESS_RESUMED, ACCESS_SUSPENDED, readSubject, readSuspended, SESSION_REVOKED } from './events.js';
import { FOREIGN_EVENTS, readForeignEvents } from './foreign-events.js';
import type { ForeignEventName } from './foreign-events.js';
import { readKeyEvent, SIGNING_KEY_REVOKED, SIGNING_KEY_ROTATED } from './key-events.js';
import type { RevocationView } from './view.js';

/** RFC 8936: delivery by polling. */
const POLL_DELIVERY = 'urn:ietf:rfc:8936';
const EVENTS_REQUESTED: readonly string[] = [
  SESSION_REVOKED,
  ACCESS_SUSPENDED,
  ACCESS_RESUMED,
  SIGNING_KEY_ROTATED,
  SIGNING_KEY_REVOKED,
];
const ALL_FOREIGN_EVENTS = Object.keys(FOREIGN_EVENTS) as readonly ForeignEventName[];
/** A long poll that takes longer than this is a broken one. Above the 30 s that transmitters are used to. */
const POLL_TIMEOUT_MS = 40_000;
const REQUEST_TIMEOUT_MS = 5_000;
/** Whoever stops does not wait long to say so. */
const FAREWELL_TIMEOUT_MS = 1_000;
const MAX_EVENTS = 500;
const RETRY_MIN_MS = 100;
const RETRY_MAX_MS = 2_000;
const MAX_RESPONSE_BYTES = 8 * 1024 * 1024;
/** By more, one of the two does not know what time it is: nobody could say which tokens have expired. */
const MAX_CLOCK_SKEW_SECONDS = 60;

export interface StreamOptions {
  /** Issuer of the events, whose tokens they end. */
  readonly issuer: string;
  /** Default: `/.well-known/ssf-configuration` of the issuer. */
  readonly configurationUri?: string;
  /** Bearer secret of the stream. */
  readonly secret: string;
  /** How this gateway is called where somebody waits for all of them. Default: host name and process. */
  readonly instance?: string;
  /** A stream that was made by other means, at an issuer that is no Behalf authority. */
  readonly foreign?: ForeignStreamOptions;
}

export interface ForeignStreamOptions {
  /** Where its events are polled (RFC 8936). */
  readonly deliveryEndpoint: string;
  /** `aud` of its events. */
  readonly audience: string;
  /** Default: `jwks_uri` of the issuer's SSF metadata. */
  readonly jwksUri?: string;
  /** Event types that matter. Default: all of {@link FOREIGN_EVENTS}. */
  readonly events?: readonly ForeignEventName[];
  /** The tokens' `sub` is the email address that events name people by. Default false. */
  readonly emailIsSubject?: boolean;
}

interface Stream {
  /** Where it is deleted; undefined when the transmitter did not name it. */
  readonly address: string | undefined;
  readonly endpoint: string;
  readonly audience: readonly string[];
  readonly keys: ReturnType<typeof createRemoteJWKSet>;
  /** Applied, and to be told to the transmitter with the next poll. */
  unacknowledged: readonly string[];
  /** Nothing more was available at the last poll: the next one may wait. */
  isComplete: boolean;
}

/** A transmitter's answer that cannot be used. */
class StreamError extends Error {
  constructor(
    readonly reason: string,
    readonly status?: number,
  ) {
    super(reason);
  }
}

/**
 * Receives an issuer's revocations: makes a stream at its transmitter (OpenID Shared Signals Framework 1.0) and polls it
 * (RFC 8936, long polling) until it is closed. What it hears is acknowledged with the next poll, which goes out at once
 * after it is in the view: nothing is lost between, and whoever waits for the acknowledgement does not wait for a poll.
 *
 * An event that cannot be verified or read stops the view from becoming fresh: what it would have ended is not known.
 */
export class SsfReceiver {
  private readonly closing = new AbortController();
  private readonly agent = new Agent({ connections: 2, maxResponseSize: MAX_RESPONSE_BYTES });
  private running: Promise<void> | undefined;
  private stream: Stream | undefined;
  /** How far the transmitter's clock was ahead of ours at its last answer. */
  private skewSeconds = 0;

  constructor(
    private readonly options: StreamOptions,
    private readonly view: RevocationView,
    private readonly log: GatewayLog,
    /** Fetches the keys again that the issuer's tokens are verified with. */
    private readonly refreshKeys: (issuer: string) => Promise<void> = async () => undefined,
  ) {}

  start(): void {
    this.running ??= this.run();
  }

  async close(): Promise<void> {
    this.closing.abort();
    await this.running;
    await this.deleteStream();
    await this.agent.destroy();
  }

  private isClosing(): boolean {
    return this.closing.signal.aborted;
  }

  private async run(): Promise<void> {
    let retryMs = RETRY_MIN_MS;
    while (!this.isClosing()) {
      try {
        this.stream ??= await this.openStream();
        await this.poll(this.stream);
        retryMs = RETRY_MIN_MS;
      } catch (error) {
        if (this.isClosing()) return;
        const reason = error instanceof StreamError ? error.reason : 'NETWORK';
        this.log.log('warn', 'REVOCATION_STREAM_BROKEN', { issuer: this.options.issuer, reason });
        // The transmitter forgot the stream, or no longer takes the secret for it. A new one begins with everything that
        // can still matter; after any other failure the same stream goes on where it was acknowledged.
        if (error instanceof StreamError && (error.status === 404 || error.status === 401))
          this.stream = undefined;
        await sleep(retryMs, undefined, { signal: this.closing.signal }).catch(() => undefined);
        retryMs = Math.min(retryMs * 2, RETRY_MAX_MS);
      }
    }
  }

  private async openStream(): Promise<Stream> {
    const { foreign } = this.options;
    return foreign === undefined ? this.createStream() : this.openForeignStream(foreign);
  }

  /** Nothing is made at the transmitter: only its keys are looked for. */
  private async openForeignStream(foreign: ForeignStreamOptions): Promise<Stream> {
    const { issuer, configurationUri = `${issuer}/.well-known/ssf-configuration` } = this.options;
    let { jwksUri } = foreign;
    if (jwksUri === undefined) {
      const metadata = await this.call('GET', configurationUri, undefined, REQUEST_TIMEOUT_MS);
      if (metadata.issuer !== issuer) throw new StreamError('METADATA_OF_ANOTHER_ISSUER');
      if (typeof metadata.jwks_uri !== 'string') throw new StreamError('METADATA');
      jwksUri = metadata.jwks_uri;
    }
    return {
      address: undefined,
      endpoint: foreign.deliveryEndpoint,
      audience: [foreign.audience],
      keys: createRemoteJWKSet(new URL(jwksUri), { cooldownDuration: 1_000 }),
      unacknowledged: [],
      isComplete: false,
    };
  }

  /** SSF 1.0 section 8.1.1.1. */
  private async createStream(): Promise<Stream> {
    const { issuer, configurationUri = `${issuer}/.well-known/ssf-configuration` } = this.options;
    const metadata = await this.call('GET', configurationUri, undefined, REQUEST_TIMEOUT_MS);
    const { issuer: announced, jwks_uri: jwksUri, configuration_endpoint: configuration } = metadata;
    if (announced !== issuer) throw new StreamError('METADATA_OF_ANOTHER_ISSUER');
    if (typeof jwksUri !== 'string' || typeof configuration !== 'string') throw new StreamError('METADATA');
    const created = await this.call(
      'POST',
      configuration,
      {
        delivery: { method: POLL_DELIVERY },
        events_requested: EVENTS_REQUESTED,
        description: this.options.instance ?? `${hostname()}:${process.pid}`,
        // Ours alone: tells the authority from when on this gateway, unheard of, permits nothing.
        behalf_max_staleness_ms: this.view.maxStalenessMs,
      },
      REQUEST_TIMEOUT_MS,
    );
    const { delivery, aud: audience, stream_id: id } = created;
    const endpoint = isRecord(delivery) ? delivery.endpoint_url : undefined;
    if (typeof endpoint !== 'string') throw new StreamError('STREAM_WITHOUT_ENDPOINT');
    const audiences = typeof audience === 'string' ? [audience] : audience;
    if (!isStringArray(audiences)) throw new StreamError('STREAM_WITHOUT_AUDIENCE');
    this.view.suspensions.beginStream(issuer);
    return {
      address: typeof id === 'string' ? addressOf(configuration, id) : undefined,
      endpoint,
      audience: audiences,
      keys: createRemoteJWKSet(new URL(jwksUri), { cooldownDuration: 1_000 }),
      unacknowledged: [],
      isComplete: false,
    };
  }

  private async poll(stream: Stream): Promise<void> {
    const askedAtMs = this.view.now();
    const { sets, moreAvailable } = await this.call(
      'POST',
      stream.endpoint,
      { maxEvents: MAX_EVENTS, returnImmediately: !stream.isComplete, ack: stream.unacknowledged },
      POLL_TIMEOUT_MS,
    );
    if (!isRecord(sets)) throw new StreamError('ANSWER_WITHOUT_SETS');
    stream.isComplete = false;
    // Verified side by side, applied in their order, up to the first that cannot be.
    const verified = await Promise.all(Object.values(sets).map((set) => this.verify(stream, set)));
    for (const payload of verified) this.apply(stream, payload);
    stream.unacknowledged = Object.keys(sets);
    stream.isComplete = moreAvailable !== true;
    if (Math.abs(this.skewSeconds) > MAX_CLOCK_SKEW_SECONDS) throw new StreamError('CLOCK_SKEW');
    // What is known is what was so when the question was asked: the answer may have been long on its way.
    if (stream.isComplete) this.view.markComplete(this.options.issuer, askedAtMs);
  }

  private async verify(stream: Stream, set: unknown): Promise<JWTPayload | StreamError> {
    if (typeof set !== 'string') return new StreamError('EVENT_UNREADABLE');
    try {
      // RFC 8417 section 2.3 and RFC 8725 section 3.11: the type keeps other tokens of the issuer out.
      const { payload } = await jwtVerify(set, stream.keys, {
        issuer: this.options.issuer,
        audience: [...stream.audience],
        typ: 'secevent+jwt',
        algorithms: ['EdDSA', 'ES256', 'PS256', 'RS256'],
      });
      return payload;
    } catch {
      return new StreamError('EVENT_NOT_VERIFIED');
    }
  }

  private apply(stream: Stream, payload: JWTPayload | StreamError): void {
    if (payload instanceof StreamError) throw payload;
    if (this.options.foreign !== undefined) {
      this.applyForeign(this.options.foreign, payload);
      return;
    }
    const { events, sub_id: subjectId, jti } = payload;
    // Other events were not asked for; they end nothing.
    if (!isRecord(events)) return;
    this.applyKeyEvent(stream, events, subjectId);
    for (const [type, event] of Object.entries(events)) {
      if (type === SESSION_REVOKED) this.revoke(subjectId, event, String(jti));
      if (type === ACCESS_SUSPENDED || type === ACCESS_RESUMED)
        this.suspendOrResume(type, subjectId, String(jti));
    }
  }

  private revoke(subjectId: unknown, event: unknown, jti: string): void {
    const { issuer } = this.options;
    const at = isRecord(event) ? event.event_timestamp : undefined;
    const what = readSubject(issuer, subjectId);
    if (typeof at !== 'number' || what === undefined) throw new StreamError('EVENT_UNREADABLE');
    // An event that there is no room for is not acknowledged, so it comes again; until then the view grows stale.
    if (!this.view.revoke(what, at)) throw new StreamError('VIEW_FULL');
    this.log.log('info', 'REVOKED', { issuer, event: jti });
  }

  private suspendOrResume(type: string, subjectId: unknown, jti: string): void {
    const { issuer } = this.options;
    const { suspensions } = this.view;
    const what = readSuspended(issuer, subjectId);
    if (what === undefined) throw new StreamError('EVENT_UNREADABLE');
    if (type === ACCESS_RESUMED) suspensions.resume(issuer, what);
    else if (!suspensions.suspend(issuer, what)) throw new StreamError('VIEW_FULL');
    const code = type === ACCESS_RESUMED ? 'ACCESS_RESUMED' : 'ACCESS_SUSPENDED';
    this.log.log('warn', code, { issuer, event: jti, ...what });
  }

  /** So that nobody waits for a gateway that is gone. When it cannot be said, the authority finds out by the silence. */
  private async deleteStream(): Promise<void> {
    const address = this.stream?.address;
    if (address === undefined) return;
    try {
      const { body } = await httpRequest(address, {
        method: 'DELETE',
        dispatcher: this.agent,
        headers: { authorization: `Bearer ${this.options.secret}` },
        signal: AbortSignal.timeout(FAREWELL_TIMEOUT_MS),
      });
      await body.dump();
    } catch {
      // It was said into the void.
    }
  }

  private applyForeign(foreign: ForeignStreamOptions, payload: Readonly<Record<string, unknown>>): void {
    const { issuer } = this.options;
    const names = foreign.events ?? ALL_FOREIGN_EVENTS;
    const subjects = { issuer, emailIsSubject: foreign.emailIsSubject === true };
    const revocations = readForeignEvents(payload, names, subjects);
    // It stays unacknowledged, and the view grows stale: who is meant by it would go on with dead tokens.
    if (revocations === 'unreadable') throw new StreamError('EVENT_UNREADABLE');
    for (const { atSeconds, what } of revocations) {
      if (!this.view.revoke(what, atSeconds)) throw new StreamError('VIEW_FULL');
      this.log.log('info', 'REVOKED', { issuer, event: String(payload.jti) });
    }
  }

  private applyKeyEvent(stream: Stream, events: Readonly<Record<string, unknown>>, subjectId: unknown): void {
    const event = readKeyEvent(events, subjectId);
    if (event === undefined) return;
    if (event === 'unreadable') throw new StreamError('EVENT_UNREADABLE');
    const { issuer } = this.options;
    const { keyId, isRevoked } = event;
    // First what cannot fail: from here on what the key signed is refused, whatever the key set says.
    if (isRevoked && !this.view.revoke({ issuer, keyId }, 0)) throw new StreamError('VIEW_FULL');
    this.log.log('info', isRevoked ? 'SIGNING_KEY_REVOKED' : 'SIGNING_KEY_ROTATED', { issuer, key: keyId });
    // Nobody waits for it: what fails here is made up for when a token comes whose key is not known.
    Promise.all([stream.keys.reload(), this.refreshKeys(issuer)]).catch(() => {
      this.log.log('warn', 'ISSUER_KEYS_NOT_REFRESHED', { issuer });
    });
  }

  private async call(
    method: 'GET' | 'POST',
    address: string,
    body: Record<string, unknown> | undefined,
    timeoutMs: number,
  ): Promise<Record<string, unknown>> {
    const response = await httpRequest(address, {
      method,
      dispatcher: this.agent,
      headers: {
        authorization: `Bearer ${this.options.secret}`,
        accept: 'application/json',
        ...(body === undefined ? {} : { 'content-type': 'application/json' }),
      },
      body: body === undefined ? null : JSON.stringify(body),
      signal: AbortSignal.any([this.closing.signal, AbortSignal.timeout(timeoutMs)]),
      headersTimeout: timeoutMs,
      bodyTimeout: timeoutMs,
    });
    if (response.statusCode < 200 || response.statusCode > 299) {
      await response.body.dump();
      throw new StreamError(`HTTP_${response.statusCode}`, response.statusCode);
    }
    this.skewSeconds = skewSeconds(response.headers.date);
    const answer: unknown = await response.body.json();
    if (!isRecord(answer)) throw new StreamError('ANSWER_UNREADABLE');
    return answer;
  }
}

/** RFC 9110 section 6.6.1: a server that has no clock sends no date, and then there is nothing to compare. */
function skewSeconds(date: unknown): number {
  const theirsMs = typeof date === 'string' ? Date.parse(date) : Number.NaN;
  return Number.isNaN(theirsMs) ? 0 : (theirsMs - Date.now()) / 1000;
}

/** SSF 1.0 section 8.1.1.5. */
function addressOf(configuration: string, streamId: string): string {
  const address = new URL(configuration);
  address.searchParams.set('stream_id', streamId);
  return address.href;
}
