import pg from 'pg';
import { BatchWriter } from './batch-writer.js';
import type { AuditRecord, AuditSink } from './record.js';

export interface PostgresSinkOptions {
  /** Of the writer's role (see `createWriterRole`), which can append and nothing else. */
  readonly databaseUrl: string;
  /** Records that may wait. Default 10,000. */
  readonly maxQueue?: number;
  /** How long a record is kept for while the database cannot be written. Default 5,000. */
  readonly maxWaitMs?: number;
}

/** SQLSTATE classes 22 (data exception) and 23 (integrity constraint violation): about what a row holds. */
const FAULT_OF_ROW = /^2[23]/;
/** JSON's spelling of what PostgreSQL's text cannot hold: NUL, and half a surrogate pair. */
const UNSTORABLE = /\\u0000|\\ud[89a-f]/i;

const INSERT = `
  insert into audit.record (
    transaction_id, trace_id, occurred_at, outcome, reason, subject_pseudonym, client_id, actor,
    consent_id, consent_version, purposes, operation_name, operation_hash, source, fields,
    service, passed_on_by, passed_on_to, trace_link, unaccounted)
  select transaction_id, trace_id, to_timestamp(time / 1000.0), outcome, reason, subject_pseudonym, client_id, actor,
    consent_id, consent_version, purposes, operation_name, operation_hash, source, fields,
    service, passed_on_by, passed_on_to, trace_link, unaccounted
  from jsonb_to_recordset($1::jsonb) as r (
    transaction_id uuid, trace_id text, time float8, outcome text, reason text, subject_pseudonym text, client_id text,
    actor text, consent_id text, consent_version integer, purposes text[], operation_name text, operation_hash text,
    source text, fields jsonb, service boolean, passed_on_by text, passed_on_to text,
    trace_link text, unaccounted text[])`;

/** Appends records to PostgreSQL, many in one statement, over one connection. */
export class PostgresAuditSink implements AuditSink {
  private readonly pool: pg.Pool;
  private readonly writer: BatchWriter<AuditRecord>;

  constructor({ databaseUrl, maxQueue, maxWaitMs }: PostgresSinkOptions) {
    this.pool = new pg.Pool({
      connectionString: databaseUrl,
      max: 1,
      application_name: 'behalf-audit-writer',
      connectionTimeoutMillis: 2_000,
      query_timeout: 5_000,
    });
    // A connection that breaks while idle is replaced by the next write, which tells when it cannot be.
    this.pool.on('error', () => undefined);
    this.writer = new BatchWriter({
      write: async (records) => {
        await this.pool.query(INSERT, [toJson(records.map(toRow))]);
      },
      isFaultOfItem: (error) => error instanceof pg.DatabaseError && FAULT_OF_ROW.test(error.code ?? ''),
      ...(maxWaitMs === undefined ? {} : { maxWaitMs }),
      ...(maxQueue === undefined ? {} : { maxQueue }),
    });
  }

  get lost(): number {
    return this.writer.lost;
  }

  append(record: AuditRecord): Promise<void> {
    return this.writer.append(record);
  }

  async close(): Promise<void> {
    await this.writer.close();
    await this.pool.end();
  }
}

function toRow(record: AuditRecord): Record<string, unknown> {
  const { caller } = record;
  return {
    transaction_id: record.transactionId,
    trace_id: record.traceId,
    time: record.time,
    outcome: record.outcome,
    reason: record.reason,
    subject_pseudonym: caller.subjectPseudonym,
    client_id: caller.clientId,
    actor: caller.actor,
    consent_id: caller.consentId,
    consent_version: caller.consentVersion,
    purposes: caller.purposes,
    operation_name: record.operationName,
    operation_hash: record.operationHash,
    source: record.source,
    fields: record.fields,
    service: caller.service,
    passed_on_by: record.passedOn?.by,
    passed_on_to: record.passedOn?.to,
    trace_link: record.traceLink,
    unaccounted: record.unaccounted,
  };
}

/** A caller must not keep out of the log by a name that the log cannot hold. */
function toJson(rows: readonly Record<string, unknown>[]): string {
  const json = JSON.stringify(rows);
  if (!UNSTORABLE.test(json)) return json;
  return JSON.stringify(rows, (_key, value: unknown) =>
    typeof value === 'string' ? value.toWellFormed().replaceAll('\0', '\uFFFD') : value,
  );
}
