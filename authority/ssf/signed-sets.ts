import { LRUCache } from 'lru-cache';

import { type SetContext, signSecurityEvent } from './set.js';
import type { ChangeEvent } from './stream.js';

const MAX_KEPT = 5_000;

/**
 * Signs each security event once for all streams: receivers of one audience get the same token, and mostly at the same time,
 * right after the event or when they all restart. What is cached is known to every receiver anyway.
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
