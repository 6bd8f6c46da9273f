/**
 * Remembers which proofs were used, so that each is used once (RFC 9449 section 11.1).
 *
 * When `claim` answers `true`, no other claim of the same digest was or will be answered so while it is kept. A store that
 * cannot promise this rejects; who asked must then refuse the request.
 */
export interface ProofReplayStore {
  /**
   * @param digest Of what identifies the proof; base64url, 32 bytes.
   * @param keepSeconds How long a proof of this name could still be accepted. A duration, since clocks differ.
   * @returns whether it is the first claim.
   * @throws {ProofReplayStoreError}
   */
  claim(digest: string, keepSeconds: number): Promise<boolean>;
  /** Makes ready what claims need, so that what is missing stops the start. @throws {ConfigurationError} */
  open?(): Promise<void>;
  /** Whole seconds since the epoch. Of a proof that was made before, the store cannot tell whether it was used. */
  readonly knowsSinceSeconds: number;
  close(): Promise<void>;
}

/** Why a claim failed; for the log and the record. */
export type ProofReplayStoreReason = 'REPLAY_STORE_FULL' | 'REPLAY_STORE_UNREACHABLE';

/**
 * It is not known whether the proof was used; `reason` says why, for the log and the record.
 *
 * @example
 * ```ts
 * import { type ProofReplayStore, ProofReplayStoreError } from '@behalf/gateway';
 *
 * declare const cache: { setIfAbsent(key: string, seconds: number): Promise<boolean> };
 *
 * export const replay: ProofReplayStore = {
 *   knowsSinceSeconds: Math.floor(Date.now() / 1000),
 *   async claim(digest, keepSeconds) {
 *     try {
 *       return await cache.setIfAbsent(digest, keepSeconds);
 *     } catch (cause) {
 *       throw new ProofReplayStoreError('REPLAY_STORE_UNREACHABLE', { cause });
 *     }
 *   },
 *   close: () => Promise.resolve(),
 * };
 * ```
 */
export class ProofReplayStoreError extends Error {
  override readonly name = 'ProofReplayStoreError';

  constructor(
    readonly reason: ProofReplayStoreReason,
    options?: ErrorOptions,
  ) {
    super(reason, options);
  }
}
