/** An application that may ask people for access. */
export interface ClientRegistration {
  readonly clientId: string;
  /** As people see it. */
  readonly displayName: string;
  /** What it wants the data for: the name goes into tokens, the sentence is shown to people. */
  readonly purposes: readonly { readonly name: string; readonly sentence: string }[];
  /** A loopback address of a native application matches on any port (RFC 8252, section 7.3). */
  readonly redirectUris: readonly string[];
  /** Without one, a public client; with one, `client_secret_basic`. */
  readonly secret?: string;
}

/** The demo's clients. @param consoleSecret of the confidential one */
export function demoClients(consoleSecret: string): readonly ClientRegistration[] {
  return [
    {
      clientId: 'budget-app',
      displayName: 'Pocket Budget',
      purposes: [
        { name: 'budgeting', sentence: 'To show you where your money goes and to plan your budget' },
      ],
      redirectUris: ['http://127.0.0.1/callback'],
    },
    {
      clientId: 'bank-console',
      displayName: 'Bank Console',
      purposes: [{ name: 'administration', sentence: 'To administer consents and look into incidents' }],
      redirectUris: ['http://127.0.0.1/callback'],
      secret: consoleSecret,
    },
  ];
}
