import { afterAll, beforeAll, describe, expect, it } from 'vitest';

import { ALMA, denials, type Example, startExample } from './support/example.js';

let example: Example;
beforeAll(async () => {
  example = await startExample();
});
afterAll(async () => {
  await example[Symbol.asyncDispose]();
});

const ME = `{ me { id name email phone birthDate taxId
  address { street postalCode city country location { latitude longitude } } } }`;
const ACCOUNT = `{ account(id: "a-000001") { iban balance currency product } }`;
const TRANSACTIONS = `{ account(id: "a-000001") { transactions(first: 200) { edges { node {
  id amount bookedAt remittance category
  counterparty { __typename ... on Party { displayName } ... on PrivatePerson { reference iban } ... on Merchant { category } }
  place { city location { latitude longitude } } } } } } }`;

interface Node {
  readonly bookedAt: string;
  readonly remittance: string | null;
  readonly category: string | null;
  readonly counterparty: {
    readonly __typename: string;
    readonly displayName: string;
    readonly reference?: string;
    readonly iban?: string | null;
    readonly category?: string | null;
  };
  readonly place: { readonly city: string; readonly location: { readonly latitude: number } } | null;
}

async function transactions(
  scopes: readonly string[],
  more: { readonly clientId?: string; readonly detail?: 'minimal' } = {},
): Promise<Node[]> {
  const answer = await example.ask('accounts', { sub: ALMA, scopes, ...more }, TRANSACTIONS);
  const account = answer.data?.account as { transactions: { edges: { node: Node }[] } };
  return account.transactions.edges.map(({ node }) => node);
}

const persons = (nodes: readonly Node[]): Node['counterparty'][] =>
  nodes.map(({ counterparty }) => counterparty).filter(({ __typename }) => __typename === 'PrivatePerson');

describe('a limited scope', () => {
  it('masks, truncates, redacts and generalizes a customer', async () => {
    const scopes = ['profile:read', 'profile:contact', 'profile:identity'];
    const full = await example.ask('customers', { sub: ALMA, scopes }, ME);
    expect(full.errors).toBeUndefined();
    const little = await example.ask('customers', { sub: ALMA, scopes: ['profile:read'] }, ME);
    expect(denials(little)).toEqual(['me.address.street UNAUTHORIZED_FIELD_OR_TYPE']);

    const whole = full.data?.me as Record<string, string> & {
      address: Record<string, string> & { location: Record<string, number> };
    };
    expect(whole).toMatchObject({ id: ALMA, name: 'Alma Lindqvist', email: 'alma.lindqvist@example.net' });
    const cut = (degrees = 0): number => Math.trunc(degrees * 10) / 10;
    expect(little.data?.me).toEqual({
      id: ALMA,
      name: 'Alma Lindqvist',
      email: 'a***@example.net',
      phone: `***${(whole.phone ?? '').slice(-3)}`,
      birthDate: `${(whole.birthDate ?? '').slice(0, 4)}-01-01`,
      taxId: null,
      address: {
        street: null,
        postalCode: (whole.address.postalCode ?? '').slice(0, 2),
        city: whole.address.city,
        country: 'FI',
        location: {
          latitude: cut(whole.address.location.latitude),
          longitude: cut(whole.address.location.longitude),
        },
      },
    });
    expect(whole.taxId).toMatch(/^\d{6}[-A]9\d\d[0-9A-Y]$/);
  });

  it('masks an account, and generalizes it by step', async () => {
    const scopes = ['accounts:read', 'accounts:details'];
    const full = await example.ask('accounts', { sub: ALMA, scopes }, ACCOUNT);
    const little = await example.ask('accounts', { sub: ALMA, scopes: ['accounts:read'] }, ACCOUNT);
    const whole = full.data?.account as Record<string, string>;
    expect(little.data?.account).toEqual({
      iban: `FI** **** **** **${(whole.iban ?? '').slice(-4, -2)} ${(whole.iban ?? '').slice(-2)}`,
      balance: `${Math.floor(Number(whole.balance) / 100) * 100}.00`,
      currency: 'EUR',
      product: 'CURRENT',
    });
  });

  it('pseudonymizes, truncates and generalizes transactions', async () => {
    const full = await transactions(['transactions:read', 'transactions:details', 'accounts:details']);
    const little = await transactions(['transactions:read']);
    expect(little).toHaveLength(200);
    const inFinland = new Intl.DateTimeFormat('sv', { timeZone: 'Europe/Helsinki' });
    expect(little.map(({ bookedAt }) => bookedAt)).toEqual(
      full.map(
        ({ bookedAt }) =>
          expect.stringMatching(
            `^${inFinland.format(new Date(bookedAt))}T00:00:00.000\\+0[23]:00$`,
          ) as string,
      ),
    );
    expect(new Set(little.map(({ remittance }) => remittance))).toEqual(new Set([null]));
    expect(persons(full)[0]?.iban).toMatch(/^FI\d{16}$/);
    expect(persons(full)[0]?.reference).toMatch(/^p-\d+$/);
    expect(persons(little).every(({ displayName, iban }) => displayName.length === 1 && iban === null)).toBe(
      true,
    );

    const shop = little.findIndex(({ place }) => place !== null);
    expect(little[shop]?.place?.location.latitude).toBe(
      Math.trunc((full[shop]?.place?.location.latitude ?? 0) * 100) / 100,
    );
  });

  it('has stable pseudonyms, which differ between applications', async () => {
    const references = async (clientId: string): Promise<(string | undefined)[]> =>
      persons(await transactions(['transactions:read'], { clientId })).map(({ reference }) => reference);
    const names = persons(await transactions(['transactions:read', 'transactions:details'])).map(
      ({ reference }) => reference,
    );
    const one = await references('budget-app');
    expect(await references('budget-app')).toEqual(one);
    expect(new Set(one).size).toBe(new Set(names).size);
    const other = new Set(await references('other-app'));
    expect(one.some((reference) => other.has(reference))).toBe(false);
  });

  it('minimal consent minimizes despite the fuller scope', async () => {
    const nodes = await transactions(['transactions:read', 'transactions:details'], { detail: 'minimal' });
    expect(persons(nodes).every(({ displayName }) => displayName.length === 1)).toBe(true);
  });
});

it('a category is returned for budgeting only', async () => {
  const caller = { sub: ALMA, scopes: ['transactions:read'], purposes: ['marketing'] };
  const query = `{ account(id: "a-000001") { transactions(first: 1) { edges { node { category amount } } } } }`;
  const answer = await example.ask('accounts', caller, query);
  expect(answer.errors?.[0]?.extensions).toMatchObject({
    coordinate: 'Transaction.category',
    requires: { purposes: [['budgeting']] },
  });
});
