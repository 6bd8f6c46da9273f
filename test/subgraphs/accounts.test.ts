import type { LogEvent } from 'kysely';
import { protectedContext } from '@behalf/directives';
import { graphql } from 'graphql';
import { Kysely, PostgresDialect, sql } from 'kysely';
import pg from 'pg';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';

import { buildAccountsSchema } from '../../subgraphs/bank/accounts/schema.js';
import { ALMA, denials, type Example, type GraphQLAnswer, NOOR, startExample } from './support/example.js';
import { type Caller, createTestGateway } from './support/gateway.js';

const CALLER: Caller = { sub: ALMA, scopes: ['accounts:read', 'transactions:read'] };

let example: Example;
let db: Kysely<unknown>;
let run: (query: string, variables?: Record<string, unknown>) => Promise<GraphQLAnswer>;
const queries: string[] = [];

beforeAll(async () => {
  example = await startExample();
  const gateway = await createTestGateway();
  const schema = buildAccountsSchema({ gateway: gateway.trust, pseudonymKey: new Uint8Array(32) });
  db = new Kysely<unknown>({
    dialect: new PostgresDialect({ pool: new pg.Pool({ connectionString: example.database.url }) }),
    log: (event: LogEvent) => {
      queries.push(event.query.sql);
    },
  });
  run = async (source, variableValues) => {
    queries.length = 0;
    const base = await protectedContext(schema, { 'txn-token': await gateway.mint('accounts', CALLER) });
    const result = await graphql({ schema, source, variableValues, contextValue: { ...base, db } });
    return result as unknown as GraphQLAnswer;
  };
});
afterAll(async () => {
  await db.destroy();
  await example[Symbol.asyncDispose]();
});

interface Page {
  readonly edges: readonly {
    readonly cursor: string;
    readonly node: { readonly id: string; readonly category: string };
  }[];
  readonly pageInfo: {
    readonly hasNextPage: boolean;
    readonly hasPreviousPage: boolean;
    readonly endCursor: string;
  };
}

async function pageOf(args: string): Promise<Page> {
  const answer = await run(`{ account(id: "a-000001") { transactions(${args}) {
    edges { cursor node { id category } } pageInfo { hasNextPage hasPreviousPage endCursor } } } }`);
  expect(answer.errors).toBeUndefined();
  return (answer.data?.account as { transactions: Page }).transactions;
}

describe('database queries', () => {
  it('of accounts with transactions, counterparties and places are always two', async () => {
    const answer = await run(`{ myAccounts { id iban transactions(first: 5) { edges { node {
      amount counterparty { ... on Party { displayName } } place { city } } } } } }`);
    expect(answer.errors).toBeUndefined();
    expect(answer.data?.myAccounts).toHaveLength(3);
    expect(queries).toHaveLength(2);
  });

  it('of entities by reference are one, and one for all their lists', async () => {
    const answer = await run(
      `query ($of: [_Any!]!) { _entities(representations: $of) { ... on Account { balance transactions(first: 1) {
        edges { node { amount } } } } } }`,
      { of: ['a-000001', 'a-000002', 'a-000003'].map((id) => ({ __typename: 'Account', id })) },
    );
    expect(answer.errors).toBeUndefined();
    expect(queries).toHaveLength(2);
  });

  it('select the union of the columns that a batch needs', async () => {
    await run('{ myAccounts { ...part } } fragment part on Account { ... { balance } }');
    expect(queries[0]).toContain('balance');
    expect(queries[0]).not.toContain('iban');
    await run('{ myAccounts { transactions(first: 1) { edges { node { amount } } } } }');
    expect(queries[1]).not.toMatch(/counterparty|remittance/);
    await run('{ one: account(id: "a-000001") { iban } two: account(id: "a-000002") { balance } }');
    expect(queries).toHaveLength(1);
    expect(queries[0]).toMatch(/iban.*balance/s);
  });

  it('return all fields of an account that is loaded twice with different ones', async () => {
    const answer = await run(
      `{ one: account(id: "a-000001") { id } two: account(id: "a-000001") { currency } }`,
    );
    expect(answer.data).toEqual({ one: { id: 'a-000001' }, two: { currency: 'EUR' } });
  });
});

describe('pages', () => {
  it('are complete, without repetition, newest first', async () => {
    const ids: string[] = [];
    let page = await pageOf('first: 50');
    expect(page.pageInfo.hasPreviousPage).toBe(false);
    for (;;) {
      ids.push(...page.edges.map(({ node }) => node.id));
      if (!page.pageInfo.hasNextPage) break;
      page = await pageOf(`first: 50, after: "${page.pageInfo.endCursor}"`);
    }
    expect(ids).toHaveLength(240);
    expect(new Set(ids).size).toBe(240);
    expect(ids.map((id) => Number(id.slice(2)))).toEqual(
      ids.map((id) => Number(id.slice(2))).sort((one, two) => two - one),
    );
  });

  it('can be filtered by category', async () => {
    const page = await pageOf('first: 10, category: GROCERIES');
    expect(page.edges.length).toBeGreaterThan(0);
    expect(new Set(page.edges.map(({ node }) => node.category))).toEqual(new Set(['GROCERIES']));
  });

  it.each([
    'first: 0',
    'first: 201',
    'first: -1',
    'after: ""',
    'after: "x"',
    `after: "${Buffer.from("t 1 1' or true --").toString('base64url')}"`,
    `after: "${Buffer.from('p 1').toString('base64url')}"`,
    `after: "${Buffer.from('t 1 99999999999999999999').toString('base64url')}"`,
  ])('%s is refused', async (args) => {
    const answer = await run(
      `{ account(id: "a-000001") { transactions(${args}) { pageInfo { endCursor } } } }`,
    );
    expect(denials(answer)).toEqual(['account.transactions BAD_USER_INPUT']);
    expect(queries).toHaveLength(1);
  });
});

describe('over HTTP', () => {
  it('a foreign account looks missing, by field and by reference', async () => {
    const query = `query ($of: [_Any!]!) { account(id: "a-000004") { iban }
      _entities(representations: $of) { ... on Account { iban } ... on Customer { accounts { iban } } } }`;
    const answer = await example.ask('accounts', CALLER, query, {
      of: [
        { __typename: 'Account', id: 'a-000004' },
        { __typename: 'Customer', id: NOOR },
        { __typename: 'Account', id: 'a-000004', holderId: ALMA },
      ],
    });
    expect(answer.data).toEqual({ account: null, _entities: [null, null, null] });
    expect(answer.errors).toBeUndefined();
    expect(answer.extensions?.behalf?.fields).toEqual(
      expect.arrayContaining([
        ['Query.account', 'denied', 1, null, '@subject'],
        ['Account.id', 'denied', 2, null, '@subject'],
        ['Customer.id', 'denied', 1, null, '@subject'],
      ]),
    );
    expect(example.logged).toContain(
      'FOREIGN_ROWS {"subgraph":"accounts","coordinate":"Query.account","count":1}',
    );
  });

  it('without a token only public data is returned, also by reference', async () => {
    const query = `query ($of: [_Any!]!) { accountProducts myAccounts { id }
      _entities(representations: $of) { ... on Account { id iban } ... on Customer { id accounts { id } } } }`;
    const answer = await example.ask('accounts', undefined, query, {
      of: [
        { __typename: 'Account', id: 'a-000001' },
        { __typename: 'Customer', id: ALMA },
      ],
    });
    expect(answer.data).toEqual({
      accountProducts: ['CURRENT', 'SAVINGS', 'SHARED'],
      myAccounts: null,
      _entities: [null, null],
    });
    // For a gateway that sent a token, which was lost on the way.
    expect(answer.extensions).toEqual({ behalf: { v: 1, refusedToken: 'TXN_TOKEN_MISSING' } });
  });

  it('an account’s parties are returned as an interface', async () => {
    const query = `{ account(id: "a-000001") { frequentParties(first: 3) { __typename displayName } holder { id } } }`;
    const answer = await example.ask('accounts', CALLER, query);
    expect(answer.errors).toBeUndefined();
    expect(answer.data?.account).toMatchObject({ holder: { id: ALMA } });
    expect((answer.data?.account as { frequentParties: unknown[] }).frequentParties).toHaveLength(3);
  });

  it('facts return with the answer', async () => {
    const answer = await example.ask('accounts', CALLER, '{ myAccounts { balance } }');
    expect(answer.extensions?.behalf).toBeDefined();
  });

  it('introspection is off, and database errors are hidden', async () => {
    const introspection = await example.ask('accounts', CALLER, '{ __schema { types { name } } }');
    expect(introspection.errors?.[0]?.extensions.code).toBe('GRAPHQL_VALIDATION_FAILED');
    await sql`alter table bank.account rename column iban to hidden`.execute(example.database.db);
    const failed = await example.ask('accounts', CALLER, '{ account(id: "a-000001") { iban } }');
    await sql`alter table bank.account rename column hidden to iban`.execute(example.database.db);
    expect(failed.errors).toEqual([
      { message: 'Internal server error', path: ['account'], extensions: { code: 'INTERNAL_SERVER_ERROR' } },
    ]);
    expect(example.logged.filter((line) => !line.includes('FOREIGN_ROWS'))).toEqual([
      'RESOLVER_FAILED {"subgraph":"accounts","error":"error 42703","path":"account"}',
    ]);
  });

  it('unknown paths and invalid or oversized bodies are refused', async () => {
    const post = async (body: string, path = '/'): Promise<number> => {
      const headers = { 'content-type': 'application/json' };
      return (await fetch(new URL(path, example.urls.accounts), { method: 'POST', headers, body })).status;
    };
    expect(await post('{}', '/admin')).toBe(404);
    expect(await post('{')).toBe(400);
    expect(await post(JSON.stringify({ query: ' '.repeat(1_100_000) }))).toBe(413);
  });
});
