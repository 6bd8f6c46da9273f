import type { IncomingMessage } from 'node:http';

import { AddressList, forwardedAddress, networkOf } from '../../http/index.js';

/** A proxy on the same machine, which is what an https issuer has when no other is named. */
const LOOPBACK = ['127.0.0.0/8', '::1'] as const;

/** What clients are counted under, for all that is bounded by client. */
export class ClientNetworks {
  readonly #proxies = new AddressList();

  /**
   * @param proxies whose `X-Forwarded-For` is believed; default: of an https issuer, this machine's, of others none
   * @throws TypeError for what is neither an address nor a network
   */
  constructor(issuer: string, proxies?: readonly string[]) {
    const isProxied = issuer.startsWith('https:');
    for (const text of proxies ?? (isProxied ? LOOPBACK : [])) {
      if (!this.#proxies.add(text)) throw new TypeError(`${text} is neither an address nor a network`);
    }
  }

  /** @see networkOf */
  of({ headersDistinct, socket }: IncomingMessage): string {
    const forwarded = headersDistinct['x-forwarded-for'] ?? [];
    return networkOf(forwardedAddress(socket.remoteAddress, forwarded, this.#proxies));
  }
}
