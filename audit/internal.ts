/** What only Behalf's other packages use. Internal: it changes without notice, in any version. */
export { auditErrors } from './errors.js';
export type { AuditedAccess } from './record.js';
