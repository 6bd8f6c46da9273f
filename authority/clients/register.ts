import type { ClientOAuthOptions } from './oauth.js';

/** An application that may ask people for access. What it can be granted, and for what purposes, stands in the policy. */
export interface ClientRegistration {
  readonly clientId: string;
  /** As people see it. */
  readonly displayName: string;
  /** A loopback address of a native application matches on any port (RFC 8252, section 7.3). None: no code flow. */
  readonly redirectUris: readonly string[];
  /** Without one, a public client; with one, `client_secret_basic`. */
  readonly secret?: string;
  /** What the store keeps in place of the secret (`secretDigest`). */
  readonly secretDigest?: string;
  /** The organisation that answers for it, as people see it. */
  readonly owner?: string;
  /** Where to ask them: a `mailto:` or `https:` address. */
  readonly contact?: string;
  /** `https:` */
  readonly homePage?: string;
  /** What it can do beyond the code flow, and what is asked of it. */
  readonly oauth?: ClientOAuthOptions;
}
