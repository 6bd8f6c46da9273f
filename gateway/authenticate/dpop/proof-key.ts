import { isRecord } from '@behalf/directives/internal';
import { calculateJwkThumbprint, importJWK } from 'jose';
import type { CryptoKey, JWK } from 'jose';
import { LRUCache } from 'lru-cache';

/** RFC 7638 section 3.2, RFC 8037 section 2: what a public key of a kind is made of, and its thumbprint of. */
const REQUIRED_MEMBERS: ReadonlyMap<unknown, readonly string[]> = new Map([
  ['EC', ['kty', 'crv', 'x', 'y']],
  ['OKP', ['kty', 'crv', 'x']],
  ['RSA', ['kty', 'n', 'e']],
]);
/** RFC 7518 sections 6.2.2, 6.3.2 and 6.4.1, RFC 8037 section 2. */
const PRIVATE_MEMBERS = ['d', 'p', 'q', 'dp', 'dq', 'qi', 'oth', 'k'];
const KEPT_KEYS = 10_000;
const KEPT_CHARACTERS = 8 * 1024 * 1024;

/** Why a proof's key is none (RFC 9449 section 4.3, checks 7 and 12). */
export type ProofKeyRefusal =
  'KEY_MISSING' | 'KEY_NOT_ASYMMETRIC' | 'KEY_PRIVATE' | 'KEY_UNREADABLE' | 'KEY_MISMATCH';

/** Reads the public key of a proof. Those that tokens are bound to are kept, ready for use. */
export class ProofKeys {
  /** By thumbprint and header as it was sent: a client's proofs begin alike, and one text has one meaning. */
  readonly #keys = new LRUCache<string, CryptoKey>({
    max: KEPT_KEYS,
    maxSize: KEPT_CHARACTERS,
    sizeCalculation: (_key, name) => name.length,
  });

  /**
   * @param encodedHeader The proof's header as it was sent.
   * @param header The same, decoded, with an algorithm that is accepted.
   * @param thumbprint The key's, as the token names it. Any other key is refused before it is put to use.
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
  // What else the client wrote beside the key does not decide how it is used.
  const publicJwk = Object.fromEntries(members.map((member) => [member, jwk[member]])) as JWK;
  try {
    if ((await calculateJwkThumbprint(publicJwk, 'sha256')) !== thumbprint) return 'KEY_MISMATCH';
    const key = await importJWK(publicJwk, algorithm);
    return key instanceof Uint8Array || key.type !== 'public' ? 'KEY_NOT_ASYMMETRIC' : key;
  } catch {
    // What is missing of it, or is no point of its curve: the runtime has many words for it.
    return 'KEY_UNREADABLE';
  }
}
