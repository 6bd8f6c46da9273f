import { afterAll, beforeAll, describe, expect, it } from 'vitest';

import { ALMA, denials, type Example, NOOR, startExample } from './support/example.js';
import type { Caller } from './support/gateway.js';

const READER: Caller = { sub: ALMA, scopes: ['accounts:read', 'transactions:read'] };
const OWNED = 'a-000001';

let example: Example;
beforeAll(async () => {
  example = await startExample();
});
afterAll(async () => {
  await example[Symbol.asyncDispose]();
});

interface Account {
  readonly transactions: {
    readonly edges: readonly { readonly cursor: string; readonly node: { readonly id: string } }[];
  };
}

const PAGE = `query ($account: ID!, $after: String) {
  account(id: $account) { transactions(first: 2, after: $after) { edges { cursor node { id } } } } }`;

async function page(caller: Caller, account: string, after?: string): Promise<Account['transactions']> {
  const { data } = await example.ask('accounts', caller, PAGE, { account, after });
  return (data?.account as Account).transactions;
}

describe('a cursor', () => {
  it('reveals no more of a booking’s time than the caller may see', async () => {
    const [edge] = (await page(READER, OWNED)).edges;
    expect(Buffer.from(edge?.cursor ?? '', 'base64url').toString()).toMatch(/^t \d{1,7}$/);
  });

  it('a forged cursor with a time is refused, so times cannot be guessed', async () => {
    const after = Buffer.from('t 1790565939 240').toString('base64url');
    expect(denials(await example.ask('accounts', READER, PAGE, { account: OWNED, after }))).toEqual([
      'account.transactions BAD_USER_INPUT',
    ]);
  });

  it('of another account, own or foreign, leads nowhere', async () => {
    const foreign = (await page({ ...READER, sub: NOOR }, 'a-000004')).edges[0]?.cursor;
    expect((await page(READER, OWNED, foreign)).edges).toEqual([]);
    const own = (await page(READER, OWNED)).edges[0]?.cursor;
    expect((await page(READER, 'a-000002', own)).edges).toEqual([]);
  });
});

it('filtering by category requires the purpose of reading it', async () => {
  const query = `{ account(id: "${OWNED}") { transactions(first: 2, category: SALARY) { edges { node { id } } } } }`;
  expect(denials(await example.ask('accounts', { ...READER, purposes: ['other'] }, query))).toEqual([
    'account.transactions UNAUTHORIZED_FIELD_OR_TYPE',
  ]);
  expect((await example.ask('accounts', READER, query)).errors).toBeUndefined();
});

describe('a string that the database cannot store', () => {
  const UNSTORABLE = ['\u0000', '\uD800', '', 'x'.repeat(5_000)];
  const ADMINISTRATOR: Caller = {
    sub: 'admin-iris',
    scopes: ['consents:read', 'consents:admin'],
    purposes: ['administration'],
    roles: ['administrator'],
  };
  const PAYER: Caller = { sub: ALMA, scopes: ['payments:write'], policies: ['kyc_verified'] };

  it.each(UNSTORABLE)('identifies nothing (%j)', async (id) => {
    const answers = await Promise.all([
      example.ask('accounts', READER, 'query ($id: ID!) { account(id: $id) { id } }', { id }),
      example.ask(
        'customers',
        { ...READER, scopes: ['profile:read'] },
        'query ($id: ID!) { customer(id: $id) { id } }',
        { id },
      ),
      example.ask('payments', PAYER, 'query ($id: ID!) { payment(id: $id) { id } }', { id }),
      example.ask('consent', ADMINISTRATOR, 'query ($id: ID!) { consent(id: $id) { id } }', { id }),
    ]);
    for (const { data, errors } of answers) {
      expect(errors).toBeUndefined();
      expect(Object.values(data ?? {})).toEqual([null]);
    }
    expect(example.logged).toEqual([]);
  });

  it.each(UNSTORABLE)('is refused in a mutation (%j)', async (id) => {
    const ended = await example.ask(
      'consent',
      ADMINISTRATOR,
      `mutation ($id: ID!) { revokeConsent(id: $id) { change } revokeClient(clientId: $id, reason: "") { change }
        revokeSubjectSessions(subject: $id, reason: "") { change } }`,
      { id },
    );
    expect(denials(ended)).toEqual([
      'revokeClient BAD_USER_INPUT',
      'revokeConsent BAD_USER_INPUT',
      'revokeSubjectSessions BAD_USER_INPUT',
    ]);
    const filtered = 'query ($id: ID!) { consents(filter: { subject: $id }) { edges { node { id } } } }';
    expect(denials(await example.ask('consent', ADMINISTRATOR, filtered, { id }))).toEqual([
      'consents BAD_USER_INPUT',
    ]);
    const paid = await example.ask(
      'payments',
      PAYER,
      'mutation ($input: StartPaymentInput!) { startPayment(input: $input) { repeated } }',
      {
        input: {
          accountId: id,
          amount: '1',
          currency: 'EUR',
          creditorName: 'Somebody',
          creditorIban: 'DE89370400440532013000',
          idempotencyKey: 'key-00000001',
        },
      },
    );
    expect(denials(paid)).toEqual(['startPayment ACCOUNT_NOT_FOUND']);
    expect(example.logged).toEqual([]);
  });

  it('is refused in a reason', async () => {
    for (const reason of ['\u0000', '\uD800']) {
      const answer = await example.ask(
        'consent',
        ADMINISTRATOR,
        'mutation ($reason: String!) { revokeClient(clientId: "app", reason: $reason) { change } }',
        { reason },
      );
      expect(denials(answer)).toEqual(['revokeClient BAD_USER_INPUT']);
    }
  });

  it('is null in a reference, like an identifier that is not a string', async () => {
    const of = [...UNSTORABLE, ['a-000001'], { a: 1 }, 7, null].map((id) => ({ __typename: 'Account', id }));
    const answer = await example.ask(
      'accounts',
      READER,
      'query ($of: [_Any!]!) { _entities(representations: $of) { __typename } }',
      { of },
    );
    expect(answer.errors).toBeUndefined();
    expect(answer.data).toEqual({ _entities: of.map(() => null) });
  });
});

it('an invalid request target is not found', async () => {
  expect((await fetch(`${example.urls.accounts}//`)).status).toBe(404);
});
