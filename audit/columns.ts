import type { AuditOutcome } from './record.js';
import type { RecordTable } from './schema.js';

/** Columns that the database sets. */
type SetByDatabase = 'seq' | 'occurred_at' | 'recorded_at' | 'clock_off';

/**
 * The columns that a writer fills, with their PostgreSQL types. The append function and the sink are both derived from this list.
 */
export const APPENDED_COLUMNS: Readonly<Record<Exclude<keyof RecordTable, SetByDatabase>, string>> =
  Object.freeze({
    transaction_id: 'uuid',
    trace_id: 'text',
    outcome: 'text',
    reason: 'text',
    subject_pseudonym: 'text',
    client_id: 'text',
    actor: 'text',
    consent_id: 'text',
    consent_version: 'integer',
    purposes: 'text[]',
    operation_name: 'text',
    operation_hash: 'text',
    source: 'text',
    fields: 'jsonb',
    service: 'boolean',
    passed_on_by: 'text',
    passed_on_to: 'text',
    trace_link: 'text',
    unaccounted: 'text[]',
  });

/** Typed, so that a new outcome must be added here: the table refuses any other. */
export const OUTCOMES: Readonly<Record<AuditOutcome, true>> = Object.freeze({
  answered: true,
  explained: true,
  'authentication-failed': true,
  'passed-on': true,
  refused: true,
  failed: true,
});

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
