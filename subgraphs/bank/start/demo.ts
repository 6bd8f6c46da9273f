import type { ClientRegistration } from '@behalf/authority/clients';
import type { NewAccount } from '@behalf/authority';

/** The people of the demo. Their passwords are public: the authority accepts them on the loopback interface only. */
export const DEMO_ACCOUNTS: readonly NewAccount[] = [
  {
    subject: 'c-000001',
    username: 'alma',
    password: 'alma-demo',
    displayName: 'Alma Lindqvist',
    roles: [],
    policies: ['kyc_verified'],
  },
  {
    subject: 'c-000002',
    username: 'noor',
    password: 'noor-demo',
    displayName: 'Noor Haddad',
    roles: [],
    policies: ['kyc_verified'],
  },
  {
    subject: 'admin-iris',
    username: 'iris',
    password: 'iris-demo',
    displayName: 'Iris',
    roles: ['administrator'],
    policies: [],
  },
];

/** The demo's applications. @param consoleSecret the client secret of `bank-console` */
export function demoClients(consoleSecret: string): readonly ClientRegistration[] {
  return [
    {
      clientId: 'budget-app',
      displayName: 'Pocket Budget',
      owner: 'Pocket Budget Ltd',
      contact: 'mailto:privacy@pocket-budget.example',
      homePage: 'https://pocket-budget.example',
      redirectUris: ['http://127.0.0.1/callback'],
    },
    {
      clientId: 'bank-console',
      displayName: 'Bank Console',
      owner: 'Example Bank',
      contact: 'mailto:console@bank.example',
      redirectUris: ['http://127.0.0.1/callback'],
      secret: consoleSecret,
    },
  ];
}
