export { WatchOptionsError } from './errors.js';
export type { ForeignEventName } from './foreign-events.js';
export type { ConsentChange, Revocation, RevocationHooks } from './hooks.js';
export type { RevocationLog, RevocationLogCode } from './log.js';
export type { ForeignStreamOptions, ReceiverOptions, StreamOptions } from './stream-options.js';
export { watchRevocations } from './watch-revocations.js';
export type { RevocationWatch, WatchRevocationsOptions } from './watch-revocations.js';
