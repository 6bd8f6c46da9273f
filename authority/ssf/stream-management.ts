import { isDeepStrictEqual } from 'node:util';

import type { IncomingMessage, ServerResponse } from 'node:http';
import { withoutUndefined } from '@behalf/directives/internal';

import { isGetOrHead } from '@behalf/http';
import { readJsonObject } from '../http/body.js';
import { allow } from '../http/methods.js';
import { HttpError, sendJson } from '../http/respond.js';
import type { SealedSecrets } from '../keys/sealed.js';
import type { AuthorityDatabase } from '../schema.js';
import type { StreamAccess } from './access.js';
import { inactivityTimeoutSeconds } from './forgotten.js';
import type { ReceiverRegister, StreamReceiver } from './receivers.js';
import {
  malformed,
  POLL_DELIVERY,
  PUSH_DELIVERY,
  readState,
  readStatus,
  readStreamId,
  readWishes,
} from './stream-request.js';
import type { Stream, StreamWishes } from './stream.js';
import { EVENTS_OF_A_GATEWAY, EVENTS_SUPPORTED, type StreamRegister } from './streams.js';
import { requestVerification, VERIFICATION_INTERVAL_SECONDS } from './verification.js';

const MAX_BODY_BYTES = 64 * 1024;

/** The members that the receiver sets; the transmitter sets all others. */
const OF_THE_RECEIVER: ReadonlySet<string> = new Set([
  'stream_id',
  'delivery',
  'events_requested',
  'description',
  'behalf_max_staleness_ms',
  'behalf_max_token_lifetime_seconds',
]);

/** @see StreamManagement */
export interface StreamManagementOptions {
  readonly db: AuthorityDatabase;
  readonly receivers: ReceiverRegister;
  readonly streams: StreamRegister;
  readonly secrets: SealedSecrets;
  readonly issuer: string;
  readonly audience: string;
}

/** SSF 1.0, section 8.1: manages streams. */
export class StreamManagement {
  readonly #options: StreamManagementOptions;

  constructor(options: StreamManagementOptions) {
    this.#options = options;
  }

  /**
   * Section 8.1.1.1. Only this answer contains the stream's own secret, which a gateway uses for all further requests.
   *
   * @throws HttpError
   */
  async create(request: IncomingMessage, response: ServerResponse, receiver: StreamReceiver): Promise<void> {
    const { receivers, secrets, streams } = this.#options;
    const body = await readJsonObject(request, MAX_BODY_BYTES);
    const { digest, secret } = receivers.makeStreamSecret(receiver);
    const wishes = readWishes(body, receiver, secrets);
    if (
      wishes.maxStalenessMs !== null &&
      !EVENTS_OF_A_GATEWAY.every((event) => wishes.eventsRequested.includes(event))
    )
      throw new HttpError(400, 'invalid_request', 'A gateway needs every event that ends access');
    const stream = await streams.create(receiver.name, wishes, digest);
    if (stream === undefined) throw new HttpError(409, 'TOO_MANY_STREAMS', 'There are too many streams');
    sendJson(response, 201, { ...this.#describe(stream), behalf_stream_secret: secret });
  }

  /** Section 8.1.1: read, update, replace, delete. @throws HttpError */
  async configuration(
    request: IncomingMessage,
    response: ServerResponse,
    url: URL,
    access: StreamAccess,
  ): Promise<void> {
    allow(request, 'DELETE', 'GET', 'PATCH', 'POST', 'PUT');
    if (request.method === 'PATCH' || request.method === 'PUT') {
      const body = await readJsonObject(request, MAX_BODY_BYTES);
      sendJson(response, 200, await this.#change(body, access, request.method === 'PATCH'));
      return;
    }
    const id = url.searchParams.get('stream_id');
    if (request.method === 'DELETE') {
      const stream = await requireStream(id, access);
      if (!(await this.#options.streams.remove(stream.id))) throw unknownStream();
      response.writeHead(204).end();
      return;
    }
    if (id === null) {
      const all = await access.list();
      sendJson(
        response,
        200,
        all.map((stream) => this.#describe(stream)),
      );
      return;
    }
    sendJson(response, 200, this.#describe(await requireStream(id, access)));
  }

  /** Section 8.1.2. @throws HttpError */
  async status(
    request: IncomingMessage,
    response: ServerResponse,
    url: URL,
    access: StreamAccess,
  ): Promise<void> {
    allow(request, 'GET', 'POST');
    if (isGetOrHead(request)) {
      const id = readStreamId(url.searchParams.get('stream_id'));
      sendJson(response, 200, describeStatus(await requireStream(id, access)));
      return;
    }
    const body = await readJsonObject(request, MAX_BODY_BYTES);
    const { status, reason } = readStatus(body);
    const { id } = await requireStream(readStreamId(body.stream_id), access);
    const changed = await this.#options.streams.setStatus(id, status, reason);
    if (changed === undefined) throw unknownStream();
    sendJson(response, 200, describeStatus(changed));
  }

  /** Section 8.1.4.2. @throws HttpError */
  async verification(
    request: IncomingMessage,
    response: ServerResponse,
    access: StreamAccess,
  ): Promise<void> {
    allow(request, 'POST');
    const body = await readJsonObject(request, MAX_BODY_BYTES);
    const state = readState(body);
    const { id } = await requireStream(readStreamId(body.stream_id), access);
    if (!(await requestVerification(this.#options.db, id, state))) {
      throw new HttpError(429, 'TOO_MANY_REQUESTS', 'Wait longer between verifications', {
        'retry-after': String(VERIFICATION_INTERVAL_SECONDS),
      });
    }
    response.writeHead(204).end();
  }

  async #change(
    body: Readonly<Record<string, unknown>>,
    access: StreamAccess,
    keepsTheRest: boolean,
  ): Promise<object> {
    const { receivers, secrets, streams } = this.#options;
    const stream = await requireStream(readStreamId(body.stream_id), access);
    const receiver = receivers.named(stream.receiver);
    if (receiver === undefined) throw unknownStream();
    const described: Readonly<Record<string, unknown>> = this.#describe(stream);
    for (const [name, value] of Object.entries(body)) {
      // Section 8.1.1.3: the transmitter's members may be repeated but not changed.
      if (!OF_THE_RECEIVER.has(name) && name in described && !isDeepStrictEqual(value, described[name])) {
        throw malformed(name);
      }
    }
    // Whether a stream is a gateway's is decided when it is created: a later change would not bring back the events that it missed.
    if (stream.maxStalenessMs === null && body.behalf_max_staleness_ms !== undefined)
      throw malformed('behalf_max_staleness_ms');
    const before = keepsTheRest ? await this.#wishesOf(stream) : undefined;
    const changed = await streams.configure(stream.id, readWishes(body, receiver, secrets, before));
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

  /** Neither the stream's secret nor the receiver's `authorization_header` is ever shown again. */
  #describe(stream: Stream) {
    const { audience, issuer } = this.#options;
    const delivery =
      stream.pushEndpoint === undefined
        ? { method: POLL_DELIVERY, endpoint_url: `${issuer}/ssf/streams/${stream.id}/poll` }
        : { method: PUSH_DELIVERY, endpoint_url: stream.pushEndpoint };
    return withoutUndefined({
      stream_id: stream.id,
      iss: issuer,
      aud: audience,
      events_supported: EVENTS_SUPPORTED,
      events_requested: stream.eventsRequested,
      events_delivered: stream.events,
      delivery,
      min_verification_interval: VERIFICATION_INTERVAL_SECONDS,
      inactivity_timeout:
        stream.pushEndpoint === undefined ? inactivityTimeoutSeconds(stream.maxStalenessMs) : undefined,
      description: stream.description ?? undefined,
    });
  }
}

function describeStatus({ id, status, statusReason }: Stream): object {
  return withoutUndefined({ stream_id: id, status, reason: statusReason ?? undefined });
}

/** A stream that the caller has access to. Another party's stream looks like a missing one. @throws HttpError 404 */
export async function requireStream(id: string | null, access: StreamAccess): Promise<Stream> {
  const stream = id === null ? undefined : await access.find(id);
  if (stream === undefined) throw unknownStream();
  return stream;
}

export function unknownStream(): HttpError {
  return new HttpError(404, 'UNKNOWN_STREAM', 'There is no such stream');
}
