import { sql } from 'kysely';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { openDatabase } from '../../store/index.js';
import { Cleanup } from '../support/cleanup.js';
import { ALMA, type Example, fillExample, startOn } from './support/example.js';
import type { Caller } from './support/gateway.js';
import { type LoggedServer, startLoggedServer } from './support/logged-server.js';

// PostgreSQL's own log says which columns a subgraph has read: none that its caller could not see.

const cleanup = new Cleanup();
let server: LoggedServer;
let example: Omit<Example, 'database'>;
/** Names of the columns of the bank's tables. */
let columns: ReadonlySet<string>;
beforeAll(async () => {
  server = await startLoggedServer(cleanup);
  await fillExample(server.url);
  const db = openDatabase<unknown>(server.url, { max: 1 });
  const { rows } = await sql<{ name: string }>`
    select column_name as name from information_schema.columns where table_schema = 'bank' and table_name in ('customer', 'account', 'transaction', 'counterparty')`.execute(
    db,
  );
  columns = new Set(rows.map(({ name }) => name));
  await db.destroy();
  example = await startOn(server.url, () => Promise.resolve());
  cleanup.add(() => example[Symbol.asyncDispose]());
});
afterAll(() => cleanup.run());

const ME = `{ me { id name email phone birthDate taxId
  address { street postalCode city country location { latitude longitude } } } }`;
const ACCOUNTS = `{ myAccounts { id iban balance currency product } }`;
const TRANSACTIONS = `{ account(id: "a-000001") { transactions(first: 3) { edges { node {
  id amount currency bookedAt remittance category
  counterparty { ... on PrivatePerson { displayName reference iban } ... on Merchant { displayName category } }
  place { city } } } } } }`;

interface Logged {
  readonly text: string;
  readonly named: readonly string[];
  readonly data: Record<string, unknown> | null | undefined;
}

/** The statements of a subgraph for one operation, and the bank's columns that they name. */
async function logged(
  subgraph: 'customers' | 'accounts',
  query: string,
  caller: Partial<Caller> | undefined,
): Promise<Logged> {
  await server.statementsOf(`behalf ${subgraph}`);
  const token = caller === undefined ? undefined : { sub: ALMA, scopes: [], ...caller };
  const { data } = await example.ask(subgraph, token, query);
  const text = (await server.statementsOf(`behalf ${subgraph}`)).join('\n');
  const words = new Set(text.match(/\b[a-z_]+\b/g));
  return { text, named: [...words].filter((word) => columns.has(word)).sort(), data };
}

describe('the statements for a customer name', () => {
  const little = ['birth_date', 'city', 'country', 'email', 'id', 'latitude', 'longitude', 'name', 'phone'];

  it('with a limited scope: no street, no tax number, and a date only by its year', async () => {
    const { named, text, data } = await logged('customers', ME, { scopes: ['profile:read'] });
    expect(named).toEqual([...little, 'postal_code']);
    expect(text).toMatch(/to_char\(case when .* then date_trunc\('year', "birth_date"::timestamp\)::date/);
    expect(text).toContain('left("postal_code", 2)');
    expect(text).toMatch(/trunc\("latitude"::text::numeric/);
    expect(data?.['me']).toMatchObject({
      birthDate: expect.stringMatching(/^\d{4}-01-01$/) as string,
      taxId: null,
    });
  });

  it('with the scopes for it: everything, whole', async () => {
    const scopes = ['profile:read', 'profile:contact', 'profile:identity'];
    const { named, text } = await logged('customers', ME, { scopes });
    expect(named).toEqual([...little, 'postal_code', 'street', 'tax_id']);
    expect(text).not.toMatch(/trunc|left\(/);
  });

  it('with a consent to the least detail: less, despite the scopes', async () => {
    const scopes = ['profile:read', 'profile:contact', 'profile:identity'];
    const { named, text } = await logged('customers', ME, { scopes, detail: 'minimal' });
    expect(named).toEqual([...little, 'postal_code', 'street']);
    expect(text).toContain('date_trunc');
  });

  it('with a scope for none of the fields: the key', async () => {
    const { named } = await logged('customers', ME, { scopes: ['profile:contact'] });
    expect(named).toEqual(['id']);
  });

  it('without a token: nothing, because nothing is selected', async () => {
    expect((await logged('customers', ME, undefined)).text).toBe('');
  });
});

describe('the statements for accounts name', () => {
  it('with a limited scope: the balance by its hundreds', async () => {
    const { named, text } = await logged('accounts', ACCOUNTS, { scopes: ['accounts:read'] });
    expect(named).toEqual(['balance', 'currency', 'holder_id', 'iban', 'id', 'product']);
    expect(text).toMatch(/mod\("balance"::numeric, \(100\)::numeric\)/);
  });

  it('with another scope: what both have', async () => {
    const { named } = await logged('accounts', ACCOUNTS, { scopes: ['transactions:read'] });
    expect(named).toEqual(['currency', 'holder_id', 'id']);
  });
});

describe('the statements for transactions name', () => {
  const read = [
    'account_id',
    'amount',
    'booked_at',
    'city',
    'counterparty_id',
    'currency',
    'holder_id',
    'id',
    'kind',
  ];

  it('with a limited scope: no note, no IBAN, and a time only by its day', async () => {
    const { named, text } = await logged('accounts', TRANSACTIONS, { scopes: ['transactions:read'] });
    expect(named).toEqual([...read.slice(0, 3), 'category', ...read.slice(3), 'name']);
    expect(text).toMatch(/to_char\(case when .* then date_trunc\('day', "t"."booked_at", \$\d+::text\)/);
  });

  it('for another purpose: no category', async () => {
    const caller = { scopes: ['transactions:read'], purposes: ['marketing'] };
    expect((await logged('accounts', TRANSACTIONS, caller)).named).toEqual([...read, 'name']);
  });

  it('with the scopes for it: everything, whole', async () => {
    const scopes = ['transactions:read', 'transactions:details', 'accounts:details'];
    const { named, text } = await logged('accounts', TRANSACTIONS, { scopes });
    expect(named).toEqual(expect.arrayContaining(['remittance', 'iban', 'category']));
    expect(text).not.toContain('date_trunc');
  });

  it('that are not asked for: no counterparty', async () => {
    const query = '{ account(id: "a-000001") { transactions(first: 3) { edges { node { amount } } } } }';
    const { named } = await logged('accounts', query, {
      scopes: ['transactions:read', 'transactions:details'],
    });
    expect(named).toEqual(['account_id', 'amount', 'booked_at', 'holder_id', 'id']);
  });
});
