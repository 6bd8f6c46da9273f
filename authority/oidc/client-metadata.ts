import { X509Certificate } from 'node:crypto';

import type { ClientMetadata, JWK } from 'oidc-provider';
import { withoutUndefined } from '@behalf/directives/internal';

import type { ClientAuthentication } from '../client-oauth.js';
import type { ClientRegistration } from '../client-registration.js';
import { secretDigest } from '../clients/secret.js';

/** RFC 8693 section 2.1 */
export const TOKEN_EXCHANGE = 'urn:ietf:params:oauth:grant-type:token-exchange';

/** Our own metadata, so that every client object of oidc-provider carries it. */
export const PROFILE_MEMBER = 'behalf_profile';

/** The origins of the client's web pages. */
export const ORIGINS_MEMBER = 'behalf_origins';

/** Whether FAPI 2.0 applies to a client, according to its metadata. */
export function isFapi2(client: { metadata(): ClientMetadata } | undefined): boolean {
  return client?.metadata()[PROFILE_MEMBER] === 'fapi2';
}

/**
 * Translates a registration into the metadata of RFC 7591, RFC 8705, RFC 9126, RFC 9396 and RFC 9449 that oidc-provider expects.
 */
export function metadataOf(client: ClientRegistration, profile: 'fapi2' | undefined): ClientMetadata {
  const { oauth = {}, redirectUris } = client;
  const hasCodeFlow = redirectUris.length > 0;
  const bound = oauth.senderConstraint;
  const holdsFapi2 = profile === 'fapi2' || oauth.profile === 'fapi2';
  return withoutUndefined({
    client_id: client.clientId,
    client_name: client.displayName,
    redirect_uris: [...redirectUris],
    // Allows loopback redirect addresses on any port; a native application may still keep a secret.
    application_type: 'native',
    grant_types: [
      ...(hasCodeFlow ? ['authorization_code', 'refresh_token'] : []),
      ...(oauth.clientCredentials === undefined ? [] : ['client_credentials']),
      ...(oauth.exchange === undefined ? [] : [TOKEN_EXCHANGE]),
    ],
    response_types: hasCodeFlow ? (['code'] as const) : [],
    authorization_details_types: [...(oauth.authorizationDetailsTypes ?? [])],
    require_pushed_authorization_requests: oauth.requirePushedRequests === true || holdsFapi2,
    [ORIGINS_MEMBER]: [...(client.origins ?? [])],
    [PROFILE_MEMBER]: holdsFapi2 ? 'fapi2' : undefined,
    dpop_bound_access_tokens: bound === 'dpop' ? true : undefined,
    tls_client_certificate_bound_access_tokens: bound === 'certificate' ? true : undefined,
    ...authenticationOf(client),
  });
}

function authenticationOf({ oauth, secret, ...rest }: ClientRegistration): Partial<ClientMetadata> {
  // Only digests of secrets are compared: see client-secrets.ts.
  const digest = secret === undefined ? rest.secretDigest : secretDigest(secret);
  if (digest !== undefined)
    return { token_endpoint_auth_method: 'client_secret_basic', client_secret: digest };
  const authentication = oauth?.authentication;
  if (authentication === undefined) return { token_endpoint_auth_method: 'none' };
  return { token_endpoint_auth_method: authentication.method, ...credentialsOf(authentication) };
}

function credentialsOf(authentication: ClientAuthentication): Partial<ClientMetadata> {
  switch (authentication.method) {
    case 'private_key_jwt':
      return { jwks: { keys: authentication.jwks.keys } };
    case 'self_signed_tls_client_auth':
      return { jwks: { keys: authentication.certificates.map(keyOf) } };
    case 'tls_client_auth':
      return { tls_client_auth_san_dns: authentication.dnsName };
  }
}

/** RFC 8705 section 2.2.2: the certificate as the `x5c` of its key. */
function keyOf(pem: string): JWK {
  const certificate = new X509Certificate(pem);
  const key = certificate.publicKey.export({ format: 'jwk' });
  return { ...key, x5c: [certificate.raw.toString('base64')] };
}
