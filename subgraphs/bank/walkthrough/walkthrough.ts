import { decodeJwt, decodeProtectedHeader } from 'jose';
import * as oauth from 'openid-client';
import { readRunFile } from 'behalf/internal';
import type { RunFile } from 'behalf/internal';
import { printLine } from 'behalf/internal';
import { partsLog } from '../start/log.js';
import { freePorts } from '../start/ports.js';
import { startExample } from '../start/start.js';
import { ask, codesOf, waitUntilRefused } from './ask.js';
import { expect, WalkthroughError } from './error.js';
import { seeHistory, verifyFromHistory } from './history.js';
import { json, Narrator } from './narrator.js';
import { REQUESTED_SCOPES, signIn } from './sign-in.js';
import type { SignedIn } from './sign-in.js';

export interface WalkthroughOptions {
  readonly dataDir: string;
  /** For a start of its own, when none runs on the data folder. */
  readonly databaseUrl?: string | undefined;
  /** Default: prints to stdout. */
  readonly print?: (line: string) => void;
}

const OVERVIEW = `query Overview {
  me {
    name
    email
    birthDate
    taxId
    address { street postalCode city }
    accounts {
      iban
      balance
      currency
      transactions(first: 2) {
        edges { node { amount bookedAt counterparty {
          ... on Merchant { displayName }
          ... on PrivatePerson { displayName reference iban }
        } } }
      }
    }
  }
}`;

const PAY = `mutation Pay {
  startPayment(input: {
    accountId: "a-000001", amount: "10.00", currency: EUR, creditorName: "Somebody",
    creditorIban: "DE89370400440532013000", idempotencyKey: "walkthrough-1"
  }) { payment { id } }
}`;

const MAX_REFUSAL_DELAY_MS = 1_000;

/**
 * Shows what an application is given, from consent to revocation, and checks each claim as it goes.
 *
 * @throws WalkthroughError when the example behaves otherwise
 */
export async function walkthroughCommand(options: WalkthroughOptions): Promise<void> {
  const print = options.print ?? printLine;
  const running = await readRunFile(options.dataDir);
  if (running !== undefined) {
    print(`Walking through the example that runs at ${running.gateway}`);
    await walk(running, print, options.dataDir);
    return;
  }
  print('No example runs on this data folder: starting one for the walkthrough');
  const example = await startExample({
    dataDir: options.dataDir,
    databaseUrl: options.databaseUrl,
    ports: await freePorts(),
    log: partsLog('error'),
  });
  try {
    const { audience, authorityUrl: authority, consoleSecret, databaseUrl, gatewayUrl: gateway } = example;
    await walk(
      { pid: process.pid, databaseUrl, gateway, authority, audience, consoleSecret },
      print,
      options.dataDir,
    );
  } finally {
    await example.close();
  }
}

async function walk(run: RunFile, print: (line: string) => void, dataDir: string): Promise<void> {
  const narrator = new Narrator(print);
  await askWithoutToken(run, narrator);
  const signedIn = await consent(run, narrator);
  const token = signedIn.tokens.access_token;
  const transactionId = await readLess(run, narrator, token);
  await staysWithinConsent(run, narrator, token);
  narrator.heading(
    'It is on record',
    'Each coordinate, how often, decided by which rule. No value, no argument.',
  );
  await narrator.record(run.databaseUrl, transactionId);
  const refusedTransaction = await revoke(run, narrator, token);
  await refreshIsRefused(run, narrator, signedIn);
  print('');
  print('The refusal is on record too:');
  await narrator.record(run.databaseUrl, refusedTransaction);
  if (transactionId === undefined) throw new WalkthroughError('The answer names no transaction');
  const proof = await seeHistory(run, narrator, transactionId);
  await verifyFromHistory(narrator, proof, { dataDir, transactionId });
  print('');
  print('That was everything: consented, filtered, minimized, recorded, revoked, seen, proven.');
}

async function askWithoutToken(run: RunFile, narrator: Narrator): Promise<void> {
  narrator.heading(
    'Without a token, only what is public',
    'The gateway does not know who is asking, so the accounts stay closed.',
  );
  const { body } = await ask(narrator, run.gateway, '{ accountProducts myAccounts { balance } }');
  expect(body.data?.accountProducts !== null, 'public data is returned');
  expect(body.data?.myAccounts === null, 'accounts are not returned');
}

async function consent(run: RunFile, narrator: Narrator): Promise<SignedIn> {
  narrator.heading(
    'Alma signs in and decides',
    `Pocket Budget asks for ${REQUESTED_SCOPES.length} scopes; Alma declines two of them.`,
  );
  const signedIn = await signIn(run, narrator);
  const { access_token: token } = signedIn.tokens;
  narrator.print('');
  narrator.print('The access token (its signature is not shown):');
  narrator.print(json({ header: decodeProtectedHeader(token), payload: decodeJwt(token) }));
  return signedIn;
}

/** @returns the transaction, for its audit record */
async function readLess(run: RunFile, narrator: Narrator, token: string): Promise<string | undefined> {
  narrator.heading(
    'Less than it asked for',
    'What Alma agreed to is complete. Without the fuller scopes, the subgraph masks, truncates and rounds values; ' +
      'what she declined is null, with a denial that names the scope.',
  );
  const answer = await ask(narrator, run.gateway, OVERVIEW, token);
  const me = answer.body.data?.me as Record<string, unknown> | null;
  expect(me?.name === 'Alma Lindqvist', 'the name is complete');
  expect(typeof me?.email === 'string' && me.email.includes('*'), 'the e-mail address is masked');
  expect(me?.taxId === null, 'the tax number is redacted');
  expect((me?.address as Record<string, unknown> | null)?.street === null, 'the street is denied');
  expect(codesOf(answer).includes('UNAUTHORIZED_FIELD_OR_TYPE'), 'a denial says so');
  return answer.transactionId;
}

async function staysWithinConsent(run: RunFile, narrator: Narrator, token: string): Promise<void> {
  narrator.heading(
    'Nobody else’s data',
    'The token is Alma’s. Noor’s row is null without an error, as if it did not exist.',
  );
  const query = 'query Foreign { customer(id: "c-000002") { name } }';
  const foreign = await ask(narrator, run.gateway, query, token);
  expect(foreign.body.data?.customer === null, 'another person’s row is null');
  expect(foreign.body.errors === undefined, 'it looks like a row that does not exist');

  narrator.heading(
    'Nothing happens that was not agreed to',
    'The mutation needs payments:write. It never reaches the subgraph.',
  );
  const payment = await ask(narrator, run.gateway, PAY, token);
  expect(payment.body.data?.startPayment === null, 'no payment was started');
}

/** @returns the transaction of the first refused request, for its audit record */
async function revoke(run: RunFile, narrator: Narrator, token: string): Promise<string | undefined> {
  narrator.heading(
    'Alma ends it',
    'By a mutation of the same federation, minutes before the token would expire.',
  );
  const { consent: claim, exp = 0 } = decodeJwt<{ consent: { id: string } }>(token);
  const mutation = `mutation End {
  revokeConsent(id: "${claim.id}", reason: "I have seen enough") { ended { id scopes } }
}`;
  const revoked = await ask(narrator, run.gateway, mutation, token);
  const answeredAtMs = performance.now();
  expect((revoked.body.errors ?? []).length === 0, 'the consent is revoked');
  const delayMs = await waitUntilRefused(run.gateway, token, answeredAtMs);
  const again = await ask(narrator, run.gateway, OVERVIEW, token);
  expect(again.status === 401, 'the token is refused');
  const secondsLeft = Math.round(exp - Date.now() / 1000);
  narrator.print(
    `Refused ${delayMs.toFixed(0)} ms after the mutation was answered; the token expires in ${secondsLeft} s.`,
  );
  expect(delayMs < MAX_REFUSAL_DELAY_MS, 'the refusal comes within a second');
  return again.transactionId;
}

async function refreshIsRefused(
  run: RunFile,
  narrator: Narrator,
  { client, tokens }: SignedIn,
): Promise<void> {
  narrator.heading('And it does not come back', 'The refresh token belongs to the same consent.');
  const { refresh_token: refreshToken } = tokens;
  if (refreshToken === undefined) throw new WalkthroughError('The authority issued no refresh token');
  narrator.print(`POST ${run.authority}/token  (grant_type=refresh_token)`);
  const refusal = await oauth.refreshTokenGrant(client, refreshToken).then(
    () => undefined,
    (error: unknown) => error,
  );
  if (!(refusal instanceof oauth.ResponseBodyError))
    throw new WalkthroughError('The refresh token still works');
  narrator.print(`${refusal.status} ${json(refusal.cause)}`);
}
