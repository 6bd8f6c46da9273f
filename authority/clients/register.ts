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
  /** What it can do beyond the code flow, and what is asked of it. */
  readonly oauth?: ClientOAuthOptions;
}

/** The demo's clients. @param consoleSecret of the confidential one */
export function demoClients(consoleSecret: string): readonly ClientRegistration[] {
  return [
    {
      clientId: 'budget-app',
      displayName: 'Pocket Budget',
      redirectUris: ['http://127.0.0.1/callback'],
    },
    {
      clientId: 'bank-console',
      displayName: 'Bank Console',
      redirectUris: ['http://127.0.0.1/callback'],
      secret: consoleSecret,
    },
  ];
}
