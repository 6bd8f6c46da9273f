import { type RawBuilder, sql } from 'kysely';

import type { EventFacts } from '../audit-schema.js';
import type { ChangeCaller, ChangeRequest } from '../change-request.js';
import type { Initiator } from '../consent-values.js';
import type { AuthorityDatabase } from '../schema.js';
import type { AuthorityEventName } from './event-names.js';

/** The party that caused an event. Nothing: the authority itself. */
export interface EventCause {
  readonly request?: ChangeRequest | undefined;
  /** A person at a command line, as they named themselves. */
  readonly operator?: string | undefined;
}

/** Left out if it is undefined. */
type Fact = EventFacts[string] | undefined;

/** An event for the audit log. */
export interface EventToRecord {
  readonly event: AuthorityEventName;
  readonly cause?: EventCause;
  /** The people whom it concerns, by name: the log gets pseudonyms. */
  readonly subjects?: readonly string[];
  /** Identifiers and numbers; nothing that a person typed. */
  readonly details?: Readonly<Record<string, Fact>>;
  /** As somebody stated it. */
  readonly reason?: string | undefined;
}

/** The authority's own name where a change states who made it. */
export const AUTHORITY = 'authority';

const MAX_TEXT_LENGTH = 256;
const MAX_REASON_LENGTH = 1_000;
/** More than a policy has. */
const MAX_NAMES = 100;
const UUID = /^[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}$/i;
const TRACE_ID = /^[0-9a-f]{32}$/;

/**
 * Records events for the audit log, in the transaction of the change that they are about: both are durable, or neither. Nothing is
 * recorded, and nothing kept, unless an authority passes events on to a log (see relay.ts).
 */
export async function recordEvents(db: AuthorityDatabase, events: readonly EventToRecord[]): Promise<void> {
  if (events.length > 0) await sql`select ${recordCall(events)}`.execute(db);
}

/** An expression for a statement that makes a change and records it. @see recordEvents */
export function recordCall(events: readonly EventToRecord[]): RawBuilder<unknown> {
  return sql`authority.record_events(${JSON.stringify(events.map(toJson))}::json)`;
}

/** The party that a change names: the caller of a request, or else what `by` stands for. */
export function causeOf({
  by,
  initiator,
  request,
}: {
  readonly by: string;
  readonly initiator: Initiator;
  readonly request?: ChangeRequest | undefined;
}): EventCause {
  if (request !== undefined) return { request };
  if (initiator === 'user') return { request: { caller: { subject: by } } };
  return by === AUTHORITY ? {} : { operator: by };
}

function toJson({ event, cause = {}, subjects, details = {}, reason }: EventToRecord) {
  const { operator, request } = cause;
  return {
    event,
    transactionId: matching(UUID, request?.transactionId),
    traceId: matching(TRACE_ID, request?.traceId),
    caller: callerOf(request?.caller ?? {}),
    operator: clip(operator),
    reason: reason === undefined ? undefined : storable(reason, MAX_REASON_LENGTH),
    subjects: subjects?.map((subject) => storable(subject)),
    details: Object.keys(details).length === 0 ? undefined : clipAll(details),
  };
}

function callerOf({ subject, service, clientId, actor, consentId, consentVersion, purposes }: ChangeCaller) {
  return {
    subject: service === true || subject === undefined ? undefined : storable(subject),
    service,
    clientId: clip(clientId),
    actor: clip(actor),
    consentId: clip(consentId),
    consentVersion,
    purposes: clip(purposes),
  };
}

function clipAll(details: NonNullable<EventToRecord['details']>): Record<string, Fact> {
  return Object.fromEntries(Object.entries(details).map(([name, value]) => [name, clip(value)]));
}

/** Bounds what is recorded unchanged. */
function clip(value: Fact): Fact {
  if (typeof value === 'string') return storable(value, MAX_TEXT_LENGTH);
  if (typeof value !== 'object') return value;
  return value.slice(0, MAX_NAMES).map((name) => storable(name, MAX_TEXT_LENGTH));
}

/** Without characters that PostgreSQL refuses: nobody's name may prevent a revocation. */
function storable(text: string, maxLength = text.length): string {
  return text.slice(0, maxLength).toWellFormed().replaceAll('\0', '\uFFFD');
}

function matching(pattern: RegExp, text: string | undefined): string | undefined {
  return text !== undefined && pattern.test(text) ? text : undefined;
}
