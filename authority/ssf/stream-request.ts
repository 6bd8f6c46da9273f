import { HttpError } from '../http/respond.js';
import type { SealedSecrets } from '../keys/sealed.js';
import type { StreamReceiver } from './receivers.js';
import type { StreamStatus, StreamWishes } from './stream.js';
import { EVENTS_SUPPORTED } from './streams.js';

/** RFC 8936: delivery by polling. */
export const POLL_DELIVERY = 'urn:ietf:rfc:8936';
/** RFC 8935: delivery by pushing. */
export const PUSH_DELIVERY = 'urn:ietf:rfc:8935';

const MAX_EVENTS_REQUESTED = 100;
const MAX_TEXT_LENGTH = 512;
const MAX_STALENESS_MS = 24 * 60 * 60 * 1000;
const MAX_TOKEN_LIFETIME_SECONDS = 24 * 60 * 60;

/** RFC 9110, section 5.5: visible characters, spaces between them. */
const HEADER_VALUE = /^[\x21-\x7e](?:[\x20-\x7e]*[\x21-\x7e])?$/;

/**
 * The receiver's part of a stream configuration (SSF 1.0, section 8.1.1).
 *
 * @param before the values of members that the body omits (PATCH); without it, the defaults apply (POST, PUT)
 * @throws HttpError 400
 */
export function readWishes(
  body: Readonly<Record<string, unknown>>,
  receiver: StreamReceiver,
  secrets: SealedSecrets,
  before?: StreamWishes,
): StreamWishes {
  const {
    behalf_max_staleness_ms: maxStalenessMs,
    behalf_max_token_lifetime_seconds: maxTokenLifetimeSeconds,
    delivery,
    description,
    events_requested: requested,
  } = body;
  if (requested !== undefined && (!isStrings(requested) || requested.length > MAX_EVENTS_REQUESTED)) {
    throw malformed('events_requested');
  }
  if (description !== undefined && !isName(description)) throw malformed('description');
  if (maxStalenessMs !== undefined && !isWithin(maxStalenessMs, MAX_STALENESS_MS)) {
    throw malformed('behalf_max_staleness_ms');
  }
  if (
    maxTokenLifetimeSeconds !== undefined &&
    !isWithin(maxTokenLifetimeSeconds, MAX_TOKEN_LIFETIME_SECONDS)
  ) {
    throw malformed('behalf_max_token_lifetime_seconds');
  }
  return {
    description: description ?? before?.description ?? null,
    maxStalenessMs: maxStalenessMs ?? before?.maxStalenessMs ?? null,
    maxTokenLifetimeSeconds,
    eventsRequested: requested ?? before?.eventsRequested ?? EVENTS_SUPPORTED,
    push: delivery === undefined ? before?.push : readDelivery(delivery, receiver, secrets),
  };
}

/**
 * Only to endpoints that the configuration lists for this receiver. A holder of its secret must not be able to make this server
 * send requests to addresses of their choice, which they may not reach themselves (SSRF).
 */
function readDelivery(
  delivery: unknown,
  receiver: StreamReceiver,
  secrets: SealedSecrets,
): StreamWishes['push'] {
  if (!isObject(delivery)) throw malformed('delivery');
  const { method, endpoint_url: endpoint, authorization_header: authorization } = delivery;
  if (method === POLL_DELIVERY) return undefined;
  if (method !== PUSH_DELIVERY) throw malformed('delivery.method');
  if (typeof endpoint !== 'string' || receiver.pushEndpoints?.includes(endpoint) !== true) {
    throw malformed('delivery.endpoint_url');
  }
  if (authorization !== undefined && !(isText(authorization) && HEADER_VALUE.test(authorization))) {
    throw malformed('delivery.authorization_header');
  }
  const sealed = authorization === undefined ? undefined : secrets.seal(pushName(endpoint), authorization);
  return { endpoint, authorization: sealed };
}

/** Binds the ciphertext of an `authorization_header` to its endpoint, so that it is sent nowhere else. */
export function pushName(endpoint: string): string {
  return `push ${endpoint}`;
}

/** SSF 1.0, section 8.1.2.2. @throws HttpError 400 */
export function readStatus(body: Readonly<Record<string, unknown>>): {
  readonly status: StreamStatus;
  readonly reason: string | null;
} {
  const { status, reason = null } = body;
  if (status !== 'enabled' && status !== 'paused' && status !== 'disabled') throw malformed('status');
  if (reason !== null && !isText(reason)) throw malformed('reason');
  return { status, reason };
}

/** SSF 1.0, section 8.1.4.2. @throws HttpError 400 */
export function readState(body: Readonly<Record<string, unknown>>): string | null {
  const { state = null } = body;
  if (state !== null && !isText(state)) throw malformed('state');
  return state;
}

/** @throws HttpError 400 */
export function readStreamId(value: unknown): string {
  if (typeof value !== 'string' || !/^[\w-]{1,64}$/.test(value)) throw malformed('stream_id');
  return value;
}

/** One poll (RFC 8936, section 2.2). */
export interface Poll {
  readonly maxEvents: number;
  readonly returnImmediately: boolean;
  readonly acknowledged: readonly string[];
  readonly failed: readonly string[];
}

const EVENTS_PER_POLL = 100;
const MAX_EVENTS_PER_POLL = 1_000;
const MAX_ACKS_PER_POLL = 5_000;

/** @throws HttpError 400 */
export function readPoll(body: Readonly<Record<string, unknown>>): Poll {
  const { maxEvents = EVENTS_PER_POLL, returnImmediately = false, ack = [], setErrs = {} } = body;
  if (typeof maxEvents !== 'number' || !Number.isInteger(maxEvents) || maxEvents < 0)
    throw malformed('maxEvents');
  if (typeof returnImmediately !== 'boolean') throw malformed('returnImmediately');
  if (!isStrings(ack) || ack.length > MAX_ACKS_PER_POLL) throw malformed('ack');
  if (!isObject(setErrs)) throw malformed('setErrs');
  const failed = Object.keys(setErrs);
  if (failed.length > MAX_ACKS_PER_POLL) throw malformed('setErrs');
  return {
    maxEvents: Math.min(maxEvents, MAX_EVENTS_PER_POLL),
    returnImmediately,
    acknowledged: ack,
    failed,
  };
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function isName(value: unknown): value is string {
  return typeof value === 'string' && /^[^\p{Cc}\p{Cs}]{1,200}$/u.test(value);
}

function isWithin(value: unknown, atMost: number): value is number {
  return Number.isInteger(value) && Number(value) > 0 && Number(value) <= atMost;
}

function isStrings(value: unknown): value is string[] {
  return Array.isArray(value) && value.every(isText);
}

function isText(value: unknown): value is string {
  return typeof value === 'string' && value.length <= MAX_TEXT_LENGTH;
}

export function malformed(member: string): HttpError {
  return new HttpError(400, 'invalid_request', `"${member}" is not as it must be`);
}
