export type { Checkpoint } from './checkpoint.js';
export { type VerificationCode, VerificationError, verificationErrors } from './errors.js';
export type { Finding } from './findings.js';
export type { Note } from './note.js';
export {
  parsePolicy,
  type Policy,
  type PolicyLog,
  type PolicyWitness,
  type TrustedCheckpoint,
  verifyCheckpoint,
} from './policy.js';
export { type Proof, type ProvenRecord, verifyProof } from './proof.js';
export { FolderSource, type LogSource } from './source.js';
export type { TilePlace } from './tiles.js';
export { type LogReport, verifyLog } from './verify-log.js';
export type { VerifyLogOptions } from './verify-options.js';
export type { SignatureType, VerifierKey } from './vkey.js';
