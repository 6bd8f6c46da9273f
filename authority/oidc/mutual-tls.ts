import type { KoaContextWithOIDC } from 'oidc-provider';

import { type ClientCertificates, isForDnsName } from '../http/client-certificate.js';

/** RFC 8705 for oidc-provider. Off without a proxy that passes certificates on. */
export function mutualTls(certificates: ClientCertificates | undefined) {
  if (certificates === undefined) return { enabled: false as const };
  const certificateOf = (ctx: KoaContextWithOIDC) => certificates.of(ctx.req);
  return {
    enabled: true as const,
    certificateBoundAccessTokens: true as const,
    selfSignedTlsClientAuth: true as const,
    tlsClientAuth: true as const,
    getCertificate: certificateOf,
    certificateAuthorized: (ctx: KoaContextWithOIDC): boolean => {
      const certificate = certificateOf(ctx);
      return certificate !== undefined && certificates.isIssued(certificate);
    },
    certificateSubjectMatches: (ctx: KoaContextWithOIDC, property: string, expected: string): boolean => {
      const certificate = certificateOf(ctx);
      // The only property that a registration can set.
      return (
        certificate !== undefined &&
        property === 'tls_client_auth_san_dns' &&
        isForDnsName(certificate, expected)
      );
    },
  };
}
