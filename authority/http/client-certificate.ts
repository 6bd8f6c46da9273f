import { X509Certificate } from 'node:crypto';
import type { IncomingMessage } from 'node:http';

import { AddressList } from '@behalf/http';
import { clientCertificate } from '@behalf/http';

/** RFC 5280 section 4.2.1.12: id-kp-clientAuth. */
const CLIENT_AUTHENTICATION = '1.3.6.1.5.5.7.3.2';

/** Which clients' certificates are accepted (RFC 8705). See {@link AuthorityOptions.clientCertificates}. */
export interface ClientCertificateOptions {
  /**
   * Addresses of the proxies that terminate TLS in front of this server, ask clients for certificates, and pass them on in
   * `Client-Cert`. They must remove that header from clients' requests (RFC 9440 section 4). From any other address it is
   * ignored.
   */
  readonly proxies: readonly string[];
  /**
   * Certificates (PEM) of the authorities that directly issue certificates to `tls_client_auth` clients; chains are not
   * supported.
   */
  readonly authorities?: readonly string[];
}

/**
 * Clients' certificates (RFC 8705). This server speaks plain http behind a proxy that terminates TLS, so a client's certificate
 * comes only in a header of that proxy (RFC 9440).
 */
export class ClientCertificates {
  readonly #proxies = new AddressList();
  readonly #authorities: readonly X509Certificate[];

  /** @throws TypeError if an entry is not an address, or not the certificate of an authority */
  constructor(options: ClientCertificateOptions) {
    for (const address of options.proxies) {
      if (!this.#proxies.add(address)) throw new TypeError(`${address} is not an address of a proxy`);
    }
    this.#authorities = (options.authorities ?? []).map((pem) => new X509Certificate(pem));
    if (this.#authorities.some(({ ca }) => !ca))
      throw new TypeError('a certificate under authorities is not one of a certificate authority');
  }

  get hasAuthorities(): boolean {
    return this.#authorities.length > 0;
  }

  /**
   * The certificate that the client presented, according to the proxy, which has verified possession of its key. Nothing else is
   * checked here.
   */
  of(request: IncomingMessage): X509Certificate | undefined {
    const der = clientCertificate(request, (peer) => this.#proxies.includes(peer));
    if (der === undefined) return undefined;
    try {
      return new X509Certificate(der);
    } catch {
      return undefined;
    }
  }

  /** Whether one of the authorities issued the certificate for client authentication, and it is valid now. */
  isIssued(certificate: X509Certificate, now: Date = new Date()): boolean {
    if (new Date(certificate.validFrom) > now || new Date(certificate.validTo) < now) return false;
    // Node's name for the extended key usages. Without the extension, no usage is ruled out.
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

/** RFC 8705 section 2.1.2, `tls_client_auth_san_dns`: exactly this name, and only among the subject alternative names. */
export function isForDnsName(certificate: X509Certificate, dnsName: string): boolean {
  return certificate.checkHost(dnsName, { subject: 'never', wildcards: false }) !== undefined;
}
