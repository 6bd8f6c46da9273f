import type { DocumentNode } from 'graphql';
import { BYTES_PER_CHARACTER, ByteCache, documentLength } from '../byte-cache.js';

/** SHA-256 in hex. */
const HASH_LENGTH = 64;

/** Apollo Server's interface. Keys are a prefix per schema, and the hash of the text. */
export class DocumentStore {
  readonly #documents: ByteCache<DocumentNode>;
  /** Documents that more than one request used. */
  readonly #shared = new WeakSet<DocumentNode>();
  readonly #keys = new WeakMap<DocumentNode, string>();
  #prefix = '';

  /** @param maxBytes estimated */
  constructor(maxBytes: number) {
    this.#documents = new ByteCache(maxBytes);
  }

  get bytes(): number {
    return this.#documents.bytes;
  }

  get count(): number {
    return this.#documents.count;
  }

  async get(key: string): Promise<DocumentNode | undefined> {
    this.#prefix = key.slice(0, -HASH_LENGTH);
    const document = this.#documents.get(key);
    if (document !== undefined) this.#shared.add(document);
    return document;
  }

  async set(key: string, document: DocumentNode): Promise<void> {
    this.#keys.set(document, key);
    this.#documents.set(key, document, documentLength(document), BYTES_PER_CHARACTER.document);
  }

  async delete(key: string): Promise<boolean> {
    return this.#documents.delete(key);
  }

  /** Whether the text with this hash was parsed, and is valid for the schema of the last look-up. */
  has(hash: string): boolean {
    return this.#documents.get(this.#prefix + hash) !== undefined;
  }

  /** Forgets a document unless others used it as well. */
  forget(document: DocumentNode): void {
    const key = this.#keys.get(document);
    if (key !== undefined && !this.#shared.has(document)) this.#documents.delete(key);
  }
}
