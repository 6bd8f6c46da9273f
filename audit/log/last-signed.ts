import { randomUUID } from 'node:crypto';
import { open, readFile, rename, rm } from 'node:fs/promises';
import { dirname } from 'node:path';
import { LogError } from './errors.js';
import type { Head } from './integrate.js';

/**
 * The last head that this machine signed, in a file beside the key. The database's own list of checkpoints is restored together
 * with the rest of a backup; this file is not.
 */
export class LastSigned {
  readonly #path: string;

  private constructor(path: string) {
    this.#path = path;
  }

  /** @throws {LogError} `LOG_KEY_UNUSABLE` for a file that is not one of these */
  static async open(path: string): Promise<LastSigned> {
    await readStored(path);
    return new LastSigned(path);
  }

  /**
   * Reads the file each time: another sequencer on this machine may have signed since.
   *
   * @throws {LogError} `LOG_ROLLED_BACK`, `LOG_KEY_UNUSABLE`
   */
  async refuseOlder(head: Head): Promise<void> {
    refuseOlderThan(await readStored(this.#path), head);
  }

  /**
   * Durable when it resolves. Call it before the signature leaves the process.
   *
   * @throws {LogError} `LOG_STATE_UNWRITABLE`, and as {@link refuseOlder}
   */
  async remember(head: Head): Promise<void> {
    const { origin, size, root } = head;
    const stored = await readStored(this.#path);
    // Also if another sequencer, which got the lease when this one's ran out, has signed more meanwhile: its log may be another one.
    refuseOlderThan(stored, head);
    if (stored?.origin === origin && stored.size === size) return;
    const last: Stored = { origin, size, root: root.toString('base64') };
    try {
      await replaceDurably(this.#path, `${JSON.stringify(last)}\n`);
    } catch (error) {
      const { code = 'unknown reason' } = error as NodeJS.ErrnoException;
      throw new LogError('LOG_STATE_UNWRITABLE', `${this.#path} cannot be written: ${code}`, {
        cause: error,
      });
    }
  }
}

/** @throws {LogError} `LOG_ROLLED_BACK` */
function refuseOlderThan(last: Stored | undefined, { origin, size, root }: Head): void {
  if (last === undefined || last.origin !== origin) return;
  if (size > last.size) return;
  if (size === last.size && root.toString('base64') === last.root) return;
  throw new LogError(
    'LOG_ROLLED_BACK',
    `a log of ${last.size} entries was signed here before; this one has ${size}, or others`,
  );
}

async function replaceDurably(path: string, text: string): Promise<void> {
  // A name of its own: another sequencer may write at the same time.
  const beside = `${path}.${randomUUID()}.new`;
  const file = await open(beside, 'wx', 0o600);
  try {
    await file.writeFile(text);
    await file.sync();
    await file.close();
    await rename(beside, path);
  } catch (error) {
    await file.close().catch(() => undefined);
    await rm(beside, { force: true }).catch(() => undefined);
    throw error;
  }
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
    const { code = 'unknown reason' } = error as NodeJS.ErrnoException;
    if (code === 'ENOENT') return undefined;
    throw new LogError('LOG_KEY_UNUSABLE', `${path} cannot be read: ${code}`);
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
