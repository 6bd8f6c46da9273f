import type { AuditOutcome } from './record.js';
import type { RecordTable } from './schema.js';

/** Columns that the database fills. */
type SetByDatabase = 'seq' | 'occurred_at' | 'recorded_at' | 'clock_off';

/** What a writer says of a record, by column, and PostgreSQL's type. The only list: the function and the sink are made by it. */
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

/** By type, so that an outcome that is added is added here: the table refuses any other. */
export const OUTCOMES: Readonly<Record<AuditOutcome, true>> = Object.freeze({
  answered: true,
  explained: true,
  'authentication-failed': true,
  'passed-on': true,
  refused: true,
  failed: true,
});

/** One record as JSON. A gateway's records are far smaller; a writer in the wrong hands cannot store files in them. */
export const MAX_RECORD_BYTES = 1024 * 1024;

/** Records in one call. */
export const MAX_RECORDS_PER_CALL = 1_000;

/**
 * A record's own time is believed within these bounds around the database's clock: it may have waited for a database that
 * was away, and clocks differ. Beyond them the database's time stands in its place.
 */
export const MAX_LATE_SECONDS = 300;
export const MAX_EARLY_SECONDS = 60;
