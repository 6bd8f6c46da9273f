import { createHmac, randomBytes } from 'node:crypto';

import type { Clock } from '@behalf/directives';
import { systemClock } from '@behalf/directives/internal';
import { equalSecrets } from '@behalf/http';

export const KNOWN_BROWSER_COOKIE = 'behalf_browser';
export const KNOWN_BROWSER_SECONDS = 90 * 24 * 60 * 60;

const WRITTEN = /^([\w-]{22})\.(\d{1,12})\.([\w-]{43})$/;

/**
 * Browsers in which a person has signed in before. Each has a cookie for that username alone. Wrong passwords from elsewhere do
 * not count against it, so nobody can lock a person out of their own browser. The cookie signs nobody in.
 */
export class KnownBrowsers {
  readonly #key: Buffer;
  readonly #clock: Pick<Clock, 'now'>;

  /** @param secret the same in every instance */
  constructor(secret: string, clock: Pick<Clock, 'now'> = systemClock) {
    this.#key = createHmac('sha256', secret).update('behalf known browsers').digest();
    this.#clock = clock;
  }

  /** The cookie's value. @param name the normalized username */
  issue(name: string): string {
    const id = randomBytes(16).toString('base64url');
    const untilSeconds = Math.floor(this.#clock.now() / 1000) + KNOWN_BROWSER_SECONDS;
    return `${id}.${untilSeconds}.${this.#mac(id, untilSeconds, name)}`;
  }

  /** @returns the browser's identifier; undefined if the cookie is not valid for this name */
  identify(cookie: string | undefined, name: string): string | undefined {
    const [, id, until, mac] = WRITTEN.exec(cookie ?? '') ?? [];
    if (id === undefined || until === undefined || mac === undefined) return undefined;
    if (Number(until) <= this.#clock.now() / 1000) return undefined;
    return equalSecrets(mac, this.#mac(id, Number(until), name)) ? id : undefined;
  }

  #mac(id: string, untilSeconds: number, name: string): string {
    const signed = JSON.stringify([id, untilSeconds, name]);
    return createHmac('sha256', this.#key).update(signed).digest('base64url');
  }
}
