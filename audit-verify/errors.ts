/**
 * Every reason why something is not what it claims to be. The codes are stable.
 *
 * @example
 * ```ts
 * import { type VerificationCode, verificationErrors } from '@behalf/audit-verify';
 *
 * export function describe(code: VerificationCode): string {
 *   return verificationErrors[code].description;
 * }
 * ```
 */
export const verificationErrors = Object.freeze({
  MALFORMED: { description: 'A text does not have the format of its specification.', since: '0.1.0' },
  SIGNATURE: {
    description: 'No trusted key signed, or the signature of one does not verify.',
    since: '0.1.0',
  },
  PROOF: { description: 'A proof does not lead from its entry to the root.', since: '0.1.0' },
  QUORUM: { description: 'The witnesses that the policy requires have not cosigned.', since: '0.1.0' },
  MISSING: { description: 'A hash, an entry or a record is not there.', since: '0.1.0' },
  CHANGED: {
    description: 'A hash, an entry or a record is not the one that the tree holds.',
    since: '0.1.0',
  },
  OPTION_INVALID: {
    description:
      'An option of a verification is unknown or cannot be used: it would find less than was asked for.',
    since: '0.1.0',
  },
  TRUNCATED: { description: 'The log is smaller than a checkpoint that was seen before.', since: '0.1.0' },
});

/** Every code of a {@link VerificationError} and of a finding. */
export type VerificationCode = keyof typeof verificationErrors;

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
