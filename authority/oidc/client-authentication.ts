import type { ClientAuthMethod, KoaContextWithOIDC } from 'oidc-provider';

import { errors } from './oidc-provider.js';
import { CLIENT_ASSERTION_SECONDS } from './lifetimes.js';

/** How clients may authenticate. Certificates require a proxy that passes them on. */
export function authenticationMethods(hasCertificates: boolean): readonly ClientAuthMethod[] {
  const withoutTls: readonly ClientAuthMethod[] = ['none', 'client_secret_basic', 'private_key_jwt'];
  return hasCertificates ? [...withoutTls, 'self_signed_tls_client_auth', 'tls_client_auth'] : withoutTls;
}

/**
 * Checks the parts of RFC 7523 section 3 that oidc-provider does not. It has verified signature, issuer, expiry and audience
 * before, and checks for a replayed `jti` afterwards.
 *
 * @throws errors.InvalidClientAuth
 */
export function checkAssertion(ctx: KoaContextWithOIDC, claims: Readonly<Record<string, unknown>>): void {
  // FAPI 2.0 section 5.3.2.1, for all clients: an assertion for another server's token endpoint is never accepted here.
  if (claims['aud'] !== ctx.oidc.issuer) {
    throw new errors.InvalidClientAuth(
      'the audience (aud) of a client assertion must be the issuer, as one string',
    );
  }
  const { exp } = claims;
  if (typeof exp !== 'number' || exp > Date.now() / 1000 + CLIENT_ASSERTION_SECONDS) {
    throw new errors.InvalidClientAuth('a client assertion must not be good for longer than five minutes');
  }
}
