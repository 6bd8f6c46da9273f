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
 * Stores the texts of automatic persisted queries. Apollo Server registers a text only under its own SHA-256, and treats it as
 * if it had been sent: it is parsed, validated and authorized for each caller. No decisions are stored here.
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
