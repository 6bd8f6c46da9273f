import { createHash, createPrivateKey, createPublicKey, generateKeyPairSync, sign } from 'node:crypto';
import type { KeyObject } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { VerificationError } from '@behalf/audit-verify';
import type { Note } from '@behalf/audit-verify';
import { parseVerifierKey, verifySignatures } from '@behalf/audit-verify/internal';
import { reasonOf, WitnessError } from './errors.js';
import { addFile } from './state-files.js';

/** C2SP signed-note, "Signature types": a cosignature with a time. */
const COSIGNATURE = 0x04;
/** DER of an Ed25519 public key has this many bytes before the key itself (RFC 8410, section 4). */
const SPKI_PREFIX_BYTES = 12;
const ID_BYTES = 4;
/** What a note's key name must not have. */
const UNNAMEABLE = /[\s+]/u;
const MAX_NAME_LENGTH = 255;
/** Not the state's suffix: another witness that starts removes what has that, and the key may lie beside the state. */
const UNFINISHED_KEY = '.new';

/** A witness's key, and the name under which it cosigns (C2SP tlog-cosignature). */
export class Cosigner {
  readonly name: string;
  readonly #privateKey: KeyObject;
  readonly #typedKey: Buffer;

  constructor(name: string, privateKey: KeyObject) {
    this.name = name;
    this.#privateKey = privateKey;
    const spki = createPublicKey(privateKey).export({ format: 'der', type: 'spki' });
    this.#typedKey = Buffer.concat([Uint8Array.of(COSIGNATURE), spki.subarray(SPKI_PREFIX_BYTES)]);
  }

  /**
   * Reads the key from a file (PKCS #8, PEM), or creates both, readable by the owner only.
   *
   * @param mayCreate whether it may be made: not if it cosigned something before
   * @throws {WitnessError} `WITNESS_NAME_INVALID` or `WITNESS_KEY_UNUSABLE`
   */
  static async load(name: string, keyFile: string, mayCreate: boolean): Promise<Cosigner> {
    if (name === '' || name.length > MAX_NAME_LENGTH || UNNAMEABLE.test(name)) {
      throw new WitnessError(
        'WITNESS_NAME_INVALID',
        'the name of a witness has no spaces and no +, such as witness.example/w1',
      );
    }
    const pem = await readOrCreate(keyFile, mayCreate).catch((error: unknown) => {
      throw new WitnessError('WITNESS_KEY_UNUSABLE', `${keyFile} cannot be used: ${reasonOf(error)}`);
    });
    if (pem === undefined)
      throw new WitnessError(
        'WITNESS_KEY_UNUSABLE',
        `${keyFile} is not there, and the state has checkpoints that the key of the witness cosigned`,
      );
    return new Cosigner(name, readKey(pem, keyFile));
  }

  /** The key as logs and verifiers trust it (C2SP signed-note, "Verifier keys"). */
  get verifierKey(): string {
    return `${this.name}+${this.#keyId().toString('hex')}+${this.#typedKey.toString('base64')}`;
  }

  /**
   * The signature line for a checkpoint (C2SP tlog-cosignature, "Ed25519 signed message").
   *
   * @param text of the checkpoint, with its last newline and without signatures
   */
  cosign(text: string, timeMs: number): string {
    const seconds = Math.floor(timeMs / 1_000);
    const time = Buffer.alloc(8);
    time.writeBigUInt64BE(BigInt(seconds));
    const message = Buffer.from(`cosignature/v1\ntime ${seconds}\n${text}`);
    const signature = sign(null, message, this.#privateKey);
    return `— ${this.name} ${Buffer.concat([this.#keyId(), time, signature]).toString('base64')}\n`;
  }

  /** Whether this key cosigned a checkpoint, and nobody has changed it since. */
  hasCosigned(note: Note): boolean {
    try {
      return verifySignatures(note, [parseVerifierKey(this.verifierKey)]).length > 0;
    } catch (error) {
      if (error instanceof VerificationError) return false;
      throw error;
    }
  }

  #keyId(): Buffer {
    return createHash('sha256')
      .update(`${this.name}\n`)
      .update(this.#typedKey)
      .digest()
      .subarray(0, ID_BYTES);
  }
}

function readKey(pem: string, keyFile: string): KeyObject {
  try {
    const key = createPrivateKey(pem);
    if (key.asymmetricKeyType === 'ed25519') return key;
  } catch {
    // The reason could quote the file.
  }
  throw new WitnessError('WITNESS_KEY_UNUSABLE', `${keyFile} has no Ed25519 private key in PEM`);
}

async function readOrCreate(path: string, mayCreate: boolean): Promise<string | undefined> {
  return (await readIfThere(path)) ?? (mayCreate ? await createKey(path) : undefined);
}

async function readIfThere(path: string): Promise<string | undefined> {
  try {
    return await readFile(path, 'utf8');
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return undefined;
    throw error;
  }
}

async function createKey(path: string): Promise<string | undefined> {
  const { privateKey } = generateKeyPairSync('ed25519');
  const pem = privateKey.export({ format: 'pem', type: 'pkcs8' }).toString();
  // Another process may be first: both have its key.
  return (await addFile(path, pem, { mode: 0o600, suffix: UNFINISHED_KEY })) ? pem : readIfThere(path);
}
