import { createHash, createPublicKey, sign } from 'node:crypto';
import type { KeyObject } from 'node:crypto';

/** C2SP signed-note, "Signature types": Ed25519 over the text. */
const ED25519 = 0x01;
/** DER of an Ed25519 public key has this many bytes before the key itself (RFC 8410, section 4). */
const SPKI_PREFIX_BYTES = 12;
const ID_BYTES = 4;

/** A key that signs checkpoints under the name of the log. */
export interface NoteKey {
  /** Without spaces and `+`; the log's origin. */
  readonly name: string;
  /** Ed25519. */
  readonly privateKey: KeyObject;
}

/** The key as others trust it (C2SP signed-note, "Verifier keys"). */
export function verifierKey(key: NoteKey): string {
  const typed = typedPublicKey(key);
  return `${key.name}+${keyId(key.name, typed).toString('hex')}+${typed.toString('base64')}`;
}

/** The signature line of a text, which ends with a newline (C2SP signed-note). The same text always has the same one. */
export function signatureLine(text: string, key: NoteKey): string {
  const signature = sign(null, Buffer.from(text), key.privateKey);
  const bytes = Buffer.concat([keyId(key.name, typedPublicKey(key)), signature]);
  return `— ${key.name} ${bytes.toString('base64')}\n`;
}

/** A text and the signatures of these keys. */
export function signNote(text: string, keys: readonly NoteKey[]): string {
  return `${text}\n${keys.map((key) => signatureLine(text, key)).join('')}`;
}

/** The text of a checkpoint (C2SP tlog-checkpoint). */
export function checkpointText(origin: string, size: number, root: Uint8Array): string {
  return `${origin}\n${size}\n${Buffer.from(root).toString('base64')}\n`;
}

function typedPublicKey({ privateKey }: NoteKey): Buffer {
  const spki = createPublicKey(privateKey).export({ format: 'der', type: 'spki' });
  return Buffer.concat([Uint8Array.of(ED25519), spki.subarray(SPKI_PREFIX_BYTES)]);
}

function keyId(name: string, typedKey: Uint8Array): Buffer {
  return createHash('sha256').update(`${name}\n`).update(typedKey).digest().subarray(0, ID_BYTES);
}
