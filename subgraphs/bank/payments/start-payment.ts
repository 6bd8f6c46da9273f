import { randomUUID } from 'node:crypto';

import { GraphQLError } from 'graphql';
import { type Kysely, type RawBuilder, sql } from 'kysely';

import type { BankDatabase } from '../data/index.js';
import { isIban } from '../data/iban.js';
import { badUserInput } from '../shared/errors.js';
import { isId, isUnstorable } from '../shared/texts.js';
import type { PaymentRow } from './payment.js';

export interface StartPaymentInput {
  readonly accountId: string;
  readonly amount: string;
  readonly currency: string;
  readonly creditorName: string;
  readonly creditorIban: string;
  readonly remittance?: string | null;
  readonly idempotencyKey: string;
}

/** The person who pays, and the application that acts for them. */
export interface Payer {
  readonly subject: string;
  readonly clientId: string;
}

export interface StartedPayment {
  readonly payment: PaymentRow;
  /** Whether an earlier request with the same key made the payment. */
  readonly repeated: boolean;
}

export type PaymentRefusal =
  /** The account does not exist or belongs to somebody else; the answer does not reveal which. */
  | 'ACCOUNT_NOT_FOUND'
  | 'CURRENCY_MISMATCH'
  | 'INSUFFICIENT_BALANCE'
  /** The key was used for a different payment. */
  | 'IDEMPOTENCY_KEY_REUSED';

const AMOUNT = /^(?=.*[1-9])\d{1,10}(\.\d{1,2})?$/;
const IDEMPOTENCY_KEY = /^[\w.:-]{8,64}$/;
const MAX_CREDITOR_NAME_LENGTH = 70;
const MAX_REMITTANCE_LENGTH = 140;

/**
 * Pays in one database transaction: when it returns, the payment is booked; when it throws, nothing is. Requests with the same
 * idempotency key wait for each other and pay once.
 *
 * @param columns what the answer has of the payment
 * @throws GraphQLError `BAD_USER_INPUT`, or a {@link PaymentRefusal}
 */
export async function startPayment(
  db: BankDatabase,
  payer: Payer,
  input: StartPaymentInput,
  columns: RawBuilder<unknown>,
): Promise<StartedPayment> {
  const order = readOrder(input);
  if (!isId(order.accountId)) throw accountNotFound();
  return db.transaction().execute(async (trx) => {
    const account = await lockAccount(trx, order.accountId, payer.subject);
    if (account === undefined) throw accountNotFound();
    const payment = await insertPayment(trx, payer, order, columns);
    if (payment === undefined) return repeatPayment(trx, payer, order, columns);
    if (account.currency !== order.currency) {
      throw refusal('CURRENCY_MISMATCH', 'The account has another currency');
    }
    if (!(await debit(trx, order)))
      throw refusal('INSUFFICIENT_BALANCE', 'The balance does not cover the amount');
    await book(trx, order);
    return { payment, repeated: false };
  });
}

function readOrder(input: StartPaymentInput): StartPaymentInput {
  const order = {
    ...input,
    creditorName: input.creditorName.trim(),
    creditorIban: input.creditorIban.replaceAll(' ', '').toUpperCase(),
    remittance: input.remittance ?? null,
  };
  if (!AMOUNT.test(order.amount)) {
    throw badUserInput('"amount" must be greater than 0, with at most 10 digits and two decimals');
  }
  if (order.creditorName === '' || order.creditorName.length > MAX_CREDITOR_NAME_LENGTH) {
    throw badUserInput(`"creditorName" must have 1 to ${MAX_CREDITOR_NAME_LENGTH} characters`);
  }
  if (!isIban(order.creditorIban)) throw badUserInput('"creditorIban" is not an IBAN');
  if ((order.remittance?.length ?? 0) > MAX_REMITTANCE_LENGTH) {
    throw badUserInput(`"remittance" must have at most ${MAX_REMITTANCE_LENGTH} characters`);
  }
  if (isUnstorable(order.creditorName) || isUnstorable(order.remittance ?? '')) {
    throw badUserInput('Texts must have no control characters');
  }
  if (!IDEMPOTENCY_KEY.test(order.idempotencyKey)) {
    throw badUserInput('"idempotencyKey" must have 8 to 64 letters, digits, or "_.:-"');
  }
  return order;
}

/** Locks the account, so that payments from it are made one at a time. */
async function lockAccount(
  trx: Kysely<unknown>,
  accountId: string,
  subject: string,
): Promise<{ currency: string } | undefined> {
  const { rows } = await sql<{ currency: string }>`select currency from bank.account
    where id = ${accountId} and holder_id = ${subject} for update`.execute(trx);
  return rows[0];
}

/** Waits for another request that is using the same key. @returns undefined when the key has been used */
async function insertPayment(
  trx: Kysely<unknown>,
  { subject, clientId }: Payer,
  order: StartPaymentInput,
  columns: RawBuilder<unknown>,
): Promise<PaymentRow | undefined> {
  const { rows } = await sql<PaymentRow>`insert into bank.payment (id, account_id, holder_id, client_id,
      idempotency_key, amount, currency, creditor_name, creditor_iban, remittance)
    values (${randomUUID()}, ${order.accountId}, ${subject}, ${clientId}, ${order.idempotencyKey},
      ${order.amount}::numeric, ${order.currency}, ${order.creditorName}, ${order.creditorIban}, ${order.remittance})
    on conflict (holder_id, client_id, idempotency_key) do nothing
    returning ${columns}`.execute(trx);
  return rows[0];
}

async function repeatPayment(
  trx: Kysely<unknown>,
  { subject, clientId }: Payer,
  order: StartPaymentInput,
  columns: RawBuilder<unknown>,
): Promise<StartedPayment> {
  const { rows } = await sql<PaymentRow>`select ${columns} from bank.payment
    where holder_id = ${subject} and client_id = ${clientId} and idempotency_key = ${order.idempotencyKey}
      and account_id = ${order.accountId} and amount = ${order.amount}::numeric and currency = ${order.currency}
      and creditor_name = ${order.creditorName} and creditor_iban = ${order.creditorIban}
      and remittance is not distinct from ${order.remittance}`.execute(trx);
  const [payment] = rows;
  if (payment === undefined)
    throw refusal('IDEMPOTENCY_KEY_REUSED', 'The idempotency key made another payment');
  return { payment, repeated: true };
}

async function debit(trx: Kysely<unknown>, { accountId, amount }: StartPaymentInput): Promise<boolean> {
  const { rows } = await sql`update bank.account set balance = balance - ${amount}::numeric
    where id = ${accountId} and balance >= ${amount}::numeric returning id`.execute(trx);
  return rows.length === 1;
}

async function book(trx: Kysely<unknown>, order: StartPaymentInput): Promise<void> {
  // `do update` without a change returns the existing row; `do nothing` would not.
  await sql`with creditor as (
      insert into bank.counterparty (kind, name, iban)
      values ('PERSON', ${order.creditorName}, ${order.creditorIban})
      on conflict (iban, name) do update set name = excluded.name
      returning id
    )
    insert into bank.transaction (account_id, booked_at, amount, category, counterparty_id, remittance)
    select ${order.accountId}, now(), -${order.amount}::numeric, 'TRANSFER', id, ${order.remittance}
    from creditor`.execute(trx);
}

function accountNotFound(): GraphQLError {
  return refusal('ACCOUNT_NOT_FOUND', 'There is no such account of yours');
}

function refusal(code: PaymentRefusal, message: string): GraphQLError {
  return new GraphQLError(message, { extensions: { code } });
}
