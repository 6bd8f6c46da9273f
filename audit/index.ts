export { AuditError, type AuditErrorCode } from './errors.js';
export { FileAuditSink } from './file-sink.js';
export { PostgresAuditSink, type PostgresSinkOptions } from './postgres-sink.js';
export type { AuditCaller, AuditOutcome, AuditRecord, AuditSink } from './record.js';
export type { AuditDatabase, RecordTable } from './schema.js';
export {
  AUDIT_WRITER_ROLE,
  createWriterRole,
  migrateAudit,
  readAudit,
  writerUrl,
  type ReadAuditOptions,
  type StoredAuditRecord,
} from './store.js';
