import type { JSONWebKeySet } from 'jose';

/** How a client authenticates at the token endpoint other than by a shared secret. */
export type ClientAuthentication =
  | {
      /** RFC 7523 section 2.2 with a key of its own. */
      readonly method: 'private_key_jwt';
      /** Its public keys: ES256, PS256 or EdDSA. */
      readonly jwks: JSONWebKeySet;
    }
  | {
      /** RFC 8705 section 2.2: one of these certificates, whoever issued it. */
      readonly method: 'self_signed_tls_client_auth';
      /** PEM. */
      readonly certificates: readonly string[];
    }
  | {
      /** RFC 8705 section 2.1: a certificate for this name by one of `clientCertificates.authorities`. */
      readonly method: 'tls_client_auth';
      readonly dnsName: string;
    };

/** The largest {@link ExchangeRight.depth}, because every actor makes tokens, and checking them, larger. */
export const MAX_EXCHANGE_DEPTH = 8;

/** RFC 8693: a service that may exchange tokens issued to other clients, to act for people. */
export interface ExchangeRight {
  /** The clients whose tokens it may exchange: every client that a token depends on must be listed. */
  readonly from: readonly string[];
  /** How many actors the exchanged token may name; default 2. */
  readonly depth?: number;
}

/** A client's rights beyond the authorization code flow, and its duties. Everything is off by default. */
export interface ClientOAuthOptions {
  readonly authentication?: ClientAuthentication;
  /** Which kind of key its tokens are bound to: RFC 9449, or RFC 8705 section 3. Default: it may, but need not, use DPoP. */
  readonly senderConstraint?: 'dpop' | 'certificate';
  /** RFC 9126 section 6: its authorization requests are pushed, or refused. */
  readonly requirePushedRequests?: boolean;
  /** RFC 9396 section 10. */
  readonly authorizationDetailsTypes?: readonly 'behalf_access'[];
  /** RFC 6749 section 4.4: the scopes that it can have for itself, without a person. */
  readonly clientCredentials?: { readonly scopes: readonly string[] };
  readonly exchange?: ExchangeRight;
  /** RFC 7662: it is a resource server, and may ask about the tokens that others present to it. */
  readonly introspection?: boolean;
  /** FAPI 2.0 Security Profile, for this client; the authority's `profile` is for all of them. */
  readonly profile?: 'fapi2';
}
