/** The transparency log over the audit records, in PostgreSQL. Internal: it changes without notice, in any version. */
export {
  compareTables,
  countUnproven,
  type TableFinding,
  type TableProblem,
  type Unproven,
} from './compare-tables.js';
export { DatabaseSource } from './database-source.js';
export { LogError, type LogErrorCode, logErrors } from './errors.js';
export { exportLog } from './export.js';
export { loadKeysOf } from './key-continuity.js';
export { LastSigned } from './last-signed.js';
export { loadLogKey } from './log-key.js';
export { type NoteKey, verifierKey } from './note.js';
export { newestCheckpoint, type ProofResult, proveRecord, proveRecordAt } from './prove.js';
export { Sequencer, type SequencerLog, type SequencerOptions } from './sequencer.js';
export type { Witnessed, Witnessing } from './witnessing.js';
