export { type DatabaseOptions, openDatabase } from './database.js';
export { StoreError, type StoreErrorCode, storeErrors } from './errors.js';
export { checkDatabase } from './external.js';
export type { Log, LogLevel } from './log.js';
export { storeLogCodes } from './log.js';
export { createReplayRole, migrateReplay, REPLAY_ROLE } from './replay.js';
export { type DatabaseServer, type DatabaseServerOptions, openDatabaseServer } from './server.js';
export type { Timeouts } from './timeouts.js';
