import type { IncomingMessage, ServerResponse } from 'node:http';

import type { Clock } from '@behalf/directives';
import type { Log } from '@behalf/store';
import { readJsonObject } from '../http/body.js';
import { allow } from '../http/methods.js';
import { HttpError, sendJson } from '../http/respond.js';
import { accessBy, type StreamAccess } from './access.js';
import type { ChangeFeed } from '../changes/feed.js';
import type { Batch, Outbox } from './outbox.js';
import type { ReceiverRegister } from './receivers.js';
import { requireStream, type StreamManagement, unknownStream } from './stream-management.js';
import { type Poll, POLL_DELIVERY, PUSH_DELIVERY, readPoll } from './stream-request.js';
import type { Stream } from './stream.js';
import type { StreamRegister } from './streams.js';

const MAX_BODY_BYTES = 256 * 1024;
const LONG_POLL_MS = 30_000;
const MAX_LONG_POLLS = 1_000;

/** @see SsfTransmitter */
export interface TransmitterOptions {
  readonly issuer: string;
  readonly receivers: ReceiverRegister;
  readonly management: StreamManagement;
  readonly streams: StreamRegister;
  readonly outbox: Outbox;
  readonly feed: ChangeFeed;
  readonly log: Log;
  readonly clock: Pick<Clock, 'after'>;
  readonly longPollMs?: number | undefined;
}

/** The transmitter of OpenID Shared Signals Framework 1.0: its addresses, and RFC 8936 polling. */
export class SsfTransmitter {
  readonly #options: TransmitterOptions;
  readonly #polls = new Set<() => void>();
  #closed = false;

  constructor(options: TransmitterOptions) {
    this.#options = options;
  }

  /** @returns whether the path is one of the transmitter's, and was answered @throws HttpError */
  async handle(request: IncomingMessage, response: ServerResponse, url: URL): Promise<boolean> {
    const { management, receivers, streams } = this.#options;
    const { pathname } = url;
    if (pathname === '/.well-known/ssf-configuration') {
      allow(request, 'GET');
      sendJson(response, 200, this.#metadata());
      return true;
    }
    if (!pathname.startsWith('/ssf/')) return false;
    const secret = presentedSecret(request);
    if (pathname === '/ssf/streams' && request.method === 'POST') {
      const receiver = receivers.find(secret);
      if (receiver === undefined) throw wrongSecret();
      await management.create(request, response, receiver);
      return true;
    }
    const access = await accessBy(secret, receivers, streams);
    if (access === undefined) throw wrongSecret();
    const [, streamId] = /^\/ssf\/streams\/([\w-]{1,64})\/poll$/.exec(pathname) ?? [];
    if (streamId !== undefined) await this.#poll(request, response, streamId, access);
    else if (pathname === '/ssf/streams') await management.configuration(request, response, url, access);
    else if (pathname === '/ssf/status') await management.status(request, response, url, access);
    else if (pathname === '/ssf/verify') await management.verification(request, response, access);
    else return false;
    return true;
  }

  /** Ends all long polls, each with an empty answer. */
  close(): void {
    this.#closed = true;
    for (const end of this.#polls) end();
  }

  /**
   * SSF 1.0, section 7.1. Subjects cannot be added or removed: a stream covers all of them, so there are no endpoints for that.
   */
  #metadata(): Record<string, unknown> {
    const { issuer, receivers } = this.#options;
    return {
      spec_version: '1_0',
      issuer,
      jwks_uri: `${issuer}/jwks`,
      delivery_methods_supported:
        receivers.pushEndpoints.size > 0 ? [POLL_DELIVERY, PUSH_DELIVERY] : [POLL_DELIVERY],
      configuration_endpoint: `${issuer}/ssf/streams`,
      status_endpoint: `${issuer}/ssf/status`,
      verification_endpoint: `${issuer}/ssf/verify`,
      authorization_schemes: [{ spec_urn: 'urn:ietf:rfc:6750' }],
      critical_subject_members: ['user', 'application', 'consent', 'session', 'token', 'key'],
      default_subjects: 'ALL',
    };
  }

  /** RFC 8936, section 2 */
  async #poll(
    request: IncomingMessage,
    response: ServerResponse,
    id: string,
    access: StreamAccess,
  ): Promise<void> {
    allow(request, 'POST');
    const { streams, log } = this.#options;
    const poll = readPoll(await readJsonObject(request, MAX_BODY_BYTES));
    const stream = await requireStream(id, access);
    await this.#requireWhole(stream);
    if (!(await streams.touch(id))) throw unknownStream();
    // An event that a receiver cannot read is not sent again (section 2.4): the receiver must distrust its own view.
    if (poll.failed.length > 0) {
      log.log('error', 'EVENTS_UNREADABLE', { stream: id, count: poll.failed.length });
    }
    await streams.acknowledge(stream, [...poll.acknowledged, ...poll.failed]);
    const { sets, isLast } = await this.#collect(stream, poll, response);
    sendJson(response, 200, { sets: Object.fromEntries(sets), moreAvailable: !isLast });
  }

  /**
   * Refuses a stream that is stopped or has a gap: an empty answer would mean that nothing was revoked.
   *
   * @throws HttpError 404, 409
   */
  async #requireWhole({ id }: Stream): Promise<void> {
    const stream = await this.#options.streams.get(id);
    if (stream === undefined) throw unknownStream();
    if (stream.pushEndpoint !== undefined) {
      throw new HttpError(409, 'STREAM_IS_PUSHED', 'The events of this stream are pushed');
    }
    if (stream.status !== 'enabled') {
      throw new HttpError(409, 'STREAM_NOT_ENABLED', `The stream is ${stream.status}`);
    }
    if (stream.hasGap && stream.maxStalenessMs !== null) {
      throw new HttpError(409, 'STREAM_HAS_GAP', 'The stream was interrupted; make another one');
    }
  }

  async #collect(stream: Stream, poll: Poll, response: ServerResponse): Promise<Batch> {
    const { clock, feed, longPollMs = LONG_POLL_MS, outbox } = this.#options;
    const look = async (): Promise<Batch> => {
      const batch = await outbox.next(stream, poll.maxEvents);
      // The stream may have been stopped in the meantime, which would explain why nothing was found.
      await this.#requireWhole(stream);
      return batch;
    };
    if (poll.maxEvents === 0 || poll.returnImmediately || this.#closed) return look();
    if (this.#polls.size >= MAX_LONG_POLLS)
      throw new HttpError(503, 'TOO_MANY_POLLS', 'Too many receivers wait');
    const over = new AbortController();
    const end = (): void => over.abort();
    const cancel = clock.after(longPollMs, end);
    response.once('close', end);
    this.#polls.add(end);
    try {
      for (;;) {
        // Subscribe before querying, or a change in between is missed.
        const change = feed.wait(over.signal);
        const batch = await look();
        if (batch.sets.size > 0 || over.signal.aborted) return batch;
        await change;
      }
    } finally {
      end();
      cancel();
      response.removeListener('close', end);
      this.#polls.delete(end);
    }
  }
}

/** @throws HttpError 401 */
function presentedSecret(request: IncomingMessage): string {
  const [, token] = /^Bearer ([\x21-\x7e]{1,512})$/i.exec(request.headers.authorization ?? '') ?? [];
  if (token !== undefined) return token;
  throw wrongSecret('Bearer');
}

function wrongSecret(challenge = 'Bearer error="invalid_token"'): HttpError {
  const message = 'The secret is missing, or not one for this';
  return new HttpError(401, 'invalid_token', message, { 'www-authenticate': challenge });
}
