import { isDeepStrictEqual } from 'node:util';

import type { IncomingMessage, ServerResponse } from 'node:http';

import { readJsonObject } from '../http/body.js';
import { HttpError, sendJson } from '../http/respond.js';
import type { SealedSecrets } from '../keys/sealed.js';
import type { AuthorityDatabase } from '../schema.js';
import type { StreamReceiver } from './receivers.js';
import {
  malformed,
  POLL_DELIVERY,
  PUSH_DELIVERY,
  readState,
  readStatus,
  readStreamId,
  readWishes,
} from './stream-request.js';
import {
  EVENTS_SUPPORTED,
  FORGOTTEN_AFTER_SECONDS,
  type Stream,
  type StreamRegister,
  type StreamWishes,
} from './streams.js';
import { requestVerification, VERIFICATION_INTERVAL_SECONDS } from './verification.js';

const BODY_LIMIT_BYTES = 64 * 1024;

/** What the receiver says; all else in a configuration is the transmitter's. */
const OF_THE_RECEIVER: ReadonlySet<string> = new Set([
  'stream_id',
  'delivery',
  'events_requested',
  'description',
  'behalf_max_staleness_ms',
]);

/** @see StreamManagement */
export interface StreamManagementOptions {
  readonly db: AuthorityDatabase;
  readonly streams: StreamRegister;
  readonly secrets: SealedSecrets;
  readonly issuer: string;
  readonly audience: string;
}

/** SSF 1.0, section 8.1: what a receiver can do with its streams, beside taking events from them. */
export class StreamManagement {
  readonly #options: StreamManagementOptions;

  constructor(options: StreamManagementOptions) {
    this.#options = options;
  }

  /** Section 8.1.1: create, read, update, replace, delete. @throws HttpError */
  async configuration(
    request: IncomingMessage,
    response: ServerResponse,
    url: URL,
    receiver: StreamReceiver,
  ): Promise<void> {
    allow(request, 'DELETE', 'GET', 'PATCH', 'POST', 'PUT');
    const { secrets, streams } = this.#options;
    if (request.method === 'POST') {
      const body = await readJsonObject(request, BODY_LIMIT_BYTES);
      const stream = await streams.create(receiver.name, readWishes(body, receiver, secrets));
      if (stream === undefined) throw new HttpError(409, 'too_many_streams', 'There are too many streams');
      sendJson(response, 201, this.#describe(stream));
      return;
    }
    if (request.method === 'PATCH' || request.method === 'PUT') {
      const body = await readJsonObject(request, BODY_LIMIT_BYTES);
      sendJson(response, 200, await this.#change(body, receiver, request.method === 'PATCH'));
      return;
    }
    const id = url.searchParams.get('stream_id');
    if (request.method === 'DELETE') {
      if (id === null || !(await streams.remove(id, receiver.name))) throw unknownStream();
      response.writeHead(204).end();
      return;
    }
    if (id === null) {
      const all = await streams.list(receiver.name);
      sendJson(
        response,
        200,
        all.map((stream) => this.#describe(stream)),
      );
      return;
    }
    sendJson(response, 200, this.#describe(await this.#find(id, receiver)));
  }

  /** Section 8.1.2. @throws HttpError */
  async status(
    request: IncomingMessage,
    response: ServerResponse,
    url: URL,
    receiver: StreamReceiver,
  ): Promise<void> {
    allow(request, 'GET', 'POST');
    if (request.method === 'GET') {
      const id = readStreamId(url.searchParams.get('stream_id'));
      sendJson(response, 200, describeStatus(await this.#find(id, receiver)));
      return;
    }
    const body = await readJsonObject(request, BODY_LIMIT_BYTES);
    const { status, reason } = readStatus(body);
    const id = readStreamId(body.stream_id);
    const stream = await this.#options.streams.setStatus(id, receiver.name, status, reason);
    if (stream === undefined) throw unknownStream();
    sendJson(response, 200, describeStatus(stream));
  }

  /** Section 8.1.4.2. @throws HttpError */
  async verification(
    request: IncomingMessage,
    response: ServerResponse,
    receiver: StreamReceiver,
  ): Promise<void> {
    allow(request, 'POST');
    const body = await readJsonObject(request, BODY_LIMIT_BYTES);
    const state = readState(body);
    const { id } = await this.#find(readStreamId(body.stream_id), receiver);
    if (!(await requestVerification(this.#options.db, id, state))) {
      throw new HttpError(429, 'too_many_requests', 'The last verification is not long enough ago', {
        'retry-after': String(VERIFICATION_INTERVAL_SECONDS),
      });
    }
    response.writeHead(204).end();
  }

  async #change(
    body: Readonly<Record<string, unknown>>,
    receiver: StreamReceiver,
    keepsTheRest: boolean,
  ): Promise<object> {
    const { secrets, streams } = this.#options;
    const stream = await this.#find(readStreamId(body.stream_id), receiver);
    const described: Readonly<Record<string, unknown>> = this.#describe(stream);
    for (const [name, value] of Object.entries(body)) {
      // Section 8.1.1.3: what is the transmitter's may be repeated, and not be changed.
      if (!OF_THE_RECEIVER.has(name) && name in described && !isDeepStrictEqual(value, described[name])) {
        throw malformed(name);
      }
    }
    const before = keepsTheRest ? await this.#wishesOf(stream) : undefined;
    const changed = await streams.configure(
      stream.id,
      receiver.name,
      readWishes(body, receiver, secrets, before),
    );
    if (changed === undefined) throw unknownStream();
    return this.#describe(changed);
  }

  async #wishesOf(stream: Stream): Promise<StreamWishes> {
    const { description, eventsRequested, id, maxStalenessMs, pushEndpoint: endpoint } = stream;
    const said = { description, eventsRequested, maxStalenessMs };
    if (endpoint === undefined) return { ...said, push: undefined };
    const authorization = await this.#options.streams.pushAuthorization(id);
    return { ...said, push: { endpoint, authorization } };
  }

  async #find(id: string, receiver: StreamReceiver): Promise<Stream> {
    const stream = await this.#options.streams.find(id, receiver.name);
    if (stream === undefined) throw unknownStream();
    return stream;
  }

  /** The receiver's `authorization_header` is never shown again. */
  #describe(stream: Stream) {
    const { audience, issuer } = this.#options;
    const delivery =
      stream.pushEndpoint === undefined
        ? { method: POLL_DELIVERY, endpoint_url: `${issuer}/ssf/streams/${stream.id}/poll` }
        : { method: PUSH_DELIVERY, endpoint_url: stream.pushEndpoint };
    return {
      stream_id: stream.id,
      iss: issuer,
      aud: audience,
      events_supported: EVENTS_SUPPORTED,
      events_requested: stream.eventsRequested,
      events_delivered: stream.events,
      delivery,
      min_verification_interval: VERIFICATION_INTERVAL_SECONDS,
      ...(stream.pushEndpoint === undefined ? { inactivity_timeout: FORGOTTEN_AFTER_SECONDS } : {}),
      ...(stream.description === null ? {} : { description: stream.description }),
    };
  }
}

function describeStatus({ id, status, statusReason }: Stream): object {
  return { stream_id: id, status, ...(statusReason === null ? {} : { reason: statusReason }) };
}

export function unknownStream(): HttpError {
  return new HttpError(404, 'unknown_stream', 'There is no such stream');
}

/** @throws HttpError 405 */
export function allow(request: IncomingMessage, ...methods: string[]): void {
  if (methods.includes(request.method ?? '')) return;
  throw new HttpError(405, 'method_not_allowed', 'Not a method of this address', {
    allow: methods.join(', '),
  });
}
