import type { AuditEventName, AuditOutcome, RecordClass } from '@behalf/audit';
import { storedClassOf } from '@behalf/audit/internal';
import { lookUpSubject, pseudonymOf, recordLookUp } from '@behalf/audit/postgres';
import type { AuditDatabase, AuditFilter, LookUp } from '@behalf/audit/postgres';
import { systemClock, withoutUndefined } from '@behalf/directives/internal';
import type { Kysely } from 'kysely';
import {
  connectionOf,
  fieldsOf,
  needAuditLog,
  type PageArguments,
  proofOf,
  refuseUnusable,
  searchPage,
  type StoredEntry,
} from './audit-log.js';
import { type ConsentContext, requestOf } from './context.js';
import { badUserInput } from './errors.js';
import { needReason, needTime } from './input.js';

const MAX_RECORDED_LENGTH = 256;
const UNPRINTABLE = /[\p{Cc}\p{Cf}\p{Cs}\p{Zl}\p{Zp}]/u;

/** The input type of the schema. */
interface FilterInput {
  readonly subject?: string | null;
  readonly pseudonym?: string | null;
  readonly clientId?: string | null;
  readonly actor?: string | null;
  readonly coordinate?: string | null;
  readonly outcome?: AuditOutcome | null;
  readonly event?: string | null;
  readonly class?: RecordClass | null;
  readonly transactionId?: string | null;
  readonly from?: string | null;
  readonly until?: string | null;
}

interface AuditEventsArguments extends PageArguments {
  readonly filter?: FilterInput | null;
  readonly reason?: string | null;
}

/** An auditor's search. Looking for one person is recorded before anything is shown, and needs a reason. */
export async function auditEvents(
  _root: unknown,
  { filter, reason, ...page }: AuditEventsArguments,
  context: ConsentContext,
) {
  const db = needAuditLog(context.audit);
  const { subject, ...input } = filter ?? {};
  const search = filterOf(input);
  if (typeof subject !== 'string' && search.subject === undefined) return answer(db, search, page);
  if (typeof subject === 'string' && search.subject !== undefined)
    throw badUserInput('"subject" and "pseudonym" name a person twice');
  const why = await lookUpOf(db, context, needReason(reason));
  if (typeof subject !== 'string') return answer(db, search, page, why);
  const pseudonym = await refuseUnusable(() => lookUpSubject(db, subject, why, systemClock.now()));
  // Without it, the search would find everybody's.
  if (pseudonym === undefined) return connectionOf({ records: [] }, [], page);
  return answer(db, { ...search, subject: pseudonym }, page);
}

/** @param why a person is looked for by pseudonym; absent if nobody is, or it is on record */
async function answer(db: Kysely<AuditDatabase>, filter: AuditFilter, page: PageArguments, why?: LookUp) {
  const found = await searchPage(db, filter, page);
  if (why !== undefined && filter.subject !== undefined && found.records.length > 0)
    await recordLookUp(db, filter.subject, why, systemClock.now());
  return connectionOf(found, found.records, page);
}

function filterOf({
  clientId,
  event,
  from,
  pseudonym,
  transactionId,
  until,
  ...input
}: FilterInput): AuditFilter {
  return withoutUndefined({
    subject: pseudonym ?? undefined,
    client: clientId ?? undefined,
    actor: input.actor ?? undefined,
    coordinate: input.coordinate ?? undefined,
    outcome: input.outcome ?? undefined,
    // The search refuses what is none.
    event: (event ?? undefined) as AuditEventName | undefined,
    class: input.class ?? undefined,
    transaction: transactionId ?? undefined,
    from: timeOf('from', from),
    until: timeOf('until', until),
  });
}

function timeOf(name: string, text: string | null | undefined): Date | undefined {
  return text === undefined || text === null ? undefined : needTime(name, text);
}

/** The auditor, as the gateway records them. */
async function lookUpOf(db: Kysely<AuditDatabase>, context: ConsentContext, reason: string): Promise<LookUp> {
  const { caller, traceId, transactionId } = requestOf(context);
  const { actor, clientId, consentId, consentVersion, service, subject } = caller;
  return withoutUndefined({
    caller: withoutUndefined({
      subjectPseudonym: subject === undefined ? undefined : await pseudonymOf(db, subject),
      service,
      clientId: plain(clientId),
      actor: plain(actor),
      consentId: plain(consentId),
      consentVersion,
    }),
    reason,
    traceId,
    transactionId,
  });
}

/** Other names are of somebody who wants to fill or confuse the log. The request's own record has them as keyed hashes. */
function plain(name: string | undefined): string | undefined {
  if (name === undefined || name.length > MAX_RECORDED_LENGTH || UNPRINTABLE.test(name)) return undefined;
  return name;
}

/** Resolvers of `AuditRecord`. */
export const auditRecordFields = {
  transactionId: ({ record }: StoredEntry) => record.transactionId,
  recordedAt: ({ recordedAt }: StoredEntry) => recordedAt.toISOString(),
  occurredAt: ({ occurredAt }: StoredEntry) => occurredAt.toISOString(),
  class: ({ record }: StoredEntry) => storedClassOf(record) ?? null,
  outcome: ({ record }: StoredEntry) => ('event' in record ? null : record.outcome),
  code: ({ record }: StoredEntry) => ('event' in record ? null : (record.reason ?? null)),
  event: ({ record }: StoredEntry) => ('event' in record ? record.event : null),
  clientId: ({ record }: StoredEntry) => record.caller.clientId ?? null,
  actor: ({ record }: StoredEntry) => record.caller.actor ?? null,
  isService: ({ record }: StoredEntry) => record.caller.service === true,
  pseudonym: ({ record }: StoredEntry) => record.caller.subjectPseudonym ?? null,
  consentId: ({ record }: StoredEntry) => record.caller.consentId ?? null,
  consentVersion: ({ record }: StoredEntry) => record.caller.consentVersion ?? null,
  purposes: ({ record }: StoredEntry) => record.caller.purposes ?? null,
  operationName: ({ record }: StoredEntry) => ('event' in record ? null : (record.operationName ?? null)),
  source: ({ record }: StoredEntry) => ('event' in record ? null : (record.source ?? null)),
  fields: ({ record }: StoredEntry) => fieldsOf(record),
  subjects: ({ record }: StoredEntry) => record.subjects ?? null,
  hasMoreSubjects: ({ record }: StoredEntry) => !('event' in record) && record.moreSubjects === true,
  unaccounted: ({ record }: StoredEntry) => ('event' in record ? null : (record.unaccounted ?? null)),
  operator: ({ record }: StoredEntry) => ('event' in record ? (record.operator ?? null) : null),
  reason: ({ record }: StoredEntry) => ('event' in record ? (record.reason ?? null) : null),
  details: ({ record }: StoredEntry) => ('event' in record ? (record.details ?? null) : null),
  proof: (stored: StoredEntry, _args: unknown, { audit }: ConsentContext) =>
    proofOf(needAuditLog(audit), stored),
};
