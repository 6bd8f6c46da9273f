/** Why something is not what it claims to be. The codes are stable. */
export type VerificationCode =
  /** A text does not have the format of its specification. */
  | 'MALFORMED'
  /** No trusted key signed, or the signature of one does not verify. */
  | 'SIGNATURE'
  /** A proof does not lead from its leaf to the root, or from one root to the other. */
  | 'PROOF'
  /** The witnesses that the policy requires have not cosigned. */
  | 'QUORUM'
  /** A hash, an entry or a record is not there. */
  | 'MISSING'
  /** A hash, an entry or a record is not the one that the tree holds. */
  | 'CHANGED'
  /** The log is smaller than a checkpoint that was seen before. */
  | 'TRUNCATED';

/**
 * A verification that failed. The message says what, and where, in one line.
 *
 * @example
 * ```ts
 * import { readFileSync } from 'node:fs';
 * import { parsePolicy, VerificationError, verifyProof } from '@behalf/audit-verify';
 *
 * const policy = parsePolicy(readFileSync('log.policy', 'utf8'));
 * try {
 *   const { record } = verifyProof(readFileSync('read.tlog-proof', 'utf8'), policy);
 *   console.log(record.time);
 * } catch (error) {
 *   if (!(error instanceof VerificationError)) throw error;
 *   console.error(error.code, error.message);
 * }
 * ```
 */
export class VerificationError extends Error {
  override readonly name = 'VerificationError';

  constructor(
    readonly code: VerificationCode,
    message: string,
  ) {
    super(message);
  }
}
