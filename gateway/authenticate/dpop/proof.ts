import { createHash } from 'node:crypto';
import { decodeProtectedHeader, errors, jwtVerify } from 'jose';
import type { JWTPayload, ProtectedHeaderParameters } from 'jose';
import { ProofReplayStoreError } from '../../proof-replay/index.js';
import type { ProofReplayStore } from '../../proof-replay/index.js';
import { isCompactJws } from '../issuers.js';
import type { DpopNonces } from './nonce.js';
import { ProofKeys } from './proof-key.js';
import { invalidProof, replayStoreUnavailable, useNonce } from './refusals.js';
import { normalizedTarget } from './target.js';

export interface ProofRules {
  /** Accepted values of `alg`, each asymmetric. */
  readonly algorithms: readonly string[];
  /** How old a proof may be. */
  readonly proofLifetimeSeconds: number;
  /** Absent where no nonce is asked for. */
  readonly nonces: DpopNonces | undefined;
  readonly replay: ProofReplayStore;
}

/** The request that a proof must have been made for, and the token that it must belong to. */
export interface ProvenRequest {
  readonly method: string | undefined;
  /** Absolute, as the client knows it. */
  readonly url: string | undefined;
  /** SHA-256 of the access token, base64url. */
  readonly tokenDigest: string;
  /** `jkt` of the token's `cnf`. */
  readonly thumbprint: string;
}

const TYPE = 'dpop+jwt';
/** Room for an RSA key of 4,096 bits and its signature. */
const MAX_PROOF_LENGTH = 8_192;
/** A client's clock may be ahead by so much. */
const CLOCK_TOLERANCE_SECONDS = 5;
/** Clocks of gateways that share a store may differ by so much. */
const CLOCK_MARGIN_SECONDS = 30;

/** DPoP proofs (RFC 9449 section 4.3). Each check refuses by itself; what none refuses is accepted, once. */
export class DpopProofs {
  readonly #keys = new ProofKeys();
  readonly #rules: ProofRules;

  constructor(rules: ProofRules) {
    this.#rules = rules;
  }

  /**
   * The twelve checks of section 4.3, numbered as there. Those that cost least come first, and the claim that the proof was
   * not used before comes last, so that only what is good takes room in the store.
   *
   * @param dpop Every value of the `DPoP` header.
   * @returns The nonce to use from now on, when it is another than the proof's.
   * @throws {RefusedError} 401 `INVALID_DPOP_PROOF` or `USE_DPOP_NONCE`, 503 `REPLAY_STORE_UNAVAILABLE`.
   */
  async verify(dpop: readonly string[], request: ProvenRequest): Promise<string | undefined> {
    const { algorithms } = this.#rules;
    // 1: not more than one header; and none proves nothing.
    const [proof] = dpop;
    if (proof === undefined) throw invalidProof('PROOF_MISSING');
    if (dpop.length > 1) throw invalidProof('PROOF_REPEATED');
    // 2: one well-formed JWT.
    if (proof.length > MAX_PROOF_LENGTH || !isCompactJws(proof)) throw invalidProof('PROOF_MALFORMED');
    const { typ, alg, jwk } = readHeader(proof);
    // 4
    if (typ !== TYPE) throw invalidProof('PROOF_TYPE');
    // 5: an allow-list of asymmetric algorithms, so neither `none` nor a secret is taken.
    if (alg === undefined || !algorithms.includes(alg)) throw invalidProof('PROOF_ALGORITHM');
    // 7, and 12 (the token is bound to this key): a key that is not the token's is not worth a signature check.
    const [encodedHeader = ''] = proof.split('.', 1);
    const key = await this.#keys.read(encodedHeader, { alg, jwk }, request.thumbprint);
    if (typeof key === 'string') throw invalidProof(key);
    // 6: the signature, by the key in the header.
    let payload: JWTPayload;
    try {
      ({ payload } = await jwtVerify(proof, key, { algorithms: [alg], typ: TYPE }));
    } catch (error) {
      throw invalidProof(error instanceof errors.JOSEError ? error.code : 'PROOF_SIGNATURE');
    }
    return this.#verifyClaims(payload, request);
  }

  /** 3: each required claim is there, by what is asked of it. */
  async #verifyClaims(payload: JWTPayload, request: ProvenRequest): Promise<string | undefined> {
    const { htm, htu, iat, ath, jti, nonce }: Readonly<Record<string, unknown>> = payload;
    // 8: methods are case-sensitive (RFC 9110 section 9.1).
    if (request.method === undefined || htm !== request.method) throw invalidProof('PROOF_METHOD');
    // 9
    if (!isSameTarget(htu, request.url)) throw invalidProof('PROOF_TARGET');
    // 12: the proof goes with this token.
    if (ath !== request.tokenDigest) throw invalidProof('PROOF_TOKEN_HASH');
    // 11: of now.
    this.#verifyTime(iat);
    // 10
    const next = this.#verifyNonce(nonce);
    if (typeof jti !== 'string' || jti === '') throw invalidProof('PROOF_ID');
    await this.#claim(jti, request.thumbprint);
    return next;
  }

  #verifyTime(iat: unknown): void {
    if (typeof iat !== 'number') throw invalidProof('PROOF_TIME');
    const { proofLifetimeSeconds, replay } = this.#rules;
    const nowSeconds = Date.now() / 1000;
    if (iat > nowSeconds + CLOCK_TOLERANCE_SECONDS) throw invalidProof('PROOF_IN_FUTURE');
    if (iat + proofLifetimeSeconds < nowSeconds) throw invalidProof('PROOF_OLD');
    // It may have been used before the gateway was started anew.
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

  /** Section 11.1. Of each key, so that nobody uses up the names of another's proofs. */
  async #claim(jti: string, thumbprint: string): Promise<void> {
    const { proofLifetimeSeconds, replay } = this.#rules;
    const digest = createHash('sha256').update(`${thumbprint} ${jti}`).digest('base64url');
    const keepSeconds = proofLifetimeSeconds + CLOCK_TOLERANCE_SECONDS + CLOCK_MARGIN_SECONDS;
    let isFirst: unknown;
    try {
      isFirst = await replay.claim(digest, keepSeconds);
    } catch (error) {
      throw replayStoreUnavailable(
        error instanceof ProofReplayStoreError ? error.reason : 'REPLAY_STORE_UNREACHABLE',
      );
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
