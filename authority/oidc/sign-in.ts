import { withoutUndefined } from '@behalf/directives/internal';

/** `acr` of a sign-in by password over TLS (OASIS SAML 2.0 authentication context classes, section 3.4.9). */
export const PASSWORD_ACR = 'urn:oasis:names:tc:SAML:2.0:ac:classes:PasswordProtectedTransport';

/** The code or refresh token behind an access token, as far as it concerns the sign-in. */
interface SignedIn {
  readonly acr?: string | undefined;
  readonly authTime?: number | undefined;
}

/**
 * How and when the person signed in, for resource servers that ask for more (RFC 9068 section 2.2.1, RFC 9470 section 6).
 * A refresh does not change the time.
 */
export function signInClaims({ acr, authTime }: SignedIn): Record<string, unknown> {
  return withoutUndefined({ acr, auth_time: authTime });
}
