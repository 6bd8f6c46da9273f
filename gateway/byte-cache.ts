import type { DocumentNode } from 'graphql';
import { print } from 'graphql';
import { LRUCache } from 'lru-cache';

/**
 * Maximum bytes per character of a document. `npm run bench -- limits` measures documents with the shortest names, the most
 * expensive ones, and prints the results beside these.
 */
export const BYTES_PER_CHARACTER = Object.freeze({
  /** Its nodes and tokens, as parsed. */
  document: 200,
  /** The authorizer's analysis of an operation, without the document. */
  analysis: 40,
  /** One decision on it: the filtered document, and what was removed. */
  decision: 40,
  /** A plan, per character of its JSON. */
  plan: 10,
  /** A schema, per character of its text. */
  schema: 20,
});

/** Fixed bytes of any entry. */
const ENTRY_BYTES = 1_000;

/** Evicts the least recently used entries when the estimated bytes of all exceed `maxBytes`. */
export class ByteCache<Value extends object> {
  readonly #entries: LRUCache<string, Value>;

  constructor(readonly maxBytes: number) {
    this.#entries = new LRUCache({ maxSize: maxBytes });
  }

  get(key: string): Value | undefined {
    return this.#entries.get(key);
  }

  /** An entry larger than the whole cache is not stored. */
  set(key: string, value: Value, characters: number, bytesPerCharacter: number): void {
    const size = ENTRY_BYTES + 2 * key.length + Math.ceil(characters * bytesPerCharacter);
    this.#entries.set(key, value, { size });
  }

  delete(key: string): boolean {
    return this.#entries.delete(key);
  }

  clear(): void {
    this.#entries.clear();
  }

  /** As estimated. */
  get bytes(): number {
    return this.#entries.calculatedSize;
  }

  get count(): number {
    return this.#entries.size;
  }
}

/** Length of the text that a document was parsed from, or would be printed as. */
export function documentLength(document: DocumentNode): number {
  return document.loc?.source.body.length ?? print(document).length;
}
