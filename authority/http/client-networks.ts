import type { IncomingMessage } from 'node:http';

import { AddressList, forwardedAddress, networkOf } from '@behalf/http';

/** A proxy on the same machine: the default for an https issuer. */
const LOOPBACK = ['127.0.0.0/8', '::1'] as const;

/** Tells clients apart, for limits per client. */
export class ClientNetworks {
  readonly #proxies = new AddressList();

  /**
   * @param proxies the proxies whose `X-Forwarded-For` is trusted. Default: this machine for an https issuer, otherwise none
   * @throws TypeError if an entry is neither an address nor a network
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
