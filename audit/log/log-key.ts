import { createPrivateKey, generateKeyPairSync } from 'node:crypto';
import { createShared, readIfThere } from '@behalf/store/internal';
import { LogError } from './errors.js';
import type { NoteKey } from './note.js';

/** A key's name has neither (C2SP signed-note). */
const UNNAMEABLE = /[\s+]/u;
const MAX_ORIGIN_LENGTH = 255;

/** @throws {LogError} `LOG_ORIGIN_INVALID` */
export function checkOrigin(origin: string): string {
  if (origin === '' || origin.length > MAX_ORIGIN_LENGTH || UNNAMEABLE.test(origin)) {
    throw new LogError(
      'LOG_ORIGIN_INVALID',
      'the origin of the log is a name without spaces and +, such as audit.bank.example',
    );
  }
  return origin;
}

/**
 * Reads the key that signs the log from a file (PKCS #8, PEM), or creates both, readable by the owner only.
 *
 * @param mayCreate whether a missing key may be made: nobody trusts it yet. Default: true
 * @throws {LogError} `LOG_ORIGIN_INVALID`, `LOG_KEY_UNUSABLE`
 */
export async function loadLogKey(path: string, origin: string, mayCreate = true): Promise<NoteKey> {
  const name = checkOrigin(origin);
  const pem = await readOrCreate(path, mayCreate).catch((error: unknown) => {
    const { code = 'unknown reason' } = error as NodeJS.ErrnoException;
    throw new LogError('LOG_KEY_UNUSABLE', `${path} cannot be used: ${code}`);
  });
  if (pem === undefined)
    throw new LogError(
      'LOG_KEY_UNUSABLE',
      `${path} is not there, and the log ${origin} was signed with a key`,
    );
  try {
    const privateKey = createPrivateKey(pem);
    if (privateKey.asymmetricKeyType === 'ed25519') return { name, privateKey };
  } catch {
    // The reason could quote the file.
  }
  throw new LogError('LOG_KEY_UNUSABLE', `${path} has no Ed25519 private key in PEM`);
}

async function readOrCreate(path: string, mayCreate: boolean): Promise<string | undefined> {
  return (await readIfThere(path)) ?? (mayCreate ? await create(path) : undefined);
}

async function create(path: string): Promise<string> {
  const { privateKey } = generateKeyPairSync('ed25519');
  return createShared(path, privateKey.export({ format: 'pem', type: 'pkcs8' }).toString());
}
