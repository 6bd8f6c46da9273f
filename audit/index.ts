export { AuditError, type AuditErrorCode, auditErrors } from './errors.js';
export { FileAuditSink } from './file-sink.js';
export type { AuditCaller, AuditedAccess, AuditOutcome, AuditRecord, AuditSink } from './record.js';
