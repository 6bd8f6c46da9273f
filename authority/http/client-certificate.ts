import { X509Certificate } from 'node:crypto';
import type { IncomingMessage } from 'node:http';

import { AddressList } from '@behalf/http';
import { clientCertificate } from '@behalf/http';

/** RFC 5280 section 4.2.1.12: id-kp-clientAuth. */
const CLIENT_AUTHENTICATION = '1.3.6.1.5.5.7.3.2';

/** @see ClientCertificates */
export interface ClientCertificateOptions {
  /**
   * Addresses of the proxies that terminate TLS before this server, ask clients for certificates, and say in `Client-Cert`
   * which was presented. They must take that header out of what a client sends (RFC 9440 section 4). From any other address
   * it is not looked at.
   */
  readonly proxies: readonly string[];
  /** Certificates (PEM) of those who issue certificates to `tls_client_auth` clients, directly: no chains. */
  readonly authorities?: readonly string[];
}

/**
 * Clients' certificates (RFC 8705). This server speaks plain http and has a proxy before it that terminates TLS: what
 * the client presented comes in a header of that proxy (RFC 9440), and from nobody else.
 */
export class ClientCertificates {
  readonly #proxies = new AddressList();
  readonly #authorities: readonly X509Certificate[];

  /** @throws TypeError for what is no address, or no certificate of an authority */
  constructor(options: ClientCertificateOptions) {
    for (const address of options.proxies) {
      if (!this.#proxies.add(address)) throw new TypeError(`${address} is not an address of a proxy`);
    }
    this.#authorities = (options.authorities ?? []).map((pem) => new X509Certificate(pem));
    if (this.#authorities.some(({ ca }) => !ca))
      throw new TypeError('an authority has no certificate of one');
  }

  get hasAuthorities(): boolean {
    return this.#authorities.length > 0;
  }

  /** What the client presented, as the proxy says. Its possession is proved to the proxy; nothing else is checked here. */
  of(request: IncomingMessage): X509Certificate | undefined {
    const der = clientCertificate(request, (peer) => this.#proxies.includes(peer));
    if (der === undefined) return undefined;
    try {
      return new X509Certificate(der);
    } catch {
      return undefined;
    }
  }

  /** Whether one of the authorities issued it, for clients, and it is in its time. */
  isIssued(certificate: X509Certificate, now: Date = new Date()): boolean {
    if (new Date(certificate.validFrom) > now || new Date(certificate.validTo) < now) return false;
    // Node names the extended key usages so; where there is no such extension, nothing is ruled out.
    const usages = certificate.keyUsage as readonly string[] | undefined;
    if (usages !== undefined && !usages.includes(CLIENT_AUTHENTICATION)) return false;
    return this.#authorities.some(
      (authority) =>
        new Date(authority.validTo) >= now &&
        certificate.checkIssued(authority) &&
        certificate.verify(authority.publicKey),
    );
  }
}

/** RFC 8705 section 2.1.2, `tls_client_auth_san_dns`: exactly this name, among the alternative names alone. */
export function isForDnsName(certificate: X509Certificate, dnsName: string): boolean {
  return certificate.checkHost(dnsName, { subject: 'never', wildcards: false }) !== undefined;
}
