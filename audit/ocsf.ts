import { withoutUndefined } from '@behalf/directives/internal';
import type { AuditEvent } from './event.js';
import type { AuditEntry, AuditRecord } from './record.js';

/** The version of the schema that events are in: the first that has `delegation`. */
const OCSF_VERSION = '1.9.0';
const CATEGORY = { category_uid: 6, category_name: 'Application Activity' };
const CLASS_UID = 6_003;

const READ = { activity_id: 2, activity_name: 'Read' };
const UNKNOWN = { activity_id: 0, activity_name: 'Unknown' };
const SUCCESS = { status_id: 1, status: 'Success' };
const FAILURE = { status_id: 2, status: 'Failure' };
const INFORMATIONAL = { severity_id: 1, severity: 'Informational' };
const LOW = { severity_id: 2, severity: 'Low' };
const HIGH = { severity_id: 4, severity: 'High' };

/** What should be looked at: what was done meanwhile may be missing from the log, or was done with a leaked key. */
const GRAVE: ReadonlySet<string> = new Set([
  'break-glass-begun',
  'events-lost',
  'record-unreadable',
  'records-lost',
  'signing-key-revoked',
]);
const FAILED: ReadonlySet<string> = new Set(['sign-in-failed', 'sign-in-failures-counted']);

const USER = 1;
const ADMINISTRATOR = 2;
const SERVICE = 4;

/** A record, and what the log knows of it. A file knows nothing more than the record. */
export interface LoggedEntry {
  readonly record: AuditEntry;
  /** Default: the record's own time. */
  readonly occurredAt?: Date;
  readonly recordedAt?: Date;
  /** Whether the record's own time was too far off, so that `occurredAt` is `recordedAt`. */
  readonly isClockOff?: boolean;
  readonly seq?: number;
  readonly logIndex?: number;
}

/** An event of OCSF's class API Activity, as JSON. */
export type OcsfApiActivity = Readonly<Record<string, unknown>>;

/**
 * A record as an event of OCSF 1.9.0, class API Activity (6003) with the profiles `ai_operation` and `trace`
 * (https://schema.ocsf.io/1.9.0/classes/api_activity). The consent is the event's `delegation`. What OCSF has no place for, such as
 * the schema coordinates, is under `unmapped`, in the record's own words.
 *
 * @example
 * ```ts
 * import { type AuditEntry, toOcsf } from '@behalf/audit';
 *
 * export function lineOf(record: AuditEntry): string {
 *   return JSON.stringify(toOcsf({ record }));
 * }
 * ```
 */
export function toOcsf(logged: LoggedEntry): OcsfApiActivity {
  const { occurredAt, record } = logged;
  const activity = activityOf(record);
  return withoutUndefined({
    ...CATEGORY,
    class_uid: CLASS_UID,
    class_name: 'API Activity',
    ...activity,
    type_uid: CLASS_UID * 100 + activity.activity_id,
    type_name: `API Activity: ${activity.activity_name}`,
    time: occurredAt === undefined ? record.time : Number(occurredAt),
    ...severityOf(record),
    ...statusOf(record),
    metadata: metadataOf(logged),
    actor: actorOf(record),
    api: apiOf(record),
    src_endpoint: { name: sourceOf(record) ?? 'unknown' },
    delegation: delegationOf(record),
    trace: record.traceId === undefined ? undefined : { uid: record.traceId },
    unmapped: unmappedOf(logged),
  });
}

interface Activity {
  readonly activity_id: number;
  readonly activity_name: string;
}

const otherActivity = (name: string): Activity => ({ activity_id: 99, activity_name: name });

/** A mutation may create, change or delete, which only its subgraph knows. */
function activityOf(record: AuditEntry): Activity {
  if ('event' in record) return otherActivity(record.event);
  const { fields, mutates, outcome } = record;
  if (outcome === 'explained' || outcome === 'passed-on') return otherActivity(outcome);
  if (mutates !== undefined || fields.some(({ coordinate }) => coordinate.startsWith('Mutation.'))) {
    return otherActivity('Mutation');
  }
  return fields.length === 0 && outcome !== 'answered' ? UNKNOWN : READ;
}

function severityOf(record: AuditEntry): object {
  if ('event' in record && GRAVE.has(record.event)) return HIGH;
  return isFailure(record) ? LOW : INFORMATIONAL;
}

function isFailure(record: AuditEntry): boolean {
  if ('event' in record) return FAILED.has(record.event);
  const { outcome } = record;
  return outcome === 'authentication-failed' || outcome === 'failed' || outcome === 'refused';
}

function statusOf(record: AuditEntry): object {
  if ('event' in record) return isFailure(record) ? FAILURE : SUCCESS;
  // Another record of the same transaction says how it ended.
  if (record.outcome === 'intended') return { status_id: 99, status: 'Intended' };
  return withoutUndefined({ ...(isFailure(record) ? FAILURE : SUCCESS), status_code: record.reason });
}

function metadataOf({ record, recordedAt, seq }: LoggedEntry): object {
  return withoutUndefined({
    version: OCSF_VERSION,
    product: { name: 'Behalf', vendor_name: 'Behalf' },
    profiles: ['ai_operation', 'trace'],
    log_name: 'audit',
    correlation_uid: record.transactionId,
    event_code: 'event' in record ? record.event : record.outcome,
    logged_time: recordedAt === undefined ? undefined : Number(recordedAt),
    sequence: seq,
  });
}

/** Who called: a person by their pseudonym, a service by its client, an administrator by the name that they gave. */
function actorOf({ caller, ...record }: AuditEntry): object {
  const { clientId, service, subjectPseudonym } = caller;
  if ('operator' in record) return { user: { name: record.operator, type_id: ADMINISTRATOR } };
  if (clientId === undefined) return { app_name: 'event' in record ? 'gateway' : 'anonymous' };
  const isNobody = subjectPseudonym === undefined && service !== true;
  return withoutUndefined({
    app_uid: clientId,
    user: isNobody
      ? undefined
      : { uid: subjectPseudonym ?? clientId, type_id: service === true ? SERVICE : USER },
  });
}

/** The client's network. An address would claim more than the record knows. */
function sourceOf(record: AuditEntry): string | undefined {
  if (!('event' in record)) return record.source;
  const { source } = record.details ?? {};
  return typeof source === 'string' ? source : undefined;
}

function apiOf(record: AuditEntry): object {
  const request = { uid: record.transactionId };
  if ('event' in record) return { operation: record.event, request };
  const { operationHash, operationName, outcome, reason } = record;
  return withoutUndefined({
    operation: operationName ?? operationHash ?? outcome,
    request,
    response: reason === undefined ? undefined : { error: reason },
  });
}

/** An actor has its authority from the client, so it is a delegation of its own, whose parent is the consent. */
function delegationOf({ caller: { actor, consentId } }: AuditEntry): object | undefined {
  if (consentId === undefined) return undefined;
  return actor === undefined ? { uid: consentId } : { uid: `${consentId}/${actor}`, parent_uid: consentId };
}

function unmappedOf({ logIndex, record }: LoggedEntry): object {
  const { caller, subjects } = record;
  const { actor, consentVersion, purposes } = caller;
  const common = { actor, consentVersion, purposes, subjects, logIndex };
  return withoutUndefined({
    ...common,
    ...('event' in record ? unmappedEvent(record) : unmappedRecord(record)),
  });
}

function unmappedEvent({ details, reason }: AuditEvent): object {
  return { details, reason };
}

function unmappedRecord(record: AuditRecord): object {
  const { fields, moreSubjects, mutates, operationHash, passedOn, traceLink, unaccounted } = record;
  return { fields, moreSubjects, mutates, operationHash, passedOn, traceLink, unaccounted };
}
