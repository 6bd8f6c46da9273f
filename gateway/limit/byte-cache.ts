import type { DocumentNode } from 'graphql';
import { print } from 'graphql';
import { LRUCache } from 'lru-cache';

/**
 * Bytes that are kept for each character of a document, at most; `npm run bench -- limits` measures them for documents of the
 * shortest names, which are the dearest, and prints them beside these.
 */
export const BYTES_PER_CHARACTER = Object.freeze({
  /** Its nodes and tokens, as parsed. */
  document: 200,
  /** What the authorizer knows of an operation, beside the document. */
  analysis: 40,
  /** One decision on it: the filtered document, and what was removed. */
  decision: 40,
  /** A plan, by the length of its JSON. */
  plan: 10,
  /** A schema, by the length of its text. */
  schema: 20,
});

/** Of any entry, beside what grows with its text. */
const ENTRY_BYTES = 1_000;

/** What is used least goes first when the estimated bytes of all entries are more than `maxBytes`. */
export class ByteCache<Value extends object> {
  readonly #entries: LRUCache<string, Value>;

  constructor(readonly maxBytes: number) {
    this.#entries = new LRUCache({ maxSize: maxBytes });
  }

  get(key: string): Value | undefined {
    return this.#entries.get(key);
  }

  /** An entry that is larger than the whole cache is not kept. */
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

/** Characters of the text that a document was parsed from, or would be printed as. */
export function documentLength(document: DocumentNode): number {
  return document.loc?.source.body.length ?? print(document).length;
}
