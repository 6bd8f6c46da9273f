import { isRecord } from '@behalf/directives/internal';
import { calculateJwkThumbprint, importJWK } from 'jose';
import type { CryptoKey, JWK } from 'jose';
import { LRUCache } from 'lru-cache';

/** The members of a public key of each kind, and of its thumbprint (RFC 7638 section 3.2, RFC 8037 section 2). */
const REQUIRED_MEMBERS: ReadonlyMap<unknown, readonly string[]> = new Map([
  ['EC', ['kty', 'crv', 'x', 'y']],
  ['OKP', ['kty', 'crv', 'x']],
  ['RSA', ['kty', 'n', 'e']],
]);
/** RFC 7518 sections 6.2.2, 6.3.2 and 6.4.1, RFC 8037 section 2. */
const PRIVATE_MEMBERS = ['d', 'p', 'q', 'dp', 'dq', 'qi', 'oth', 'k'];
const KEPT_KEYS = 10_000;
const KEPT_CHARACTERS = 8 * 1024 * 1024;

/** Why a proof's key is refused (RFC 9449 section 4.3, checks 7 and 12). */
export type ProofKeyRefusal =
  'KEY_MISSING' | 'KEY_NOT_ASYMMETRIC' | 'KEY_PRIVATE' | 'KEY_UNREADABLE' | 'KEY_MISMATCH';

/** Reads the public key of a proof. Keys that tokens are bound to are cached, ready for use. */
export class ProofKeys {
  /** By thumbprint and encoded header: a client's proofs share their header, and one text has one meaning. */
  readonly #keys = new LRUCache<string, CryptoKey>({
    max: KEPT_KEYS,
    maxSize: KEPT_CHARACTERS,
    sizeCalculation: (_key, name) => name.length,
  });

  /**
   * @param encodedHeader the proof's header as it was sent
   * @param header the same, decoded, with an accepted algorithm
   * @param thumbprint of the token's key; any other key is refused before it is used
   */
  async read(
    encodedHeader: string,
    header: { readonly alg: string; readonly jwk?: unknown },
    thumbprint: string,
  ): Promise<CryptoKey | ProofKeyRefusal> {
    const name = `${thumbprint} ${encodedHeader}`;
    const kept = this.#keys.get(name);
    if (kept !== undefined) return kept;
    const key = await readKey(header.jwk, header.alg, thumbprint);
    if (typeof key !== 'string') this.#keys.set(name, key);
    return key;
  }
}

async function readKey(
  jwk: unknown,
  algorithm: string,
  thumbprint: string,
): Promise<CryptoKey | ProofKeyRefusal> {
  if (!isRecord(jwk)) return 'KEY_MISSING';
  const members = REQUIRED_MEMBERS.get(jwk.kty);
  if (members === undefined) return 'KEY_NOT_ASYMMETRIC';
  if (PRIVATE_MEMBERS.some((member) => Object.hasOwn(jwk, member))) return 'KEY_PRIVATE';
  // Other members that the client wrote beside the key do not affect its use.
  const publicJwk = Object.fromEntries(members.map((member) => [member, jwk[member]])) as JWK;
  try {
    if ((await calculateJwkThumbprint(publicJwk, 'sha256')) !== thumbprint) return 'KEY_MISMATCH';
    const key = await importJWK(publicJwk, algorithm);
    return key instanceof Uint8Array || key.type !== 'public' ? 'KEY_NOT_ASYMMETRIC' : key;
  } catch {
    // Members are missing, or are not a point on the curve; the runtime reports this in many ways.
    return 'KEY_UNREADABLE';
  }
}
