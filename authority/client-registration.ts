import type { ClientOAuthOptions } from './client-oauth.js';

/** An application that may ask people for access. The policy says what it can be granted, and for what purposes. */
export interface ClientRegistration {
  readonly clientId: string;
  /** As people see it. */
  readonly displayName: string;
  /** A loopback address of a native application matches on any port (RFC 8252, section 7.3). Empty: no authorization code flow. */
  readonly redirectUris: readonly string[];
  /** Origins of its web pages that call the authority from a browser, such as `https://app.example`. Default: none. */
  readonly origins?: readonly string[];
  /** With a secret, the client uses `client_secret_basic`; without one, it is a public client. */
  readonly secret?: string;
  /** Stored instead of the secret; see `secretDigest`. */
  readonly secretDigest?: string;
  /** The responsible organisation, as people see it. */
  readonly owner?: string;
  /** How to contact the organisation: a `mailto:` or `https:` address. */
  readonly contact?: string;
  /** `https:` */
  readonly homePage?: string;
  /** Rights beyond the authorization code flow, and duties. Default: none. */
  readonly oauth?: ClientOAuthOptions;
}

/**
 * The stored part of a registration, which leaves out the members that have columns of their own. Its members are
 * those of `registration-schema.json`; a member added there and to `ClientRegistration` needs no other change here.
 */
export type StoredRegistration = Omit<ClientRegistration, 'clientId' | 'secret' | 'secretDigest'> &
  Required<Pick<ClientRegistration, 'owner' | 'contact'>>;
