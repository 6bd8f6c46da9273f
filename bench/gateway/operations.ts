/** The three operations that are measured. */
export const OPERATIONS = {
  'tiny (1 subgraph, 3 fields)': 'query Tiny { me { id name email } }',
  'medium (3 subgraphs, 40 fields)': `query Medium {
    me {
      id name email phone birthDate taxId
      address { street postalCode city country }
      accounts {
        id iban balance currency product
        payments(first: 1) { edges { node { id amount currency } } }
      }
    }
  }`,
  'wide (100 entities × 10 fields, 2 subgraphs)': `query Wide {
    myAccounts {
      id iban balance currency product
      holder { name email phone birthDate taxId }
    }
  }`,
} as const;

/** Entries of a list field, by coordinate. */
export const LIST_LENGTHS: Readonly<Record<string, number>> = {
  'Query.myAccounts': 100,
  'Customer.accounts': 3,
};

export const ALL_SCOPES = [
  'profile:read',
  'profile:contact',
  'profile:identity',
  'accounts:read',
  'accounts:details',
  'transactions:read',
  'transactions:details',
  'payments:write',
];

/** Enough for most fields of each operation, but not for all. */
export const FEWER_SCOPES = ['accounts:read', 'profile:contact', 'profile:identity'];
