import { createHash } from 'node:crypto';
import { invalidToken } from './bearer.js';

/**
 * RFC 8705 section 3: the certificate whose key the client proved to hold on this connection must be the one that the token
 * names. Who issued it is the authorization server's to judge (section 6.2).
 *
 * @param thumbprint `x5t#S256` of the token's `cnf`.
 * @param certificate DER; undefined when the client showed none, or nobody who may tell it did.
 * @throws {RefusedError} 401 `INVALID_TOKEN`.
 */
export function requireCertificate(thumbprint: string, certificate: Uint8Array | undefined): void {
  if (certificate === undefined) throw invalidToken('CERTIFICATE_MISSING');
  const shown = createHash('sha256').update(certificate).digest('base64url');
  if (shown !== thumbprint) throw invalidToken('CERTIFICATE_MISMATCH');
}
