import { createHash, createPublicKey, generateKeyPairSync, sign } from 'node:crypto';
import type { KeyObject } from 'node:crypto';
import type { LogSource, TilePlace } from '@behalf/audit-verify';
import { entryBytes } from '../../audit/log/entry.js';
import { hashLeaf } from '../../audit/log/hashing.js';
import { checkpointText, signNote, verifierKey } from '../../audit/log/note.js';
import type { NoteKey } from '../../audit/log/note.js';
import { ProofMaker } from '../../audit/log/proofs.js';
import { TileTree } from '../../audit/log/tile-tree.js';

export const ORIGIN = 'audit.bank.example';

export function makeKey(name = ORIGIN): NoteKey {
  return { name, privateKey: generateKeyPairSync('ed25519').privateKey };
}

const rawPublicKey = (privateKey: KeyObject): Buffer =>
  createPublicKey(privateKey).export({ format: 'der', type: 'spki' }).subarray(12);

/** A verifier key of any type, whether it exists or not. */
export function verifierKeyOf(name: string, type: number, publicKey: Buffer): string {
  const typed = Buffer.concat([Uint8Array.of(type), publicKey]);
  const id = createHash('sha256').update(`${name}\n`).update(typed).digest('hex').slice(0, 8);
  return `${name}+${id}+${typed.toString('base64')}`;
}

/** A witness as C2SP tlog-cosignature describes it, written from the specification. */
export class TestWitness {
  readonly #key = makeKey('witness.example/w1').privateKey;

  constructor(readonly name = 'witness.example/w1') {}

  get verifierKey(): string {
    return verifierKeyOf(this.name, 4, rawPublicKey(this.#key));
  }

  cosign(checkpoint: string, seconds = 1_700_000_000): string {
    const text = checkpoint.slice(0, checkpoint.lastIndexOf('\n\n') + 1);
    const time = Buffer.alloc(8);
    time.writeBigUInt64BE(BigInt(seconds));
    const signature = sign(null, Buffer.from(`cosignature/v1\ntime ${seconds}\n${text}`), this.#key);
    const id = Buffer.from(this.verifierKey.split('+')[1] ?? '', 'hex');
    return `${checkpoint}— ${this.name} ${Buffer.concat([id, time, signature]).toString('base64')}\n`;
  }
}

/** What a log holds of one record. Tests change it as somebody with all rights to the database could. */
export interface Held {
  entry: Buffer;
  content: string | null;
}

/** A log in memory, written with the code that writes the real one. */
export class MemoryLog implements LogSource {
  held: Held[] = [];
  /** Tiles by `level/index`, whole or not. */
  readonly tiles = new Map<string, Buffer>();
  keys: NoteKey[];
  signed = '';

  constructor(readonly key = makeKey()) {
    this.keys = [key];
    this.sign();
  }

  get policy(): string {
    return `log ${verifierKey(this.key)}\nquorum none\n`;
  }

  append(...contents: string[]): this {
    for (const content of contents) {
      const contentHash = createHash('sha256').update(content).digest();
      const recordedAtMs = 1_790_000_000_000 + this.held.length;
      this.held.push({ entry: entryBytes({ recordClass: 'access', recordedAtMs, contentHash }), content });
    }
    return this.sign();
  }

  /** Writes all tiles and the checkpoint again, from the entries as they are. */
  sign(): this {
    const tree = new TileTree();
    this.tiles.clear();
    for (const { level, index, hashes } of tree.append(this.held.map(({ entry }) => hashLeaf(entry))))
      this.tiles.set(`${level}/${index}`, Buffer.concat(hashes));
    this.signed = signNote(checkpointText(this.key.name, this.held.length, tree.root()), this.keys);
    return this;
  }

  async proof(index: number): Promise<string> {
    const maker = new ProofMaker(async (level, at) => this.tiles.get(`${level}/${at}`));
    const { entry, content } = this.held[index] ?? { entry: Buffer.of(), content: '' };
    const extra = Buffer.concat([entry, Buffer.from(content ?? '')]).toString('base64');
    const hashes = await maker.inclusion(index, this.held.length);
    const lines = hashes.map((hash) => `${hash.toString('base64')}\n`).join('');
    return `c2sp.org/tlog-proof@v1\nextra ${extra}\nindex ${index}\n${lines}\n${this.signed}`;
  }

  async checkpoint(): Promise<string | undefined> {
    return this.signed === '' ? undefined : this.signed;
  }

  async tile(level: number, { index }: TilePlace): Promise<Buffer | undefined> {
    return this.tiles.get(`${level}/${index}`);
  }

  async entries({ index, width }: TilePlace): Promise<Buffer | undefined> {
    return Buffer.concat(
      this.held.slice(index * 256, index * 256 + width).map(({ entry }) => {
        const length = Buffer.alloc(2);
        length.writeUInt16BE(entry.length);
        return Buffer.concat([length, entry]);
      }),
    );
  }

  async records({ index, width }: TilePlace): Promise<readonly (string | null)[] | undefined> {
    return this.held.slice(index * 256, index * 256 + width).map(({ content }) => content);
  }
}

/** Texts of records that differ. */
export function contents(count: number, from = 0): string[] {
  return Array.from({ length: count }, (_, at) => JSON.stringify({ outcome: 'answered', number: from + at }));
}
