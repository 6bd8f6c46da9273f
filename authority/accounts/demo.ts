import type { NewAccount } from './register.js';

/** The people of the demo. Their passwords are public: the authority refuses to have them on anything but loopback. */
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
