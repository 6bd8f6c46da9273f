import { createCipheriv, createDecipheriv, randomBytes } from 'node:crypto';

import { sql } from 'kysely';

import { AuthorityError } from '../errors.js';
import type { AuthorityDatabase } from '../schema.js';

const NONCE_BYTES = 12;
const TAG_BYTES = 16;

export interface Sealed {
  readonly nonce: Buffer;
  readonly ciphertext: Buffer;
}

/** Secrets in the store, encrypted with AES-256-GCM and bound to their names. */
export class SealedSecrets {
  readonly #db: AuthorityDatabase;
  readonly #key: Uint8Array;

  /** @param encryptionKey 32 bytes, kept outside of the store */
  constructor(db: AuthorityDatabase, encryptionKey: Uint8Array) {
    if (encryptionKey.length !== 32)
      throw new AuthorityError('OPTION_INVALID', 'The encryption key must have 32 bytes');
    this.#db = db;
    this.#key = encryptionKey;
  }

  /**
   * The secret with that name, created if missing. All instances on one store get the same one.
   *
   * @throws AuthorityError `KEYS_UNREADABLE` if it was written with another key
   */
  async getOrCreate(name: string, create: () => Promise<string> | string): Promise<string> {
    const found = await this.#read(name);
    if (found !== undefined) return found;
    const made = await create();
    const { nonce, ciphertext } = this.seal(name, made);
    await sql`insert into authority.sealed_secret (name, nonce, ciphertext)
      values (${name}, ${nonce}, ${ciphertext}) on conflict do nothing`.execute(this.#db);
    // Another instance may have created it first.
    return (await this.#read(name)) ?? made;
  }

  /** Encrypts a value for another table, bound to a unique name. */
  seal(name: string, text: string): Sealed {
    const nonce = randomBytes(NONCE_BYTES);
    const cipher = createCipheriv('aes-256-gcm', this.#key, nonce).setAAD(Buffer.from(name));
    const ciphertext = Buffer.concat([cipher.update(text, 'utf8'), cipher.final(), cipher.getAuthTag()]);
    return { nonce, ciphertext };
  }

  /** @throws AuthorityError `KEYS_UNREADABLE` if it was written with another key, or under another name */
  open(name: string, { nonce, ciphertext }: Sealed): string {
    try {
      const decipher = createDecipheriv('aes-256-gcm', this.#key, nonce, { authTagLength: TAG_BYTES })
        .setAAD(Buffer.from(name))
        .setAuthTag(ciphertext.subarray(-TAG_BYTES));
      const text = Buffer.concat([decipher.update(ciphertext.subarray(0, -TAG_BYTES)), decipher.final()]);
      return text.toString('utf8');
    } catch (cause) {
      throw new AuthorityError(
        'KEYS_UNREADABLE',
        `The store's "${name}" was encrypted with another key than the authority's; bring back the key file that belongs to it`,
        { cause },
      );
    }
  }

  async #read(name: string): Promise<string | undefined> {
    const row = await this.#db
      .selectFrom('authority.sealed_secret')
      .select(['nonce', 'ciphertext'])
      .where('name', '=', name)
      .executeTakeFirst();
    return row === undefined ? undefined : this.open(name, row);
  }
}
