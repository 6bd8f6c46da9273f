import { LRUCache } from 'lru-cache';

import { type SetContext, signSecurityEvent } from './set.js';
import type { ChangeEvent } from './stream.js';

const MAX_KEPT = 5_000;

/**
 * Signs security events, each once for all streams: receivers of one audience are sent the same token, and mostly at the
 * same moment, when it has just happened or when they all start again. What is kept is public to every receiver anyway.
 */
export class SignedSets {
  readonly #signed = new LRUCache<string, Promise<string>>({ max: MAX_KEPT });

  /** @see signSecurityEvent */
  async sign(event: ChangeEvent, context: SetContext): Promise<string> {
    const name = JSON.stringify([context.key.kid, context.issuer, context.audience, event.jti]);
    const known = this.#signed.get(name);
    if (known !== undefined) return known;
    const signing = signSecurityEvent(event, context);
    this.#signed.set(name, signing);
    try {
      return await signing;
    } catch (error) {
      this.#signed.delete(name);
      throw error;
    }
  }
}
