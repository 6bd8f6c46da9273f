import { createHash, createPublicKey } from 'node:crypto';
import type { KeyObject } from 'node:crypto';
import { VerificationError } from './errors.js';
import { parseBase64 } from './text.js';

/** The text that a key signs: a note as it is (0x01), or a checkpoint with a time (0x04). */
export type SignatureType = 'ed25519' | 'cosignature';

/** A verifier key (C2SP signed-note, "Verifier keys"). */
export interface VerifierKey {
  readonly name: string;
  /** The first 4 bytes of a hash, as 8 hex digits. With the name, it says which key made a signature. */
  readonly id: string;
  readonly type: SignatureType;
  readonly key: KeyObject;
  /** As it was written. */
  readonly text: string;
}

const TYPES: ReadonlyMap<number | undefined, SignatureType> = new Map([
  [0x01, 'ed25519'],
  [0x04, 'cosignature'],
]);
const ED25519_BYTES = 32;
/** DER of an Ed25519 public key up to its 32 bytes (RFC 8410, section 4). */
const SPKI_PREFIX = Buffer.from('302a300506032b6570032100', 'hex');

/**
 * Reads a verifier key: `NAME+ID+KEY`.
 *
 * @throws {VerificationError} `MALFORMED`, also for a type of signature that is not supported (ML-DSA-44 is not yet)
 */
export function parseVerifierKey(text: string): VerifierKey {
  const [, name = '', id = '', encoded = ''] =
    /^([^+\s]+)\+([0-9a-f]{8})\+([A-Za-z0-9+/=]+)$/u.exec(text) ?? [];
  if (name === '') {
    throw new VerificationError('MALFORMED', 'a verifier key has the form NAME+ID+KEY');
  }
  const bytes = parseBase64(encoded, `the verifier key of ${name}`);
  const type = TYPES.get(bytes[0]);
  if (type === undefined) {
    throw new VerificationError(
      'MALFORMED',
      `the verifier key of ${name} has signature type ${bytes[0] ?? 0}; supported are 1 (Ed25519) and 4 (Ed25519 cosignature)`,
    );
  }
  const publicKey = bytes.subarray(1);
  if (publicKey.length !== ED25519_BYTES) {
    throw new VerificationError(
      'MALFORMED',
      `the verifier key of ${name} does not have ${ED25519_BYTES} bytes`,
    );
  }
  if (keyId(name, bytes) !== id) {
    throw new VerificationError(
      'MALFORMED',
      `the verifier key of ${name} does not match its identifier ${id}`,
    );
  }
  const key = createPublicKey({
    key: Buffer.concat([SPKI_PREFIX, publicKey]),
    format: 'der',
    type: 'spki',
  });
  return { name, id, type, key, text };
}

function keyId(name: string, typeAndKey: Uint8Array): string {
  return createHash('sha256').update(`${name}\n`).update(typeAndKey).digest('hex').slice(0, 8);
}
