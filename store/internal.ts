/** Exports that only Behalf's own packages use. Internal: they change without notice, in any version. */
export { silentLog } from './log.js';
export { migrate, type MigrateOptions } from './migrate.js';
export { createGatewayRole, type GatewayRole } from './roles.js';
export { createShared, readIfThere } from './shared-file.js';
export { endHeldTransactions } from './sessions.js';
export { SQLSTATE, sqlStateOf } from './sqlstate.js';
export { timeoutSettings } from './timeouts.js';
