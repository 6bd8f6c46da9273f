import { randomBytes } from 'node:crypto';
import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';

import { createShared, readIfThere } from '@behalf/store/internal';
import { AuthorityError } from '../errors.js';

const FILE = 'authority-encryption.key';

/**
 * Reads the encryption key for the secrets in the store from a file of the data folder (mode 0600), which is created if missing.
 *
 * @returns 32 bytes
 * @throws AuthorityError `KEYS_UNREADABLE`, `DATA_DIR_NOT_WRITABLE`
 */
export async function encryptionKeyFrom(dataDir: string): Promise<Uint8Array> {
  const path = join(dataDir, FILE);
  return (await read(path)) ?? (await create(dataDir, path));
}

async function read(path: string): Promise<Uint8Array | undefined> {
  const text = await readIfThere(path).catch((cause: unknown) => {
    throw new AuthorityError('KEYS_UNREADABLE', `The key file ${path} cannot be read`, { cause });
  });
  return text === undefined ? undefined : keyIn(text, path);
}

function keyIn(text: string, path: string): Uint8Array {
  const key = Buffer.from(text.trim(), 'base64url');
  if (key.length !== 32)
    throw new AuthorityError('KEYS_UNREADABLE', `The key file ${path} does not contain a key of 32 bytes`);
  return key;
}

async function create(dataDir: string, path: string): Promise<Uint8Array> {
  try {
    await mkdir(dataDir, { recursive: true, mode: 0o711 });
    // Another instance may be first.
    const text = await createShared(path, `${randomBytes(32).toString('base64url')}\n`);
    return keyIn(text, path);
  } catch (cause) {
    if (cause instanceof AuthorityError) throw cause;
    throw new AuthorityError('DATA_DIR_NOT_WRITABLE', `The key file ${path} cannot be written`, { cause });
  }
}
