import { AddressList, forwardedAddress } from '@behalf/http';
import { ConfigurationError } from '../errors.js';

/** Key `proxies` of the configuration: who stands between the clients and the gateway. */
export interface ProxyOptions {
  /** Addresses of the proxies, or networks of theirs (`10.0.3.0/24`, `fd00::/8`). */
  readonly addresses: readonly string[];
  /**
   * Believe their `Client-Cert` header (RFC 9440). They must take it out of what clients send (section 2.4). Default: false.
   */
  readonly clientCertificate?: boolean;
  /**
   * Believe what they add to `X-Forwarded-For`: the client's address, for the record, and by which questions about opaque tokens
   * are counted. Default: false.
   */
  readonly forwardedFor?: boolean;
}

/** The configured proxies. Statements of anybody else about a client are not trusted. */
export class TrustedProxies {
  readonly #addresses = new AddressList();
  readonly #clientCertificate: boolean;
  readonly #forwardedFor: boolean;

  /** @throws {ConfigurationError} for what is neither an address nor a network. */
  constructor(
    { addresses, clientCertificate = false, forwardedFor = false }: ProxyOptions = { addresses: [] },
  ) {
    addresses.forEach((text, index) => {
      if (this.#addresses.add(text)) return;
      const path = `proxies.addresses[${index}]`;
      throw new ConfigurationError(path, 'must be an IP address, or a network such as 10.0.3.0/24');
    });
    this.#clientCertificate = clientCertificate;
    this.#forwardedFor = forwardedFor;
  }

  /** Whether this peer is to be asked for the client's certificate, and nobody else. */
  tellsClientCertificate(peer: string | undefined): boolean {
    return this.#clientCertificate && this.#addresses.includes(peer);
  }

  /**
   * The client's address, as far as it is known.
   *
   * @param forwardedFor Every value of the `X-Forwarded-For` header, in order.
   */
  clientAddress(peer: string | undefined, forwardedFor: readonly string[]): string | undefined {
    return this.#forwardedFor ? forwardedAddress(peer, forwardedFor, this.#addresses) : peer;
  }
}
