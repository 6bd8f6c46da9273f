import { createHmac, randomBytes } from 'node:crypto';
import type { Clock } from '@behalf/directives';
import { equalSecrets } from '@behalf/http';

/** A nonce is issued for this long, and accepted for as long again. */
export const NONCE_PERIOD_SECONDS = 60;
/** Shorter keys can be guessed (RFC 2104 section 3: not less than the output of the hash). */
export const MIN_NONCE_KEY_BYTES = 32;

/**
 * Nonces of the resource server (RFC 9449 section 9). Each is the message authentication code (RFC 2104) of its period of
 * issue, so nothing is stored, and only a holder of the key can issue one.
 */
export class DpopNonces {
  readonly #key: Uint8Array;
  readonly #clock: Pick<Clock, 'now'>;

  /** @param key shared by gateways that accept each other's nonces; default: generated, for this gateway alone */
  constructor(key: Uint8Array = randomBytes(MIN_NONCE_KEY_BYTES), clock: Pick<Clock, 'now'>) {
    this.#key = key;
    this.#clock = clock;
  }

  /** The current nonce, for new proofs. */
  current(): string {
    return this.#ofPeriod(this.#period());
  }

  /** Whether it is one of this or the last period, or of the next, from a gateway whose clock is ahead. */
  isAccepted(nonce: string): boolean {
    const period = this.#period();
    return [period, period - 1, period + 1].some((accepted) => equalSecrets(nonce, this.#ofPeriod(accepted)));
  }

  #period(): number {
    return Math.floor(this.#clock.now() / 1000 / NONCE_PERIOD_SECONDS);
  }

  #ofPeriod(period: number): string {
    return createHmac('sha256', this.#key).update(`dpop-nonce ${period}`).digest('base64url');
  }
}
