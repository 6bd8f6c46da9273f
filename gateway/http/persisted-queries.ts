import { LRUCache } from 'lru-cache';

/** The part of Apollo's cache interface that persisted queries use. */
interface TextCache {
  get(hash: string): Promise<string | undefined>;
  set(hash: string, text: string): Promise<void>;
  delete(hash: string): Promise<boolean>;
}

/** One text counts as its length in UTF-16 units. */
const MAX_CHARACTERS = 8 * 1024 * 1024;

/**
 * Where the texts of automatic persisted queries are kept. Apollo Server registers a text under its own SHA-256 only, and
 * what comes out is treated as if it had been sent: parsed, validated and authorized for whoever names it. No decision is
 * kept here.
 */
export function persistedQueryCache(maxEntries: number): TextCache {
  const texts = new LRUCache<string, string>({
    max: maxEntries,
    maxSize: MAX_CHARACTERS,
    sizeCalculation: (text) => Math.max(1, text.length),
  });
  return {
    get: async (hash) => texts.get(hash),
    set: async (hash, text) => {
      texts.set(hash, text);
    },
    delete: async (hash) => texts.delete(hash),
  };
}
