export {
  type AuditEvent,
  type AuditEventName,
  auditEvents,
  recordClasses,
  type RecordClass,
} from './event.js';
export type { AuditCaller } from './caller.js';
export { AuditError, type AuditErrorCode, auditErrors } from './errors.js';
export { FileAuditSink } from './file-sink.js';
export type {
  AuditEntry,
  AuditedAccess,
  AuditOutcome,
  AuditRecord,
  AuditSink,
  SubjectPseudonyms,
} from './record.js';
