import { createHash } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { parseCheckpoint } from '@behalf/audit-verify/internal';
import type { Checkpoint } from '@behalf/audit-verify';
import type { Cosigner } from './cosigner.js';
import { reasonOf, WitnessError } from './errors.js';
import { addStateFile, listStateFiles, prepareFolder, stateFileName } from './state-files.js';
import type { StateFile } from './state-files.js';

/** The checkpoint of a log that was cosigned last. */
export interface Remembered {
  readonly checkpoint: Checkpoint;
  /** With the log's signature and the cosignature. */
  readonly text: string;
  readonly file: StateFile;
}

/** A version that disappears while it is read was replaced; more often than this, something else is wrong. */
const MAX_READS = 100;

/**
 * The last checkpoint that was cosigned of each log: one file for each. It is on disk before a cosignature leaves the process, so
 * that a witness that crashes never cosigns a smaller log afterwards. It is read from there each time, because another process
 * may have the same folder while one replaces the other.
 */
export class WitnessMemory {
  readonly #folder: string;
  readonly #cosigner: Pick<Cosigner, 'hasCosigned'>;

  private constructor(folder: string, cosigner: Pick<Cosigner, 'hasCosigned'>) {
    this.#folder = folder;
    this.#cosigner = cosigner;
  }

  /** Whether nothing was cosigned yet. @throws {WitnessError} `WITNESS_STATE_UNUSABLE` */
  static async isEmpty(folder: string): Promise<boolean> {
    await prepareFolder(folder).catch((error: unknown) => {
      throw unusable(folder, reasonOf(error));
    });
    const { files, others } = await list(folder);
    return files.length === 0 && others.length === 0;
  }

  /** Reads and verifies everything once. @throws {WitnessError} `WITNESS_STATE_UNUSABLE` */
  static async open(folder: string, cosigner: Pick<Cosigner, 'hasCosigned'>): Promise<WitnessMemory> {
    const memory = new WitnessMemory(folder, cosigner);
    const { files, others } = await list(folder);
    const [other] = others;
    if (other !== undefined) throw notCosigned(join(folder, other));
    for (const hash of new Set(files.map((file) => file.hash))) await memory.byOriginHash(hash);
    return memory;
  }

  /** @returns undefined if none was cosigned. @throws {WitnessError} `WITNESS_STATE_UNUSABLE` */
  last(origin: string): Promise<Remembered | undefined> {
    return this.byOriginHash(originHash(origin));
  }

  /** By the hash under which C2SP tlog-witness serves it ("Monitor Retrieval Mechanism"). */
  async byOriginHash(hash: string): Promise<Remembered | undefined> {
    for (let reads = 0; reads < MAX_READS; reads++) {
      const { files } = await list(this.#folder);
      const file = files.filter((each) => each.hash === hash).at(-1);
      if (file === undefined) return undefined;
      const remembered = await this.#read(file);
      if (remembered !== undefined) return remembered;
    }
    throw unusable(this.#folder, 'its files disappear while they are read');
  }

  /** @returns undefined for one that was replaced meanwhile */
  async #read(file: StateFile): Promise<Remembered | undefined> {
    const path = join(this.#folder, stateFileName(file));
    let text: string;
    try {
      text = await readFile(path, 'utf8');
    } catch (error) {
      if (reasonOf(error) === 'ENOENT') return undefined;
      throw unusable(path, reasonOf(error));
    }
    const checkpoint = readStored(text, path);
    if (originHash(checkpoint.origin) !== file.hash || !this.#cosigner.hasCosigned(checkpoint.note))
      throw notCosigned(path);
    return { checkpoint, text, file };
  }

  /**
   * Durable when it resolves.
   *
   * @param last what the decision to cosign was based on
   * @param text the checkpoint with its signature and the cosignature
   * @returns false if another process has cosigned something since: nothing was remembered, and nothing may be cosigned
   */
  remember(last: Remembered | undefined, { origin }: Checkpoint, text: string): Promise<boolean> {
    return addStateFile(this.#folder, originHash(origin), last?.file, text);
  }
}

function list(folder: string): ReturnType<typeof listStateFiles> {
  return listStateFiles(folder).catch((error: unknown) => {
    throw unusable(folder, reasonOf(error));
  });
}

function originHash(origin: string): string {
  return createHash('sha256').update(origin).digest('hex');
}

function readStored(text: string, path: string): Checkpoint {
  try {
    return parseCheckpoint(text);
  } catch {
    throw notCosigned(path);
  }
}

function notCosigned(path: string): WitnessError {
  return unusable(
    path,
    'it is not the checkpoint that this key cosigned last. Without it, the witness could cosign a log that was cut off',
  );
}

function unusable(path: string, reason: string): WitnessError {
  return new WitnessError('WITNESS_STATE_UNUSABLE', `${path}: ${reason}`);
}
