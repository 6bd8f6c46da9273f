import { createHash } from 'node:crypto';
import { mkdir, open, readdir, readFile, rename } from 'node:fs/promises';
import { join } from 'node:path';
import { parseCheckpoint } from '@behalf/audit-verify/internal';
import type { Checkpoint } from '@behalf/audit-verify';
import { WitnessError } from './errors.js';

const SUFFIX = '.checkpoint';

/**
 * The last checkpoint that was cosigned of each log: one file for each. It is on disk before a cosignature leaves the process, so
 * that a witness that crashes never cosigns a smaller log afterwards.
 */
export class WitnessMemory {
  readonly #folder: string;
  /** By the hash of the log's name. */
  readonly #last = new Map<string, Checkpoint & { readonly text: string }>();

  private constructor(folder: string) {
    this.#folder = folder;
  }

  /** @throws {WitnessError} `WITNESS_STATE_UNUSABLE`; the file system's error */
  static async open(folder: string): Promise<WitnessMemory> {
    await mkdir(folder, { recursive: true });
    const memory = new WitnessMemory(folder);
    for (const name of await readdir(folder)) {
      if (!name.endsWith(SUFFIX)) continue;
      const text = await readFile(join(folder, name), 'utf8');
      const checkpoint = readStored(text, join(folder, name));
      if (fileName(checkpoint.origin) !== name) throw unusable(join(folder, name));
      memory.#last.set(originHash(checkpoint.origin), { ...checkpoint, text });
    }
    return memory;
  }

  /** @returns undefined if none was cosigned */
  last(origin: string): (Checkpoint & { readonly text: string }) | undefined {
    return this.#last.get(originHash(origin));
  }

  /** By the hash under which C2SP tlog-witness serves it ("Monitor Retrieval Mechanism"). */
  byOriginHash(hash: string): string | undefined {
    return this.#last.get(hash)?.text;
  }

  /** Durable when it resolves. @param text the checkpoint with its signature and the cosignature */
  async remember(checkpoint: Checkpoint, text: string): Promise<void> {
    const path = join(this.#folder, fileName(checkpoint.origin));
    const file = await open(`${path}.new`, 'w', 0o644);
    try {
      await file.writeFile(text);
      await file.sync();
    } finally {
      await file.close();
    }
    await rename(`${path}.new`, path);
    await syncFolder(this.#folder);
    this.#last.set(originHash(checkpoint.origin), { ...checkpoint, text });
  }
}

/** A renamed file is found after a crash only when its folder is on disk too. */
async function syncFolder(folder: string): Promise<void> {
  const handle = await open(folder, 'r');
  try {
    await handle.sync();
  } finally {
    await handle.close();
  }
}

function originHash(origin: string): string {
  return createHash('sha256').update(origin).digest('hex');
}

function fileName(origin: string): string {
  return `${originHash(origin)}${SUFFIX}`;
}

function readStored(text: string, path: string): Checkpoint {
  try {
    return parseCheckpoint(text);
  } catch {
    throw unusable(path);
  }
}

function unusable(path: string): WitnessError {
  return new WitnessError(
    'WITNESS_STATE_UNUSABLE',
    `${path} is not the checkpoint that was cosigned last. Without it, the witness could cosign a log that was cut off`,
  );
}
