export { MemoryProofReplayStore, type MemoryProofReplayOptions } from './memory.js';
export { PostgresProofReplayStore, type PostgresProofReplayOptions } from './postgres.js';
export { ProofReplayStoreError, type ProofReplayStore, type ProofReplayStoreReason } from './store.js';
