export { type DatabaseOptions, openDatabase } from './database.js';
export { checkDatabase } from './external.js';
export { StoreError, type StoreErrorCode } from './errors.js';
export type { Log } from './log.js';
export { migrate, type MigrateOptions } from './migrate.js';
export { projectPath } from './paths.js';
export { createReplayRole, migrateReplay, REPLAY_ROLE } from './replay.js';
export { type DatabaseServer, type DatabaseServerOptions, openDatabaseServer } from './server.js';
