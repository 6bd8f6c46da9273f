import type { AuditEventName } from './event.js';
import type { AuditOutcome } from './record.js';

/**
 * The columns by which records are found, with their PostgreSQL types, and where in a record they come from. The record itself is
 * one text, because the log holds the hash of that text.
 */
export const SEARCH_COLUMNS = Object.freeze({
  transaction_id: { type: 'uuid', from: "record ->> 'transactionId'" },
  outcome: { type: 'text', from: "record ->> 'outcome'" },
  event: { type: 'text', from: "record ->> 'event'" },
  subject_pseudonym: { type: 'text', from: "record -> 'caller' ->> 'subjectPseudonym'" },
  client_id: { type: 'text', from: "record -> 'caller' ->> 'clientId'" },
  actor: { type: 'text', from: "record -> 'caller' ->> 'actor'" },
  coordinates: {
    type: 'text[]',
    from: `array(select field ->> 'coordinate' from jsonb_array_elements(record -> 'fields') as list (field)
      union select name from jsonb_array_elements_text(record -> 'mutates') as list (name) order by 1)`,
  },
} as const);

/** The pseudonyms of everybody whom a record is about, in SQL. */
export const SUBJECTS_FROM = `
  select record -> 'caller' ->> 'subjectPseudonym' where record -> 'caller' ->> 'subjectPseudonym' is not null
  union
  select name from jsonb_array_elements_text(record -> 'subjects') as list (name)`;

/** Events that only members of the log's owner record, and no gateway. */
export const OWNERS_EVENTS: readonly AuditEventName[] = [
  'subject-erased',
  'records-erased',
  'log-key-added',
  'log-key-replaced',
];

/** Typed, so that a new outcome must be added here: the table refuses any other. */
export const OUTCOMES: Readonly<Record<AuditOutcome, true>> = Object.freeze({
  answered: true,
  intended: true,
  explained: true,
  'authentication-failed': true,
  'passed-on': true,
  refused: true,
  failed: true,
});

/** Every {@link AuditOutcome}. */
export const auditOutcomes = Object.freeze(Object.keys(OUTCOMES)) as readonly AuditOutcome[];

/** The largest size of one record as JSON. Real records are far smaller; this stops a stolen writer role from storing files. */
export const MAX_RECORD_BYTES = 1024 * 1024;

/** The largest number of records in one call. */
export const MAX_RECORDS_PER_CALL = 1_000;

/**
 * A record's own time is accepted within these bounds around the database's clock, because clocks differ and a record may have
 * waited for the database. Outside of them, the database's time replaces it.
 */
export const MAX_LATE_SECONDS = 300;
export const MAX_EARLY_SECONDS = 60;

/**
 * The record's own time in SQL, or null if it is not within these bounds.
 *
 * @param presentMs SQL for the database's time, in milliseconds since the epoch
 */
export function nearTime(presentMs: string): string {
  return `case when jsonb_typeof(record -> 'time') = 'number'
      and (record ->> 'time')::numeric between ${presentMs}::numeric - ${MAX_LATE_SECONDS * 1000}
        and ${presentMs}::numeric + ${MAX_EARLY_SECONDS * 1000}
    then to_timestamp((record ->> 'time')::double precision / 1000) end`;
}
