import type { IncomingMessage, ServerResponse } from 'node:http';

import type { Log } from '../../store/log.js';
import { readJsonObject } from '../http/body.js';
import { HttpError, sendJson } from '../http/respond.js';
import type { ChangeFeed } from './feed.js';
import type { Batch, Outbox } from './outbox.js';
import type { ReceiverRegister, StreamReceiver } from './receivers.js';
import { allow, type StreamManagement, unknownStream } from './stream-management.js';
import { type Poll, POLL_DELIVERY, PUSH_DELIVERY, readPoll } from './stream-request.js';
import type { Stream, StreamRegister } from './streams.js';

const BODY_LIMIT_BYTES = 256 * 1024;
const LONG_POLL_MS = 30_000;
const LONG_POLLS_AT_MOST = 1_000;

/** @see SsfTransmitter */
export interface TransmitterOptions {
  readonly issuer: string;
  readonly receivers: ReceiverRegister;
  readonly management: StreamManagement;
  readonly streams: StreamRegister;
  readonly outbox: Outbox;
  readonly feed: ChangeFeed;
  readonly log: Log;
  readonly longPollMs?: number;
}

/** The transmitter of OpenID Shared Signals Framework 1.0: its addresses, and RFC 8936 polling. */
export class SsfTransmitter {
  readonly #options: TransmitterOptions;
  readonly #polls = new Set<() => void>();
  #closed = false;

  constructor(options: TransmitterOptions) {
    this.#options = options;
  }

  /** Answers when the path is one of the transmitter's. @throws HttpError */
  async handle(request: IncomingMessage, response: ServerResponse, url: URL): Promise<boolean> {
    const { management } = this.#options;
    const { pathname } = url;
    if (pathname === '/.well-known/ssf-configuration') {
      allow(request, 'GET');
      sendJson(response, 200, this.#metadata());
      return true;
    }
    if (!pathname.startsWith('/ssf/')) return false;
    const receiver = this.#authenticate(request);
    const [, streamId] = /^\/ssf\/streams\/([\w-]{1,64})\/poll$/.exec(pathname) ?? [];
    if (streamId !== undefined) await this.#poll(request, response, streamId, receiver);
    else if (pathname === '/ssf/streams') await management.configuration(request, response, url, receiver);
    else if (pathname === '/ssf/status') await management.status(request, response, url, receiver);
    else if (pathname === '/ssf/verify') await management.verification(request, response, receiver);
    else return false;
    return true;
  }

  /** Ends all long polls, each with an empty answer. */
  close(): void {
    this.#closed = true;
    for (const end of this.#polls) end();
  }

  /**
   * SSF 1.0, section 7.1. Subjects cannot be added or removed: a stream is about all of them, and says so by having no
   * addresses for it.
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

  #authenticate(request: IncomingMessage): StreamReceiver {
    const [, token] = /^Bearer ([\x21-\x7e]{1,512})$/i.exec(request.headers.authorization ?? '') ?? [];
    const receiver = token === undefined ? undefined : this.#options.receivers.find(token);
    if (receiver !== undefined) return receiver;
    throw new HttpError(401, 'invalid_token', 'The stream secret is missing or wrong', {
      'www-authenticate': token === undefined ? 'Bearer' : 'Bearer error="invalid_token"',
    });
  }

  /** RFC 8936, section 2 */
  async #poll(
    request: IncomingMessage,
    response: ServerResponse,
    id: string,
    receiver: StreamReceiver,
  ): Promise<void> {
    allow(request, 'POST');
    const { streams, log } = this.#options;
    const poll = readPoll(await readJsonObject(request, BODY_LIMIT_BYTES));
    const stream = await streams.find(id, receiver.name);
    if (stream === undefined) throw unknownStream();
    if (stream.pushEndpoint !== undefined) {
      throw new HttpError(409, 'stream_is_pushed', 'The events of this stream are pushed');
    }
    // An empty answer would say that nothing was revoked.
    if (stream.status !== 'enabled') {
      throw new HttpError(409, 'stream_not_enabled', `The stream is ${stream.status}`);
    }
    if (!(await streams.touch(id))) throw unknownStream();
    // A receiver that cannot read an event is told of it no further (section 2.4): its own view is what it must distrust.
    if (poll.failed.length > 0) log.error(`A gateway could not read ${poll.failed.length} security events`);
    await streams.acknowledge(stream, [...poll.acknowledged, ...poll.failed]);
    const { sets, isLast } = await this.#collect(stream, poll, response);
    sendJson(response, 200, { sets: Object.fromEntries(sets), moreAvailable: !isLast });
  }

  async #collect(stream: Stream, poll: Poll, response: ServerResponse): Promise<Batch> {
    const { feed, longPollMs = LONG_POLL_MS, outbox } = this.#options;
    const look = () => outbox.next(stream, poll.maxEvents);
    if (poll.maxEvents === 0 || poll.returnImmediately || this.#closed) return look();
    if (this.#polls.size >= LONG_POLLS_AT_MOST)
      throw new HttpError(503, 'too_many_polls', 'Too many receivers wait');
    const over = new AbortController();
    const end = (): void => over.abort();
    const timer = setTimeout(end, longPollMs);
    response.once('close', end);
    this.#polls.add(end);
    try {
      for (;;) {
        // To wait begins before to look, or a change in between would be slept through.
        const change = feed.wait(over.signal);
        const batch = await look();
        if (batch.sets.size > 0 || over.signal.aborted) return batch;
        await change;
      }
    } finally {
      end();
      clearTimeout(timer);
      response.removeListener('close', end);
      this.#polls.delete(end);
    }
  }
}
