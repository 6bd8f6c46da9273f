import { createHash } from 'node:crypto';
import type { Clock } from '@behalf/directives';
import { decodeProtectedHeader, errors, jwtVerify } from 'jose';
import type { JWTPayload, ProtectedHeaderParameters } from 'jose';
import type { ProofReplayStore } from '../../proof-replay/index.js';
import { isCompactJws } from '../token-form.js';
import type { DpopNonces } from './nonce.js';
import { ProofKeys } from './proof-key.js';
import { invalidProof, replayStoreUnavailable, useNonce } from './refusals.js';
import { normalizedTarget } from './target.js';

export interface ProofRules {
  /** Accepted values of `alg`, each asymmetric. */
  readonly algorithms: readonly string[];
  /** Maximum age of a proof. */
  readonly proofLifetimeSeconds: number;
  /** Absent if no nonce is required. */
  readonly nonces: DpopNonces | undefined;
  readonly replay: ProofReplayStore;
  readonly clock: Pick<Clock, 'now'>;
}

/** The request and the token that a proof must be for. */
export interface ProvenRequest {
  readonly method: string | undefined;
  /** Absolute, as clients know it. */
  readonly url: string | undefined;
  /** SHA-256 of the access token, base64url. */
  readonly tokenDigest: string;
  /** `jkt` of the token's `cnf`. */
  readonly thumbprint: string;
}

const TYPE = 'dpop+jwt';
/** Room for an RSA key of 4,096 bits and its signature. */
const MAX_PROOF_LENGTH = 8_192;
/** Tolerance for a client's clock that is ahead. */
const CLOCK_TOLERANCE_SECONDS = 5;
/** Tolerance between the clocks of gateways that share a store. */
const CLOCK_MARGIN_SECONDS = 30;

/** DPoP proofs (RFC 9449 section 4.3). Each check refuses by itself; a proof that passes all is accepted once. */
export class DpopProofs {
  readonly #keys = new ProofKeys();
  readonly #rules: ProofRules;

  constructor(rules: ProofRules) {
    this.#rules = rules;
  }

  /**
   * The twelve checks of section 4.3, numbered as there. Cheap ones come first, and the claim of the proof's identifier comes
   * last, so that only valid proofs take space in the store.
   *
   * @param dpop every value of the `DPoP` header
   * @returns the nonce for later proofs, if it differs from this proof's
   * @throws {RefusedError} 401 `INVALID_DPOP_PROOF` or `USE_DPOP_NONCE`, 503 `REPLAY_STORE_UNAVAILABLE`
   */
  async verify(dpop: readonly string[], request: ProvenRequest): Promise<string | undefined> {
    const { algorithms, clock } = this.#rules;
    // 1: not more than one header, and not none.
    const [proof] = dpop;
    if (proof === undefined) throw invalidProof('PROOF_MISSING');
    if (dpop.length > 1) throw invalidProof('PROOF_REPEATED');
    // 2: one well-formed JWT.
    if (proof.length > MAX_PROOF_LENGTH || !isCompactJws(proof)) throw invalidProof('PROOF_MALFORMED');
    const { typ, alg, jwk } = readHeader(proof);
    // 4
    if (typ !== TYPE) throw invalidProof('PROOF_TYPE');
    // 5: an allow-list of asymmetric algorithms, so neither `none` nor a secret passes.
    if (alg === undefined || !algorithms.includes(alg)) throw invalidProof('PROOF_ALGORITHM');
    // 7, and 12 (the token is bound to this key): another key is not worth a signature check.
    const [encodedHeader = ''] = proof.split('.', 1);
    const key = await this.#keys.read(encodedHeader, { alg, jwk }, request.thumbprint);
    if (typeof key === 'string') throw invalidProof(key);
    // 6: the signature, by the key in the header.
    let payload: JWTPayload;
    try {
      ({ payload } = await jwtVerify(proof, key, {
        algorithms: [alg],
        typ: TYPE,
        currentDate: new Date(clock.now()),
      }));
    } catch (error) {
      throw invalidProof(error instanceof errors.JOSEError ? error.code : 'PROOF_SIGNATURE');
    }
    return this.#verifyClaims(payload, request);
  }

  /** 3: every required claim, by its use below. */
  async #verifyClaims(payload: JWTPayload, request: ProvenRequest): Promise<string | undefined> {
    const { htm, htu, iat, ath, jti, nonce }: Readonly<Record<string, unknown>> = payload;
    // 8: methods are case-sensitive (RFC 9110 section 9.1).
    if (request.method === undefined || htm !== request.method) throw invalidProof('PROOF_METHOD');
    // 9
    if (!isSameTarget(htu, request.url)) throw invalidProof('PROOF_TARGET');
    // 12: the proof belongs to this token.
    if (ath !== request.tokenDigest) throw invalidProof('PROOF_TOKEN_HASH');
    // 11: recent.
    this.#verifyTime(iat);
    // 10
    const next = this.#verifyNonce(nonce);
    if (typeof jti !== 'string' || jti === '') throw invalidProof('PROOF_ID');
    await this.#claim(jti, request.thumbprint);
    return next;
  }

  #verifyTime(iat: unknown): void {
    if (typeof iat !== 'number') throw invalidProof('PROOF_TIME');
    const { proofLifetimeSeconds, replay, clock } = this.#rules;
    const nowSeconds = clock.now() / 1000;
    if (iat > nowSeconds + CLOCK_TOLERANCE_SECONDS) throw invalidProof('PROOF_IN_FUTURE');
    if (iat + proofLifetimeSeconds < nowSeconds) throw invalidProof('PROOF_OLD');
    // It may have been used before the gateway restarted.
    if (iat < replay.knowsSinceSeconds) throw invalidProof('PROOF_BEFORE_START');
  }

  #verifyNonce(nonce: unknown): string | undefined {
    const { nonces } = this.#rules;
    if (nonces === undefined) return undefined;
    const current = nonces.current();
    if (nonce === current) return undefined;
    if (typeof nonce !== 'string' || !nonces.isAccepted(nonce)) {
      throw useNonce(nonce === undefined ? 'NONCE_MISSING' : 'NONCE_NOT_ACCEPTED');
    }
    return current;
  }

  /** Section 11.1. Per key, so that nobody uses up the identifiers of another's proofs. */
  async #claim(jti: string, thumbprint: string): Promise<void> {
    const { proofLifetimeSeconds, replay } = this.#rules;
    const digest = createHash('sha256').update(`${thumbprint} ${jti}`).digest('base64url');
    const keepSeconds = proofLifetimeSeconds + CLOCK_TOLERANCE_SECONDS + CLOCK_MARGIN_SECONDS;
    let isFirst: unknown;
    try {
      isFirst = await replay.claim(digest, keepSeconds);
    } catch (error) {
      throw replayStoreUnavailable(error);
    }
    if (isFirst !== true) throw invalidProof('PROOF_REPLAYED');
  }
}

function readHeader(proof: string): ProtectedHeaderParameters {
  try {
    return decodeProtectedHeader(proof);
  } catch {
    throw invalidProof('PROOF_MALFORMED');
  }
}

function isSameTarget(htu: unknown, url: string | undefined): boolean {
  if (typeof htu !== 'string' || url === undefined) return false;
  const target = normalizedTarget(url);
  return target !== undefined && normalizedTarget(htu) === target;
}
