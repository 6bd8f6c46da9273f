/**
 * Remembers used proofs, so that each works once (RFC 9449 section 11.1).
 *
 * If `claim` returns `true`, no other claim of the same digest was or will be answered so while it is kept. A store that cannot
 * promise this rejects, and the caller must then refuse the request.
 */
export interface ProofReplayStore {
  /**
   * @param digest of the proof's identity; base64url, 32 bytes
   * @param keepSeconds how long a proof with this identifier could still be accepted; a duration, since clocks differ
   * @returns whether it is the first claim
   * @throws {ProofReplayStoreError}
   */
  claim(digest: string, keepSeconds: number): Promise<boolean>;
  /** Prepares the store, so that a missing dependency stops the start. @throws {ConfigurationError} */
  open?(): Promise<void>;
  /** Tests whether a claim could be made now, for `/health/ready`. @throws if not. A store without it counts as able. */
  check?(): Promise<void>;
  /** Whole seconds since the epoch. The store cannot tell whether an earlier proof was used. */
  readonly knowsSinceSeconds: number;
  close(): Promise<void>;
}

/** Why a claim failed; for the log and the record. */
export type ProofReplayStoreReason = 'REPLAY_STORE_FULL' | 'REPLAY_STORE_UNREACHABLE';

/**
 * It is unknown whether the proof was used.
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
