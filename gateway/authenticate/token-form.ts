import { decodeJwt, decodeProtectedHeader } from 'jose';

const COMPACT_JWS = /^[A-Za-z0-9_-]+\.[A-Za-z0-9_-]+\.([A-Za-z0-9_-]+)$/;

/**
 * RFC 7515 section 7.1, RFC 4648 section 3.5: each signature has one spelling. The decoder accepts others, which would give one
 * token many digests.
 */
export function isCompactJws(token: string): boolean {
  const signature = COMPACT_JWS.exec(token)?.[1];
  return signature !== undefined && Buffer.from(signature, 'base64url').toString('base64url') === signature;
}

/** A token of three parts is a JWS or invalid: a malformed one is never introspected. */
export function isOpaque(token: string): boolean {
  return token.split('.').length !== 3;
}

/** What the token says, before its signature is verified. */
export function unverifiedIssuer(token: string): string | undefined {
  try {
    return decodeJwt(token).iss;
  } catch {
    return undefined;
  }
}

/** RFC 9068 section 4: `at+jwt` or `application/at+jwt`, in any case (RFC 7515 section 4.1.9). */
export function tokenType(token: string): string {
  try {
    const type = decodeProtectedHeader(token).typ?.toLowerCase() ?? '';
    return type.startsWith('application/') ? type.slice('application/'.length) : type;
  } catch {
    return '';
  }
}
