import { randomUUID } from 'node:crypto';

import type { ConsentLevels } from '@behalf/directives';
import type { Insertable, Selectable, Transaction } from 'kysely';

import { type EventCause, type EventToRecord, recordCall } from '../audit/record-events.js';
import type { AuthoritySchema, ConsentTable } from '../schema.js';
import type { Consent, ConsentEventType, ConsentTerms, PrivacyNotice } from './types.js';

export type ConsentRow = Selectable<ConsentTable>;

/** A row past its end counts as expired, whether or not that has been recorded yet. */
export function toConsent(row: ConsentRow, nowMs: number = Date.now()): Consent {
  const lapsed = row.status === 'active' && row.until.getTime() <= nowMs;
  return {
    id: row.id,
    version: row.version,
    subject: row.subject,
    clientId: row.client_id,
    scopes: row.scopes,
    declined: row.declined,
    purposes: row.purposes,
    declinedPurposes: row.declined_purposes,
    detail: row.detail,
    levels: row.levels,
    status: lapsed ? 'expired' : row.status,
    grantedAt: row.granted_at,
    until: row.until,
    endedAt: lapsed ? row.until : (row.ended_at ?? undefined),
    endedBy: row.ended_by ?? undefined,
    endedReason: row.ended_reason ?? undefined,
  };
}

export function newConsentRow(terms: ConsentTerms, version: number, now: Date): ConsentRow {
  return {
    id: randomUUID(),
    version,
    subject: terms.subject,
    client_id: terms.clientId,
    scopes: [...terms.scopes],
    declined: [...terms.declined],
    purposes: [...terms.purposes],
    declined_purposes: [...(terms.declinedPurposes ?? [])],
    detail: terms.detail,
    levels: terms.levels ?? {},
    status: 'active',
    granted_at: now,
    until: terms.until,
    ended_at: null,
    ended_by: null,
    ended_reason: null,
    tokens_not_before: null,
  };
}

/** The members of an event beyond the state of its consent. */
export interface EventDetails {
  readonly by: string;
  /** The same for the audit log. */
  readonly cause: EventCause;
  readonly reason?: string | undefined;
  readonly notice?: PrivacyNotice | undefined;
  /** By the database's clock. Default: the time of writing. */
  readonly at?: Date | undefined;
  readonly policyVersion?: string | undefined;
  /** The consent that this one replaces. */
  readonly replaces?: string | undefined;
}

/** Appends an event with the consent's terms from `row`, and records it for the audit log. */
export async function appendConsentEvent(
  trx: Transaction<AuthoritySchema>,
  type: ConsentEventType,
  row: ConsentRow,
  details: EventDetails,
): Promise<void> {
  const event = {
    record_id: row.id,
    event_type: type,
    pii_principal_id: row.subject,
    client_id: row.client_id,
    entity_id: details.by,
    scopes: row.scopes,
    purposes: row.purposes,
    detail: row.detail,
    levels: JSON.stringify(row.levels),
    valid_until: row.until,
    version: row.version,
    privacy_notice: details.notice === undefined ? null : JSON.stringify(details.notice),
    reason: details.reason ?? null,
    declined: row.declined,
    declined_purposes: row.declined_purposes,
    policy_version: details.policyVersion ?? null,
    replaces: details.replaces ?? null,
    event_time: details.at,
  };
  // One statement, because a revocation may end many consents.
  await trx
    .with('appended', (db) => db.insertInto('authority.consent_event').values(event))
    .selectNoFrom(recordCall([auditEventOf(type, row, details)]).as('recorded'))
    .execute();
}

/** Details of an event are texts, numbers and lists of texts. */
function levelsText(levels: ConsentLevels): readonly string[] | undefined {
  const entries = Object.entries(levels).flatMap(([name, all]) => all.map((level) => `${name}: ${level}`));
  return entries.length === 0 ? undefined : entries;
}

/** A new row, as it is stored. */
export function toInsert(row: ConsentRow): Insertable<ConsentTable> {
  return { ...row, levels: JSON.stringify(row.levels) };
}

function auditEventOf(type: ConsentEventType, row: ConsentRow, details: EventDetails): EventToRecord {
  const { cause, policyVersion, reason, replaces } = details;
  return {
    event: `consent-${type}`,
    cause,
    subjects: [row.subject],
    reason,
    details: {
      consentId: row.id,
      version: row.version,
      clientId: row.client_id,
      scopes: row.scopes,
      purposes: row.purposes,
      detail: row.detail,
      levels: levelsText(row.levels),
      until: row.until.getTime(),
      policyVersion,
      replaces,
    },
  };
}
