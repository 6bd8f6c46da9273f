export { type AuditEvent, type AuditEventName, auditEvents } from './event.js';
export { recordClasses, type RecordClass } from './record-class.js';
export type { AuditCaller } from './caller.js';
export { type LoggedEntry, type OcsfApiActivity, toOcsf } from './ocsf.js';
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
