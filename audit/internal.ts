/** Exports that only Behalf's other packages use. Internal: they change without notice, in any version. */
export { auditErrors } from './errors.js';
export type { AuditedAccess } from './record.js';
export { auditOutcomes } from './columns.js';
export { storedClassOf } from './stored-class.js';
export { readEntry } from './read-entry.js';
