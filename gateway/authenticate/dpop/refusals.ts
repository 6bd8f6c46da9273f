import { RefusedError } from '../../errors.js';
import { ProofReplayStoreError } from '../../proof-replay/index.js';
import { bearerChallenge } from '../../http/challenge.js';
import { storeReason } from '../../system-code.js';

/** RFC 9449 section 7.1 `invalid_dpop_proof`. Which check failed stays internal. */
export function invalidProof(reason: string): RefusedError {
  const message = 'The DPoP proof is not valid';
  return new RefusedError({
    code: 'INVALID_DPOP_PROOF',
    message,
    status: 401,
    headers: new Map([
      ['www-authenticate', bearerChallenge({ error: 'invalid_dpop_proof', description: message })],
    ]),
    reason,
  });
}

/** RFC 9449 section 9. Every challenge for a proof carries the nonce for the next one. */
export function useNonce(reason: string): RefusedError {
  const message = 'The DPoP proof needs a nonce of this gateway';
  return new RefusedError({
    code: 'USE_DPOP_NONCE',
    message,
    status: 401,
    headers: new Map([
      ['www-authenticate', bearerChallenge({ error: 'use_dpop_nonce', description: message })],
    ]),
    reason,
  });
}

/** It is unknown whether the proof was used, so it is refused. */
export function replayStoreUnavailable(error: unknown): RefusedError {
  const isKnown = error instanceof ProofReplayStoreError;
  const cause = isKnown ? error.cause : error;
  return new RefusedError({
    code: 'REPLAY_STORE_UNAVAILABLE',
    message: 'It is not known at the moment whether the DPoP proof was used before',
    status: 503,
    headers: new Map([['retry-after', '1']]),
    reason: isKnown ? error.reason : 'REPLAY_STORE_UNREACHABLE',
    cause: cause === undefined ? undefined : storeReason(cause),
  });
}
