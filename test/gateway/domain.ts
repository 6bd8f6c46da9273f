import type { ProtectedSubgraphOptions } from '@behalf/directives';

export const peopleSdl = /* GraphQL */ `
  extend schema
    @link(
      url: "https://specs.apollo.dev/federation/v2.9"
      import: ["@key", "@shareable", "@authenticated", "@policy"]
    )
    @link(url: "https://specs.behalf.dev/behalf/v0.1", import: ["@requiresScope", "@purpose", "@minimize"])
  type Query {
    hello(name: String): String
    me: Person
    person(id: ID!): Person
    mine: String @authenticated
  }
  type Mutation {
    rename(name: String): Person @requiresScope(scope: "people:write")
    touch: String
  }
  type Person @key(fields: "id") {
    id: ID!
    name: String @requiresScope(scope: "name")
    email: String @requiresScope(scope: "email")
    nick: String
    score: Int @purpose(of: ["credit"])
    vip: String @policy(policies: [["vip"]])
    fails: String
  }
`;

export const accountsSdl = /* GraphQL */ `
  extend schema
    @link(url: "https://specs.apollo.dev/federation/v2.9", import: ["@key", "@shareable"])
    @link(url: "https://specs.behalf.dev/behalf/v0.1", import: ["@requiresScope", "@purpose", "@minimize"])
  type Query {
    rates: String
  }
  type Person @key(fields: "id") {
    id: ID!
    accounts: [Account]
    tax: String @purpose(of: ["tax"])
  }
  type Account {
    id: ID!
    iban: String
      @requiresScope(scope: "accounts")
      @minimize(to: MASK, last: 4, showLength: true, unless: [["accounts:full"]])
    balance: Int @requiresScope(scope: "balance")
  }
`;

const person = (id: string) => ({
  id,
  name: `Name of ${id}`,
  email: `${id}@example.org`,
  nick: 'al',
  score: 7,
  vip: 'gold',
});

export const resolvers = {
  people: {
    Query: {
      hello: (_: unknown, { name }: { name?: string }) => `hello ${name ?? 'world'}`,
      me: () => person('c-000001'),
      person: (_: unknown, { id }: { id: string }) => person(id),
      mine: () => 'mine',
    },
    Mutation: {
      rename: (_: unknown, { name }: { name?: string }) => ({ ...person('c-000001'), name }),
      touch: () => 'touched',
    },
    Person: {
      __resolveReference: ({ id }: { id: string }) => person(id),
      fails: () => {
        throw new Error('internal detail at db.internal:5432');
      },
    },
  },
  accounts: {
    Query: { rates: () => 'up' },
    Person: {
      __resolveReference: ({ id }: { id: string }) => ({ id }),
      accounts: ({ id }: { id: string }) => [
        { id: `${id}-1`, iban: 'SE4550000000058398257466', balance: 100 },
      ],
      tax: () => 'resident',
    },
  },
} satisfies Record<string, ProtectedSubgraphOptions['resolvers']>;
