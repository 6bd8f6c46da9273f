import { sql } from 'kysely';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';

import { ALMA, denials, type Example, type GraphQLAnswer, NOOR, startExample } from './support/example.js';
import type { Caller } from './support/gateway.js';

const PAYER: Caller = { sub: ALMA, scopes: ['payments:write'], policies: ['kyc_verified'] };
const INPUT = {
  accountId: 'a-000001',
  amount: '12.50',
  currency: 'EUR',
  creditorName: 'Maija Meikäläinen',
  creditorIban: 'FI21 1234 5600 0007 85',
  remittance: 'Lunch',
  idempotencyKey: 'key-of-a-test',
};
const PAY = `mutation ($input: StartPaymentInput!) { startPayment(input: $input) { repeated
  payment { id amount currency creditorName creditorIban remittance createdAt account { id } } } }`;

let example: Example;
beforeAll(async () => {
  example = await startExample();
});
afterAll(async () => {
  await example[Symbol.asyncDispose]();
});

async function pay(input: Partial<typeof INPUT> = {}, caller: Caller = PAYER): Promise<GraphQLAnswer> {
  return example.ask('payments', caller, PAY, { input: { ...INPUT, ...input } });
}

interface Started {
  readonly repeated: boolean;
  readonly payment: { readonly id: string };
}
function started(answer: GraphQLAnswer): Started {
  expect(answer.errors).toBeUndefined();
  return answer.data?.startPayment as Started;
}

/** What a payment changes. */
async function books(accountId = INPUT.accountId) {
  const { rows } = await sql<{ balance: string; booked: string; transactions: number; payments: number }>`
    select balance::text, (select sum(amount)::text from bank.transaction where account_id = a.id) as booked,
      (select count(*) from bank.transaction where account_id = a.id) as transactions,
      (select count(*) from bank.payment where account_id = a.id) as payments
    from bank.account a where id = ${accountId}`.execute(example.database.db);
  const [row] = rows;
  if (row === undefined) throw new Error('No such account');
  return row;
}

describe('a payment', () => {
  it('lowers the balance, is booked, and is listed', async () => {
    const before = await books();
    const answer = await pay({ idempotencyKey: 'first-payment' });
    const { repeated, payment } = started(answer);
    expect(repeated).toBe(false);
    expect(payment).toMatchObject({
      amount: '12.50',
      currency: 'EUR',
      creditorName: INPUT.creditorName,
      creditorIban: 'FI** **** **** **07 85',
      remittance: 'Lunch',
      account: { id: INPUT.accountId },
    });
    const after = await books();
    expect(Number(after.balance)).toBeCloseTo(Number(before.balance) - 12.5, 2);
    expect(after.balance).toBe(after.booked);
    expect(after).toMatchObject({
      transactions: before.transactions + 1,
      payments: before.payments + 1,
    });

    const listed = await example.ask(
      'payments',
      PAYER,
      `query ($of: [_Any!]!) { payment(id: "${payment.id}") { amount } _entities(representations: $of) {
        ... on Account { payments(first: 1) { edges { node { id } } } }
        ... on Customer { payments(first: 1) { edges { node { id amount } } } } } }`,
      {
        of: [
          { __typename: 'Account', id: INPUT.accountId },
          { __typename: 'Customer', id: ALMA },
        ],
      },
    );
    expect(listed.data).toEqual({
      payment: { amount: '12.50' },
      _entities: [
        { payments: { edges: [{ node: { id: payment.id } }] } },
        { payments: { edges: [{ node: { id: payment.id, amount: '12.50' } }] } },
      ],
    });
  });

  it('sent concurrently with one key is made once', async () => {
    const before = await books();
    const answers = await Promise.all(Array.from({ length: 6 }, () => pay({ idempotencyKey: 'same-key' })));
    const all = answers.map(started);
    expect(new Set(all.map(({ payment }) => payment.id)).size).toBe(1);
    expect(all.filter(({ repeated }) => !repeated)).toHaveLength(1);
    expect((await books()).payments).toBe(before.payments + 1);
  });

  it('is refused for a reused idempotency key, separate per application', async () => {
    started(await pay({ idempotencyKey: 'used-key' }));
    const reused = await pay({ idempotencyKey: 'used-key', amount: '13.00' });
    expect(denials(reused)).toEqual(['startPayment IDEMPOTENCY_KEY_REUSED']);
    const other = await pay({ idempotencyKey: 'used-key' }, { ...PAYER, clientId: 'other-app' });
    expect(started(other).repeated).toBe(false);
  });

  it('beyond the balance is refused, also concurrently', async () => {
    const { balance } = await books();
    const tooMuch = await pay({ idempotencyKey: 'too-much', amount: (Number(balance) + 0.01).toFixed(2) });
    expect(denials(tooMuch)).toEqual(['startPayment INSUFFICIENT_BALANCE']);
    expect((await books()).balance).toBe(balance);
    // The refused request did not use up its key.
    started(await pay({ idempotencyKey: 'too-much', amount: '0.01' }));

    const half = ((Number(balance) / 2) * 0.9).toFixed(2);
    const answers = await Promise.all(
      [1, 2, 3].map((index) => pay({ idempotencyKey: `together-${index}`, amount: half })),
    );
    expect(answers.flatMap(denials)).toEqual(['startPayment INSUFFICIENT_BALANCE']);
    const after = await books();
    expect(after.balance).toBe(after.booked);
  });

  it('from another’s account is refused as if it did not exist', async () => {
    const before = await books('a-000004');
    const foreign = await pay({ accountId: 'a-000004', idempotencyKey: 'foreign-account' });
    const missing = await pay({ accountId: 'a-999999', idempotencyKey: 'missing-account' });
    expect(denials(foreign)).toEqual(['startPayment ACCOUNT_NOT_FOUND']);
    expect(foreign.errors?.[0]?.message).toBe(missing.errors?.[0]?.message);
    expect(await books('a-000004')).toEqual(before);
  });

  it.each([
    { amount: '0' },
    { amount: '0.00' },
    { amount: '-1.00' },
    { amount: '1.001' },
    { amount: '12345678901' },
    { creditorName: ' ' },
    { creditorName: 'x'.repeat(71) },
    { creditorName: 'a\u0000b' },
    { creditorIban: 'FI2112345600000786' },
    { remittance: 'x'.repeat(141) },
    { idempotencyKey: 'short' },
    { idempotencyKey: 'with spaces in it' },
  ])('with %j is refused', async (input) => {
    const answer = await pay({ idempotencyKey: 'bad-input', ...input });
    expect(denials(answer)).toEqual(['startPayment BAD_USER_INPUT']);
  });

  it('in another currency than the account’s is refused', async () => {
    const answer = await pay({ currency: 'CHF', idempotencyKey: 'other-currency' });
    expect(denials(answer)).toEqual(['startPayment CURRENCY_MISMATCH']);
  });
});

describe('permission to pay', () => {
  it.each<[string, Caller | undefined]>([
    ['without a token', undefined],
    ['without the scope', { ...PAYER, scopes: ['accounts:read'] }],
    ['without the policy', { ...PAYER, policies: [] }],
  ])('is refused %s', async (_who, caller) => {
    const before = await books();
    const answer = await example.ask('payments', caller, PAY, {
      input: { ...INPUT, idempotencyKey: 'not-allowed' },
    });
    expect(answer.data).toEqual({ startPayment: null });
    expect(denials(answer)).toEqual(['startPayment UNAUTHORIZED_FIELD_OR_TYPE']);
    expect(await books()).toEqual(before);
  });

  it('a foreign payment looks missing, by field and by reference', async () => {
    const { payment } = started(await pay({ idempotencyKey: 'not-yours', amount: '0.01' }));
    const answer = await example.ask(
      'payments',
      { ...PAYER, sub: NOOR },
      `query ($of: [_Any!]!) { payment(id: "${payment.id}") { amount }
        _entities(representations: $of) { ... on Payment { amount } ... on Account { payments { edges { cursor } } } } }`,
      {
        of: [
          { __typename: 'Payment', id: payment.id },
          { __typename: 'Account', id: INPUT.accountId },
        ],
      },
    );
    expect(answer.data).toEqual({ payment: null, _entities: [null, null] });
    expect(answer.errors).toBeUndefined();
  });
});
