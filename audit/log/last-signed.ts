import { open, readFile, rename } from 'node:fs/promises';
import { dirname } from 'node:path';
import { LogError } from './errors.js';
import type { Head } from './integrate.js';

/**
 * The last head that this machine signed, in a file beside the key. The database's own list of checkpoints is restored together
 * with the rest of a backup; this file is not.
 */
export class LastSigned {
  readonly #path: string;
  #last: Stored | undefined;

  private constructor(path: string, last: Stored | undefined) {
    this.#path = path;
    this.#last = last;
  }

  /** @throws {LogError} `LOG_KEY_UNUSABLE` for a file that is not one of these */
  static async open(path: string): Promise<LastSigned> {
    return new LastSigned(path, await readStored(path));
  }

  /** @throws {LogError} `LOG_ROLLED_BACK` */
  refuseOlder({ origin, size, root }: Head): void {
    const last = this.#last;
    if (last === undefined || last.origin !== origin) return;
    if (size > last.size) return;
    if (size === last.size && root.toString('base64') === last.root) return;
    throw new LogError(
      'LOG_ROLLED_BACK',
      `a log of ${last.size} entries was signed here before; this one has ${size}, or others`,
    );
  }

  /**
   * Durable when it resolves. Call it before the signature leaves the process.
   *
   * @throws {LogError} `LOG_STATE_UNWRITABLE`, `LOG_KEY_UNUSABLE`
   */
  async remember({ origin, size, root }: Head): Promise<void> {
    const last = { origin, size, root: root.toString('base64') };
    if (this.#last?.origin === origin && this.#last.size === size) return;
    try {
      const stored = await readStored(this.#path);
      if (stored?.origin === origin && stored.size > size) return;
      await replaceDurably(this.#path, `${JSON.stringify(last)}\n`);
    } catch (error) {
      if (error instanceof LogError) throw error;
      const { code = 'unknown reason' } = error as NodeJS.ErrnoException;
      throw new LogError('LOG_STATE_UNWRITABLE', `${this.#path} cannot be written: ${code}`, {
        cause: error,
      });
    }
    this.#last = last;
  }
}

async function replaceDurably(path: string, text: string): Promise<void> {
  // Two sequencers may share a key: the lease of one can run out while it works.
  const beside = `${path}.${process.pid}.new`;
  const file = await open(beside, 'w', 0o600);
  try {
    await file.writeFile(text);
    await file.sync();
  } finally {
    await file.close();
  }
  await rename(beside, path);
  // A renamed file is found after a crash only when its folder is on disk too.
  const folder = await open(dirname(path), 'r');
  try {
    await folder.sync();
  } finally {
    await folder.close();
  }
}

interface Stored {
  readonly origin: string;
  readonly size: number;
  readonly root: string;
}

async function readStored(path: string): Promise<Stored | undefined> {
  let text: string;
  try {
    text = await readFile(path, 'utf8');
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return undefined;
    throw error;
  }
  const stored = parse(text);
  if (
    typeof stored?.origin === 'string' &&
    Number.isSafeInteger(stored.size) &&
    typeof stored.root === 'string'
  ) {
    return stored as Stored;
  }
  throw new LogError('LOG_KEY_UNUSABLE', `${path} does not say which head of the log was signed last`);
}

function parse(text: string): Partial<Stored> | null | undefined {
  try {
    return JSON.parse(text) as Partial<Stored> | null;
  } catch {
    return undefined;
  }
}
