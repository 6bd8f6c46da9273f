import { createHash } from 'node:crypto';
import { invalidToken } from './bearer.js';

/**
 * RFC 8705 section 3: the certificate whose key the client proved to hold on this connection must be the one that the token
 * names. Its issuer is the authorization server's concern (section 6.2).
 *
 * @param thumbprint `x5t#S256` of the token's `cnf`
 * @param certificate DER; undefined if the client showed none, or no trusted party reported it
 * @throws {RefusedError} 401 `INVALID_TOKEN`
 */
export function requireCertificate(thumbprint: string, certificate: Uint8Array | undefined): void {
  if (certificate === undefined) throw invalidToken('CERTIFICATE_MISSING');
  const shown = createHash('sha256').update(certificate).digest('base64url');
  if (shown !== thumbprint) throw invalidToken('CERTIFICATE_MISMATCH');
}
