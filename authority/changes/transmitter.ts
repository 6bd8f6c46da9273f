import type { IncomingMessage, ServerResponse } from 'node:http';

import type { Log } from '../../store/log.js';
import { readJsonObject } from '../http/body.js';
import { equalSecrets } from '../http/constant-time.js';
import { HttpError, sendJson } from '../http/respond.js';
import type { ChangeFeed } from './feed.js';
import type { SetContext } from './set.js';
import { SignedSets } from './signed-sets.js';
import {
  type ChangeEvent,
  EVENTS_SUPPORTED,
  type Receiver,
  type Stream,
  type StreamRegister,
} from './streams.js';

/** RFC 8936: delivery by polling. */
export const POLL_DELIVERY = 'urn:ietf:rfc:8936';

const BODY_LIMIT_BYTES = 256 * 1024;
const EVENTS_PER_POLL = 100;
const EVENTS_PER_POLL_AT_MOST = 1_000;
const ACKS_PER_POLL_AT_MOST = 5_000;
const LONG_POLL_MS = 30_000;
const LONG_POLLS_AT_MOST = 1_000;
const STALENESS_AT_MOST_MS = 24 * 60 * 60 * 1000;

/** @see SsfTransmitter */
export interface TransmitterOptions {
  readonly streams: StreamRegister;
  readonly feed: ChangeFeed;
  readonly signing: SetContext;
  /** Whoever knows it may have a stream: all gateways. */
  readonly streamSecret: string;
  readonly log: Log;
  readonly longPollMs?: number;
}

/** The transmitter of OpenID Shared Signals Framework 1.0 with RFC 8936 polling, for the gateways. */
export class SsfTransmitter {
  readonly #options: TransmitterOptions;
  readonly #signed = new SignedSets();
  readonly #polls = new Set<() => void>();
  #closed = false;

  constructor(options: TransmitterOptions) {
    this.#options = options;
  }

  /** Answers when the path is one of the transmitter's. @throws HttpError */
  async handle(request: IncomingMessage, response: ServerResponse, url: URL): Promise<boolean> {
    if (url.pathname === '/.well-known/ssf-configuration') {
      allow(request, 'GET');
      sendJson(response, 200, this.#metadata());
      return true;
    }
    const [, streamId] = /^\/ssf\/streams\/([\w-]{1,64})\/poll$/.exec(url.pathname) ?? [];
    if (url.pathname !== '/ssf/streams' && streamId === undefined) return false;
    this.#authenticate(request);
    if (streamId === undefined) await this.#configure(request, response, url);
    else await this.#poll(request, response, streamId);
    return true;
  }

  /** Ends all long polls, each with an empty answer. */
  close(): void {
    this.#closed = true;
    for (const end of this.#polls) end();
  }

  /** SSF 1.0, section 7.1 */
  #metadata(): Record<string, unknown> {
    const { issuer } = this.#options.signing;
    return {
      spec_version: '1_0',
      issuer,
      jwks_uri: `${issuer}/jwks`,
      delivery_methods_supported: [POLL_DELIVERY],
      configuration_endpoint: `${issuer}/ssf/streams`,
      authorization_schemes: [{ spec_urn: 'urn:ietf:rfc:6750' }],
      critical_subject_members: ['user', 'application', 'consent', 'session', 'token'],
    };
  }

  #authenticate(request: IncomingMessage): void {
    const [, token] = /^Bearer ([\x21-\x7e]{1,512})$/i.exec(request.headers.authorization ?? '') ?? [];
    if (token !== undefined && equalSecrets(token, this.#options.streamSecret)) return;
    throw new HttpError(401, 'invalid_token', 'The stream secret is missing or wrong', {
      'www-authenticate': token === undefined ? 'Bearer' : 'Bearer error="invalid_token"',
    });
  }

  /** SSF 1.0, section 8.1.1: stream configuration */
  async #configure(request: IncomingMessage, response: ServerResponse, url: URL): Promise<void> {
    const { streams } = this.#options;
    if (request.method === 'POST') {
      const body = await readJsonObject(request, BODY_LIMIT_BYTES);
      const wanted = readRequest(body);
      const events = wanted.filter((event) => EVENTS_SUPPORTED.includes(event));
      const stream = await streams.create(events, readReceiver(body));
      if (stream === undefined) throw new HttpError(409, 'too_many_streams', 'There are too many streams');
      sendJson(response, 201, this.#describe(stream, wanted));
      return;
    }
    allow(request, 'GET', 'DELETE', 'POST');
    const id = url.searchParams.get('stream_id');
    if (request.method === 'DELETE') {
      if (id === null || !(await streams.remove(id))) throw unknownStream();
      response.writeHead(204).end();
      return;
    }
    if (id === null) {
      sendJson(
        response,
        200,
        (await streams.list()).map((stream) => this.#describe(stream, stream.events)),
      );
      return;
    }
    const stream = await streams.find(id);
    if (stream === undefined) throw unknownStream();
    sendJson(response, 200, this.#describe(stream, stream.events));
  }

  #describe(stream: Stream, requested: readonly string[]): Record<string, unknown> {
    const { issuer, audience } = this.#options.signing;
    return {
      stream_id: stream.id,
      iss: issuer,
      aud: audience,
      events_supported: EVENTS_SUPPORTED,
      events_requested: requested,
      events_delivered: stream.events,
      delivery: { method: POLL_DELIVERY, endpoint_url: `${issuer}/ssf/streams/${stream.id}/poll` },
    };
  }

  /** RFC 8936, section 2 */
  async #poll(request: IncomingMessage, response: ServerResponse, id: string): Promise<void> {
    allow(request, 'POST');
    const { streams, log } = this.#options;
    const poll = readPoll(await readJsonObject(request, BODY_LIMIT_BYTES));
    const stream = await streams.find(id);
    if (stream === undefined || !(await streams.touch(id))) throw unknownStream();
    // A receiver that cannot read an event is told of it no further (section 2.4): its own view is what it must distrust.
    if (poll.failed.length > 0) log.error(`A gateway could not read ${poll.failed.length} security events`);
    await streams.acknowledge(stream, [...poll.acknowledged, ...poll.failed]);
    const events = await this.#collect(stream, poll, response);
    const { signing } = this.#options;
    const sets = await Promise.all(
      events
        .slice(0, poll.maxEvents)
        .map(async (event) => [event.jti, await this.#signed.sign(event, signing)] as const),
    );
    sendJson(response, 200, {
      sets: Object.fromEntries(sets),
      moreAvailable: events.length > poll.maxEvents,
    });
  }

  async #collect(stream: Stream, poll: Poll, response: ServerResponse): Promise<readonly ChangeEvent[]> {
    const { feed, streams, longPollMs = LONG_POLL_MS } = this.#options;
    const look = () => streams.pending(stream, poll.maxEvents + 1);
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
        const events = await look();
        if (events.length > 0 || over.signal.aborted) return events;
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

interface Poll {
  readonly maxEvents: number;
  readonly returnImmediately: boolean;
  readonly acknowledged: readonly string[];
  readonly failed: readonly string[];
}

function readPoll(body: Record<string, unknown>): Poll {
  const { maxEvents = EVENTS_PER_POLL, returnImmediately = false, ack = [], setErrs = {} } = body;
  if (typeof maxEvents !== 'number' || !Number.isInteger(maxEvents) || maxEvents < 0)
    throw malformed('maxEvents');
  if (typeof returnImmediately !== 'boolean') throw malformed('returnImmediately');
  if (!isStrings(ack) || ack.length > ACKS_PER_POLL_AT_MOST) throw malformed('ack');
  if (typeof setErrs !== 'object' || setErrs === null || Array.isArray(setErrs)) throw malformed('setErrs');
  const failed = Object.keys(setErrs);
  if (failed.length > ACKS_PER_POLL_AT_MOST) throw malformed('setErrs');
  return {
    maxEvents: Math.min(maxEvents, EVENTS_PER_POLL_AT_MOST),
    returnImmediately,
    acknowledged: ack,
    failed,
  };
}

/** @returns the events requested */
function readRequest(body: Record<string, unknown>): readonly string[] {
  const { delivery, events_requested: requested = [...EVENTS_SUPPORTED] } = body;
  const method =
    typeof delivery === 'object' && delivery !== null && 'method' in delivery ? delivery.method : undefined;
  if (method !== POLL_DELIVERY) throw malformed('delivery.method');
  if (!isStrings(requested) || requested.length > 100) throw malformed('events_requested');
  return requested;
}

/** SSF 1.0, section 8.1.1: `description`; the other member is Behalf's own, and its gateways'. */
function readReceiver(body: Record<string, unknown>): Receiver {
  const { description, behalf_max_staleness_ms: maxStalenessMs } = body;
  const isName = typeof description === 'string' && /^[^\p{Cc}\p{Cs}]{1,200}$/u.test(description);
  if (description !== undefined && !isName) throw malformed('description');
  const isTime = Number.isInteger(maxStalenessMs) && Number(maxStalenessMs) > 0;
  if (maxStalenessMs !== undefined && !(isTime && Number(maxStalenessMs) <= STALENESS_AT_MOST_MS)) {
    throw malformed('behalf_max_staleness_ms');
  }
  return {
    ...(isName ? { description } : {}),
    ...(isTime ? { maxStalenessMs: Number(maxStalenessMs) } : {}),
  };
}

function isStrings(value: unknown): value is string[] {
  return Array.isArray(value) && value.every((item) => typeof item === 'string' && item.length <= 512);
}

function malformed(member: string): HttpError {
  return new HttpError(400, 'invalid_request', `"${member}" is not as it must be`);
}

function unknownStream(): HttpError {
  return new HttpError(404, 'unknown_stream', 'There is no such stream');
}

function allow(request: IncomingMessage, ...methods: string[]): void {
  if (methods.includes(request.method ?? '')) return;
  throw new HttpError(405, 'method_not_allowed', 'Not a method of this address', {
    allow: methods.join(', '),
  });
}
