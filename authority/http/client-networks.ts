import type { IncomingMessage } from 'node:http';

import { AddressList, forwardedAddress, networkOf } from '@behalf/http';
import { truncateAddress } from '@behalf/http/internal';

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
  of(request: IncomingMessage): string {
    return networkOf(this.#addressOf(request));
  }

  /** The network as it is recorded: larger, so that nobody is found by it. @see truncateAddress */
  sourceOf(request: IncomingMessage): string | undefined {
    return truncateAddress(this.#addressOf(request));
  }

  #addressOf({ headersDistinct, socket }: IncomingMessage): string | undefined {
    const forwarded = headersDistinct['x-forwarded-for'] ?? [];
    return forwardedAddress(socket.remoteAddress, forwarded, this.#proxies);
  }
}
