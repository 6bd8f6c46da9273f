export { MemoryReplayStore, type MemoryReplayOptions } from './memory.js';
export { PostgresReplayStore, type PostgresReplayOptions } from './postgres.js';
export { ReplayStoreError, type ReplayStore, type ReplayStoreReason } from './store.js';
