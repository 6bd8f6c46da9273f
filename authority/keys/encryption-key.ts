import { randomBytes } from 'node:crypto';
import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';

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
  let text: string;
  try {
    text = await readFile(path, 'utf8');
  } catch (cause) {
    if (cause instanceof Error && 'code' in cause && cause.code === 'ENOENT') return undefined;
    throw new AuthorityError('KEYS_UNREADABLE', `The key file ${path} cannot be read`, { cause });
  }
  const key = Buffer.from(text.trim(), 'base64url');
  if (key.length !== 32)
    throw new AuthorityError('KEYS_UNREADABLE', `The key file ${path} does not contain a key of 32 bytes`);
  return key;
}

async function create(dataDir: string, path: string): Promise<Uint8Array> {
  const key = randomBytes(32);
  try {
    await mkdir(dataDir, { recursive: true, mode: 0o711 });
    await writeFile(path, `${key.toString('base64url')}\n`, { mode: 0o600, flag: 'wx' });
    return key;
  } catch (cause) {
    // Another instance may have been first.
    const other =
      cause instanceof Error && 'code' in cause && cause.code === 'EEXIST' ? await read(path) : undefined;
    if (other !== undefined) return other;
    throw new AuthorityError('DATA_DIR_NOT_WRITABLE', `The key file ${path} cannot be written`, { cause });
  }
}
