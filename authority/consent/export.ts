import type { ConsentLevels } from '@behalf/directives';
import type { Kysely } from 'kysely';
import { withoutUndefined } from '@behalf/directives/internal';

import type { AuthoritySchema } from '../schema.js';
import type { ConsentEventRow } from './replay.js';
import type { DetailLevel, PrivacyNotice } from './types.js';

/** The version of the records' form; the default of the column `schema_version`. */
const EXPORT_SCHEMA_VERSION = 'behalf-27560-1';

const MAX_EVENTS = 1_000;
const EVENTS_PER_PAGE = 200;

/** The state of a consent after an event, in the words of ISO/IEC TS 27560, annex B. */
export type EventState = 'requested' | 'given' | 'renewed' | 'withdrawn' | 'revoked' | 'expired';

/** One person's consents, in the form of ISO/IEC TS 27560; `export-schema.json` describes every member. */
export interface ConsentExport {
  readonly schema_version: string;
  readonly exported_at: string;
  readonly pii_principal_id: string;
  /** Whether this is the last part. If not, ask again with the cursor. */
  readonly complete: boolean;
  readonly records: readonly ExportedRecord[];
}

/** One consent with its events, in a {@link ConsentExport}. */
export interface ExportedRecord {
  readonly schema_version: string;
  readonly record_id: string;
  readonly pii_principal_id: string;
  readonly pii_processing: {
    readonly language: string;
    /** `event_id` of the event that holds the words; absent when an earlier part, or none, holds them. */
    readonly privacy_notice?: number;
    readonly purposes: readonly {
      readonly purpose: string;
      readonly lawful_basis: 'consent';
      readonly pii_information: readonly { readonly pii_type: string; readonly pii_optional: true }[];
      readonly pii_controllers: readonly string[];
      readonly withdrawal_method: string;
    }[];
  };
  readonly party_identification: readonly {
    readonly party_id: string;
    readonly party_name?: string;
    readonly party_role: string;
    readonly party_contact?: string;
  }[];
  readonly events: readonly ExportedEvent[];
}

/** One event of a consent, in an {@link ExportedRecord}. Times are ISO 8601, in UTC. */
export interface ExportedEvent {
  readonly event_id: number;
  readonly event_time: string;
  readonly event_state: EventState;
  /** `explicit`: the person decided by an action of their own. Absent if somebody or something else decided. */
  readonly event_type?: 'explicit';
  readonly entity_id: string;
  /** ISO 8601; from the event on. */
  readonly validity_duration: string;
  readonly valid_until: string;
  /** Its name in the log. */
  readonly log_event: ConsentEventRow['event_type'];
  readonly version: number;
  readonly scopes: readonly string[];
  readonly declined: readonly string[];
  readonly purposes: readonly string[];
  readonly declined_purposes: readonly string[];
  readonly detail: DetailLevel;
  readonly levels: ConsentLevels;
  readonly policy_version?: string;
  readonly replaces?: string;
  readonly reason?: string;
  /** The words that the person was shown. */
  readonly privacy_notice?: PrivacyNotice;
}

/** One part of a person's consents, see {@link ConsentRegister.exportOwn}. */
export interface ExportPart {
  readonly document: ConsentExport;
  /** For the next part; undefined when there is none. */
  readonly cursor: string | undefined;
}

/**
 * Everything in the log about one person's consents, in order, at most a thousand events at a time. A record whose events do not
 * fit into one part continues in the next.
 *
 * @param after a `cursor` of an earlier part
 * @throws RangeError for a cursor that was not issued
 */
export async function exportConsents(
  db: Kysely<AuthoritySchema>,
  subject: string,
  after?: string,
): Promise<ExportPart> {
  const events: ConsentEventRow[] = [];
  let last = readCursor(after);
  let more = true;
  while (more && events.length < MAX_EVENTS) {
    const page = await db
      .selectFrom('authority.consent_event')
      .selectAll()
      .where('pii_principal_id', '=', subject)
      .where('event_id', '>', last)
      .orderBy('event_id')
      .limit(EVENTS_PER_PAGE)
      .execute();
    events.push(...page);
    last = page.at(-1)?.event_id ?? last;
    more = page.length === EVENTS_PER_PAGE;
  }
  const byRecord = new Map<string, ConsentEventRow[]>();
  for (const event of events) {
    const known = byRecord.get(event.record_id);
    if (known === undefined) byRecord.set(event.record_id, [event]);
    else known.push(event);
  }
  const document: ConsentExport = {
    schema_version: EXPORT_SCHEMA_VERSION,
    exported_at: new Date().toISOString(),
    pii_principal_id: subject,
    complete: !more,
    records: [...byRecord.values()].map((ofRecord) => exportRecord(subject, ofRecord)),
  };
  return { document, cursor: more ? String(last) : undefined };
}

/** The processing described by the last event that states what was agreed. */
function exportRecord(subject: string, events: readonly ConsentEventRow[]): ExportedRecord {
  const newest = events.at(-1);
  if (newest === undefined) throw new TypeError('A record has an event');
  const { client_id: clientId, record_id: recordId } = newest;
  const decided = events.findLast((event) => event.privacy_notice !== null);
  const { language = 'en', owner, contact } = decided?.privacy_notice ?? {};
  return {
    schema_version: newest.schema_version,
    record_id: recordId,
    pii_principal_id: subject,
    pii_processing: withoutUndefined({
      language,
      privacy_notice: decided?.event_id,
      purposes: newest.purposes.map((purpose) => ({
        purpose,
        lawful_basis: 'consent' as const,
        pii_information: newest.scopes.map((scope) => ({ pii_type: scope, pii_optional: true as const })),
        pii_controllers: [clientId],
        withdrawal_method: 'revokeConsent or narrowConsent, at any time',
      })),
    }),
    party_identification: [
      withoutUndefined({
        party_id: clientId,
        party_name: owner,
        party_role: 'PII controller',
        party_contact: contact,
      }),
    ],
    events: events.map((event) => exportEvent(event)),
  };
}

function exportEvent(event: ConsentEventRow): ExportedEvent {
  const { event_time: at, valid_until: until } = event;
  const state = stateAfter(event);
  const isOver = state === 'withdrawn' || state === 'revoked' || state === 'expired';
  const seconds = isOver ? 0 : Math.max(0, Math.round((until.getTime() - at.getTime()) / 1000));
  return withoutUndefined({
    event_id: event.event_id,
    event_time: at.toISOString(),
    event_state: state,
    event_type: event.entity_id === event.pii_principal_id ? 'explicit' : undefined,
    entity_id: event.entity_id,
    validity_duration: `PT${seconds}S`,
    valid_until: until.toISOString(),
    log_event: event.event_type,
    version: event.version,
    scopes: event.scopes,
    declined: event.declined,
    purposes: event.purposes,
    declined_purposes: event.declined_purposes,
    detail: event.detail,
    levels: event.levels,
    policy_version: event.policy_version ?? undefined,
    replaces: event.replaces ?? undefined,
    reason: event.reason ?? undefined,
    privacy_notice: event.privacy_notice ?? undefined,
  });
}

function stateAfter(event: ConsentEventRow): EventState {
  switch (event.event_type) {
    case 'requested':
      return 'requested';
    case 'granted':
      return 'given';
    case 'extended':
      return 'renewed';
    case 'expired':
      return 'expired';
    // The rest is a separate record, which names this one in `replaces`.
    case 'narrowed':
      return 'withdrawn';
    case 'revoked':
      return event.entity_id === event.pii_principal_id ? 'withdrawn' : 'revoked';
  }
}

function readCursor(cursor: string | undefined): number {
  if (cursor === undefined) return 0;
  if (!/^\d{1,15}$/.test(cursor)) throw new RangeError('Not a cursor of an export');
  return Number(cursor);
}
