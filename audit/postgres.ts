/** The audit log in PostgreSQL. Needs the packages `pg`, `kysely` and `@behalf/store`, which the rest of this package does not. */
export { eraseRecords, eraseSubject, type Erasing } from './erase.js';
export { introduceKey } from './introduce-key.js';
export type { NoteKey } from './log/note.js';
export { lookUpSubject, type LookUp, pseudonymOf, recordLookUp } from './look-up.js';
export { PostgresAuditSink, type PostgresSinkOptions } from './postgres-sink.js';
export { recordReplacedKey } from './replace-key.js';
export { AUDIT_READER_ROLE, createReaderRole, readerUrl } from './reader-role.js';
export type { AuditDatabase, RecordSubjectTable, RecordTable } from './schema.js';
export { type AuditPage, type AuditPageOptions, MAX_AUDIT_PAGE, searchAudit } from './search.js';
export type { AuditFilter } from './search/filter.js';
export {
  AUDIT_WRITER_ROLE,
  createWriterRole,
  migrateAudit,
  readAudit,
  readAuditEntries,
  writerUrl,
  type ReadAuditOptions,
  type StoredAuditRecord,
} from './store.js';
