import { pseudonymOf } from '@behalf/audit/postgres';
import type { AuditEntry, RecordClass } from '@behalf/audit';
import { withoutUndefined } from '@behalf/directives/internal';
import {
  connectionOf,
  fieldsOf,
  needAuditLog,
  type PageArguments,
  proofOf,
  searchPage,
} from './audit-log.js';
import type { StoredEntry } from './audit-log.js';
import type { ConsentContext } from './context.js';

/** One access, as the person sees it whose history it is in. */
export interface Access {
  /** The row's owner (`@subject`). */
  readonly subject: string;
  readonly pseudonym: string;
  readonly stored: StoredEntry;
}

interface HistoryArguments extends PageArguments {
  readonly class?: RecordClass | null;
}

/** The caller's own history: their name comes from the delegation, and no argument can name anybody else. */
export async function accessHistory(
  _root: unknown,
  { class: recordClass, ...page }: HistoryArguments,
  { audit, delegation }: ConsentContext,
) {
  if (delegation === undefined || delegation.service === true) return null;
  const db = needAuditLog(audit);
  const { subject } = delegation;
  const pseudonym = await pseudonymOf(db, subject);
  const filter = withoutUndefined({ subject: pseudonym, class: recordClass ?? undefined });
  const found = await searchPage(db, filter, page);
  return connectionOf(
    found,
    found.records.map((stored): Access => ({ subject, pseudonym, stored })),
    page,
  );
}

/** The values of `AccessedBy`, by the schema's names. */
export const ACCESSED_BY = {
  APPLICATION: 'application',
  OTHER_PERSON: 'other-person',
  SERVICE: 'service',
  OPERATOR: 'operator',
  SYSTEM: 'system',
} as const;
type AccessedBy = (typeof ACCESSED_BY)[keyof typeof ACCESSED_BY];

function accessedBy({ pseudonym, stored: { record } }: Access): AccessedBy {
  const { caller } = record;
  if (caller.subjectPseudonym === pseudonym) return 'application';
  if (caller.subjectPseudonym !== undefined) return 'other-person';
  if (caller.service === true) return 'service';
  return 'operator' in record ? 'operator' : 'system';
}

/** The consent, if it is the person's own. Another person's is not their business. */
function ownConsent(access: Access): AuditEntry['caller'] {
  return accessedBy(access) === 'application' ? access.stored.record.caller : {};
}

function isOfOthersToo({ pseudonym, stored: { record } }: Access): boolean {
  const { subjects = [] } = record;
  return 'moreSubjects' in record || subjects.some((name) => name !== pseudonym);
}

/**
 * A proof has the whole record: pseudonyms of whoever read and of other people whose rows were read, or what somebody else wrote
 * about this one.
 */
function mayHaveProof(access: Access): boolean {
  const { record } = access.stored;
  if (isOfOthersToo(access) || accessedBy(access) === 'other-person') return false;
  if (!('event' in record) || accessedBy(access) === 'application') return true;
  return record.operator === undefined && record.reason === undefined;
}

/** Resolvers of `Access`. */
export const accessFields = {
  transactionId: ({ stored }: Access) => stored.record.transactionId,
  occurredAt: ({ stored }: Access) => stored.occurredAt.toISOString(),
  by: accessedBy,
  clientId: ({ stored }: Access) => stored.record.caller.clientId ?? null,
  actor: ({ stored }: Access) => stored.record.caller.actor ?? null,
  consentId: (access: Access) => ownConsent(access).consentId ?? null,
  consentVersion: (access: Access) => ownConsent(access).consentVersion ?? null,
  purposes: (access: Access) => ownConsent(access).purposes ?? null,
  outcome: ({ stored: { record } }: Access) => ('event' in record ? null : record.outcome),
  code: ({ stored: { record } }: Access) => ('event' in record ? null : (record.reason ?? null)),
  event: ({ stored: { record } }: Access) => ('event' in record ? record.event : null),
  fields: ({ stored }: Access) => fieldsOf(stored.record),
  isOfOthersToo,
  proof: async (access: Access, _args: unknown, { audit }: ConsentContext) =>
    mayHaveProof(access) ? proofOf(needAuditLog(audit), access.stored) : null,
};
