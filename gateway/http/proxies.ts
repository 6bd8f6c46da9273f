import { BlockList, isIP } from 'node:net';
import { ConfigurationError } from '../errors.js';

/** Key `proxies` of the configuration: who stands between the clients and the gateway. */
export interface ProxyOptions {
  /** Addresses of the proxies, or networks of theirs (`10.0.3.0/24`, `fd00::/8`). */
  readonly addresses: readonly string[];
  /**
   * Believe their `Client-Cert` header (RFC 9440). They must take it out of what clients send (section 2.4). Default: false.
   */
  readonly clientCertificate?: boolean;
  /** Believe what they add to `X-Forwarded-For`: the client's address, for the record. Default: false. */
  readonly forwardedFor?: boolean;
}

/** The proxies that the configuration names. What anybody else says of a client is not believed. */
export class TrustedProxies {
  private readonly addresses = new BlockList();
  private readonly clientCertificate: boolean;
  private readonly forwardedFor: boolean;

  /** @throws {ConfigurationError} for what is neither an address nor a network. */
  constructor(
    { addresses, clientCertificate = false, forwardedFor = false }: ProxyOptions = { addresses: [] },
  ) {
    addresses.forEach((text, index) => this.add(text, `proxies.addresses[${index}]`));
    this.clientCertificate = clientCertificate;
    this.forwardedFor = forwardedFor;
  }

  /** Whether this peer is to be asked for the client's certificate, and nobody else. */
  tellsClientCertificate(peer: string | undefined): boolean {
    return this.clientCertificate && peer !== undefined && this.includes(peer);
  }

  /**
   * The client's address: the last that a trusted proxy tells of. Each entry was added by whoever stands after it, so they
   * are read from the end, and what stands before an address that is not trusted is only its word.
   *
   * @param forwardedFor Every value of the `X-Forwarded-For` header, in order.
   */
  clientAddress(peer: string | undefined, forwardedFor: readonly string[]): string | undefined {
    if (!this.forwardedFor) return peer;
    const entries = forwardedFor.flatMap((value) => value.split(',')).map((entry) => entry.trim());
    let address = peer;
    for (const entry of entries.reverse()) {
      if (address === undefined || !this.includes(address) || isIP(entry) === 0) return address;
      address = entry;
    }
    return address;
  }

  /** An IPv4 address that a socket for both families shows as IPv6 is the same address. */
  private includes(peer: string): boolean {
    const family = isIP(peer);
    return family !== 0 && this.addresses.check(peer, family === 4 ? 'ipv4' : 'ipv6');
  }

  private add(text: string, path: string): void {
    const [address = '', length, ...rest] = text.split('/');
    const family = isIP(address);
    const bits = family === 4 ? 32 : 128;
    const isNetwork = length !== undefined;
    const isLength = isNetwork && /^\d{1,3}$/.test(length) && Number(length) <= bits;
    if (family === 0 || rest.length > 0 || (isNetwork && !isLength))
      throw new ConfigurationError(path, 'must be an IP address, or a network such as 10.0.3.0/24');
    if (isNetwork) this.addresses.addSubnet(address, Number(length), family === 4 ? 'ipv4' : 'ipv6');
    else this.addresses.addAddress(address, family === 4 ? 'ipv4' : 'ipv6');
  }
}
