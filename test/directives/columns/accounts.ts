import type { ColumnMapping } from '@behalf/directives';

export const SDL = `
  scalar Date
  type Query {
    account: Account @public
    accounts: Connection @public
    node: Node @public
    party: Party @public
    shop: Shop @public
  }
  type Connection @public { edges: [Edge] total: Int }
  type Edge @public { cursor: String node: Account hidden: Account @requiresScope(scope: "all") }
  interface Node { id: ID }
  type Account implements Node @key(fields: "id") @subject(field: "holderId") {
    id: ID @authenticated
    iban: String @requiresScope(scope: "read") @minimize(to: MASK, last: 4, unless: [["details"]])
    opened: Date @requiresScope(scope: "read") @minimize(to: GENERALIZE, unit: YEAR, unless: [["details"]])
    age: Int @requiresScope(scope: "read") @minimize(to: GENERALIZE, step: 10, unless: [["details"]])
    tax: String @requiresScope(scope: "read") @minimize(to: REDACT, unless: [["details"]])
    kind: String! @requiresScope(scope: "read") @minimize(to: REDACT, unless: [["details"]])
    tags: [String] @requiresScope(scope: "read") @minimize(to: REDACT, unless: [["details"]])
    secret: String @requiresScope(scope: "secret")
    open: Boolean @public
    address: Address
    payments: [String] @requiresScope(scope: "read")
  }
  type Address @requiresScope(scope: "read") { city: String street: String @requiresScope(scope: "secret") }
  type Shop {
    name: String @public
    margin: Int @requiresScope(scope: "read")
    note: String
      @public
      @minimize(to: KEEP, level: "all")
      @minimize(to: TRUNCATE, keep: 2, level: "two")
      @minimize(to: TRUNCATE, keep: 1, unless: [["read"]])
      @minimize(to: REDACT, level: "none")
  }
  union Party = Merchant | Person
  type Merchant @public { name: String }
  type Person @public { name: String @minimize(to: TRUNCATE, keep: 1) }
`;

export const ACCOUNT: ColumnMapping = {
  type: 'Account',
  always: ['id', { column: 'holder_id', as: 'holderId' }],
  columns: {
    id: 'id',
    iban: 'iban',
    opened: { column: 'opened_on', type: 'date' },
    age: ['opened_on'],
    tax: 'tax_id',
    kind: 'kind',
    tags: 'tags',
    secret: { column: 'secret', as: 'hidden' },
    open: 'is_open',
    'address.city': 'city',
    'address.street': 'street',
    payments: [],
  },
};
export const SHOP: ColumnMapping = { type: 'Shop', columns: {}, column: (field) => field };
export const PARTY: ColumnMapping = { type: 'Party', columns: { __typename: ['kind'], name: 'name' } };
