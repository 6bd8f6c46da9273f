import { setTimeout as sleep } from 'node:timers/promises';
import { decodeJwt, decodeProtectedHeader } from 'jose';
import * as oauth from 'openid-client';
import { readAudit } from '@behalf/audit/postgres';
import type { AuditDatabase } from '@behalf/audit/postgres';
import { BrowserlessPerson } from '@behalf/example/internal';
import { openDatabase } from '@behalf/store';
import { describeRecord } from './audit-tail.js';
import { partsLog } from './log.js';
import { readRunFile } from './run-file.js';
import type { RunFile } from './run-file.js';
import { freePorts } from './ports.js';
import { EXAMPLE_AUDIENCE, startExample } from './start.js';
import { printLine } from './terminal.js';

/** Something did not go as the walkthrough tells. */
export class WalkthroughError extends Error {
  override readonly name = 'WalkthroughError';
  readonly code = 'WALKTHROUGH';
}

export interface WalkthroughOptions {
  readonly dataDir: string;
  readonly databaseUrl?: string | undefined;
  readonly print?: (line: string) => void;
}

const CLIENT_ID = 'budget-app';
const REDIRECT_URI = 'http://127.0.0.1:4999/callback';
const ASKED = [
  'profile:read',
  'profile:contact',
  'accounts:read',
  'accounts:details',
  'transactions:read',
  'consents:read',
  'consents:write',
];
const DECLINED = ['profile:contact', 'accounts:details'];

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

interface GraphQLAnswer {
  readonly status: number;
  readonly transactionId: string | undefined;
  readonly challenge: string | undefined;
  readonly body: {
    readonly data?: Record<string, unknown> | null;
    readonly errors?: readonly GraphQLProblem[];
  };
}

interface GraphQLProblem {
  readonly message: string;
  readonly path?: readonly (string | number)[];
  readonly extensions?: { readonly code?: string; readonly requires?: unknown };
}

/** `behalf walkthrough`. @throws {WalkthroughError} when something is not as it tells. */
export async function walkthroughCommand(options: WalkthroughOptions): Promise<void> {
  const print = options.print ?? printLine;
  const running = await readRunFile(options.dataDir);
  if (running !== undefined) {
    print(`Walking through the start that runs at ${running.gateway}`);
    await walk(running, print);
    return;
  }
  print('No start runs on this data folder: starting one for the walkthrough');
  const example = await startExample({
    dataDir: options.dataDir,
    databaseUrl: options.databaseUrl,
    ports: await freePorts(),
    log: partsLog('error'),
  });
  try {
    await walk(
      {
        pid: process.pid,
        databaseUrl: example.databaseUrl,
        gateway: example.gatewayUrl,
        authority: example.authorityUrl,
        audience: EXAMPLE_AUDIENCE,
        consoleSecret: example.consoleSecret,
      },
      print,
    );
  } finally {
    await example.close();
  }
}

async function walk(run: RunFile, print: (line: string) => void): Promise<void> {
  const heading = stepHeadings(print);
  const graphql = (query: string, token?: string): Promise<GraphQLAnswer> =>
    askGateway(run.gateway, query, token, print);

  heading('Without a token, only what is public', 'Nobody has said who is asking: the accounts stay closed.');
  const anonymous = await graphql('{ accountProducts myAccounts { balance } }');
  expect(anonymous.body.data?.accountProducts !== null, 'public data is answered');
  expect(anonymous.body.data?.myAccounts === null, 'accounts are not');

  heading(
    'Alma signs in and decides',
    `Pocket Budget asks for ${ASKED.length} scopes; Alma declines two of them.`,
  );
  const client = await oauth.discovery(new URL(run.authority), CLIENT_ID, undefined, oauth.None(), {
    // eslint-disable-next-line @typescript-eslint/no-deprecated -- struck out so that it is noticed: all of this is on loopback
    execute: [oauth.allowInsecureRequests],
  });
  const verifier = oauth.randomPKCECodeVerifier();
  const state = oauth.randomState();
  const authorizationUrl = oauth.buildAuthorizationUrl(client, {
    redirect_uri: REDIRECT_URI,
    scope: ASKED.join(' '),
    resource: run.audience,
    state,
    code_challenge: await oauth.calculatePKCECodeChallenge(verifier),
    code_challenge_method: 'S256',
    // The example remembers what was agreed to in an earlier walkthrough; ask again.
    prompt: 'consent',
  });
  print(
    `GET ${authorizationUrl.origin}${authorizationUrl.pathname}  (scope, PKCE challenge, state, resource)`,
  );
  const alma = new BrowserlessPerson();
  const { callbackUrl, pages } = await alma.follow(authorizationUrl, {
    user: 'alma',
    password: 'alma-demo',
    deny: DECLINED,
    duration: 24 * 60 * 60,
  });
  for (const page of pages) print(`  page  ${titleOf(page.markup)}`);
  for (const { name, sentence } of offeredScopes(pages.at(-1)?.markup ?? '')) {
    print(`    [${DECLINED.includes(name) ? ' ' : 'x'}] ${sentence}  (${name})`);
  }
  print('    for one day');
  print(`302 ${callbackUrl.origin}${callbackUrl.pathname}?code=…`);
  const tokens = await oauth.authorizationCodeGrant(client, callbackUrl, {
    pkceCodeVerifier: verifier,
    expectedState: state,
  });
  const token = tokens.access_token;
  const claims = decodeJwt(token);
  print('');
  print('The access token says (its signature is not shown):');
  print(json({ header: decodeProtectedHeader(token), payload: claims }));
  const { id: consentId } = claims.consent as { id: string };

  heading(
    'Less than it asked for',
    'What Alma agreed to is whole. Without the fuller scopes, values are masked, cut and rounded by the subgraph; ' +
      'what she declined is null, with a denial that names the scope.',
  );
  const overview = await graphql(OVERVIEW, token);
  const me = overview.body.data?.me as Record<string, unknown> | null;
  expect(me?.name === 'Alma Lindqvist', 'the name is whole');
  expect(typeof me?.email === 'string' && me.email.includes('*'), 'the e-mail address is masked');
  expect(me?.taxId === null, 'the tax number is redacted');
  expect((me?.address as Record<string, unknown> | null)?.street === null, 'the street is denied');
  expect(codesOf(overview).includes('UNAUTHORIZED_FIELD_OR_TYPE'), 'a denial says so');

  heading(
    'Nobody else’s data',
    'The token is Alma’s. Noor’s row is null without an error, as if there were none.',
  );
  const foreign = await graphql('query Foreign { customer(id: "c-000002") { name } }', token);
  expect(foreign.body.data?.customer === null, 'a foreign row is null');
  expect(foreign.body.errors === undefined, 'and looks like one that does not exist');

  heading(
    'Nothing that was not agreed to is done',
    'The mutation needs payments:write. It never reaches the subgraph.',
  );
  const payment = await graphql(PAY, token);
  expect(payment.body.data?.startPayment === null, 'no payment was started');

  heading('It is on record', 'Each coordinate, how often, decided by which rule. No value, no argument.');
  await printRecord(run.databaseUrl, overview.transactionId, print);

  heading(
    'Alma ends it',
    'A mutation through the same federation; the token would have lived on for minutes.',
  );
  const end = `mutation End {
  revokeConsent(id: "${consentId}", reason: "I have seen enough") { ended { id scopes } }
}`;
  const revoked = await graphql(end, token);
  const answeredAt = performance.now();
  expect((revoked.body.errors ?? []).length === 0, 'the consent is revoked');
  const refusedAfterMs = await untilRefused(run.gateway, token, answeredAt);
  const again = await graphql(OVERVIEW, token);
  expect(again.status === 401, 'the token is refused');
  const secondsLeft = Math.round((claims.exp ?? 0) - Date.now() / 1000);
  print(
    `Refused ${refusedAfterMs.toFixed(0)} ms after the mutation’s answer; the token expires in ${secondsLeft} s.`,
  );
  expect(refusedAfterMs < 1_000, 'the refusal comes within a second');

  heading('And it does not come back', 'The refresh token stands on the same consent.');
  const { refresh_token: refreshToken } = tokens;
  if (refreshToken === undefined) throw new WalkthroughError('there was no refresh token');
  print(`POST ${run.authority}/token  (grant_type=refresh_token)`);
  const refused = await oauth.refreshTokenGrant(client, refreshToken).then(
    () => undefined,
    (error: unknown) => error,
  );
  if (!(refused instanceof oauth.ResponseBodyError))
    throw new WalkthroughError('the refresh token still works');
  print(`${refused.status} ${json(refused.cause)}`);
  print('');
  print('The refusal is on record too:');
  await printRecord(run.databaseUrl, again.transactionId, print);
  print('');
  print('That was all of it: consented, filtered, minimized, recorded, revoked.');
}

async function askGateway(
  gateway: string,
  query: string,
  token: string | undefined,
  print: (line: string) => void,
): Promise<GraphQLAnswer> {
  print(`POST ${gateway}/graphql${token === undefined ? '' : '  authorization: Bearer <access token>'}`);
  print(indent(query));
  const answer = await post(gateway, query, token);
  print(`${answer.status}${answer.challenge === undefined ? '' : `  www-authenticate: ${answer.challenge}`}`);
  print(indent(json(answer.body)));
  return answer;
}

async function post(gateway: string, query: string, token: string | undefined): Promise<GraphQLAnswer> {
  const response = await fetch(`${gateway}/graphql`, {
    method: 'POST',
    headers: {
      'content-type': 'application/json',
      ...(token === undefined ? {} : { authorization: `Bearer ${token}` }),
    },
    body: JSON.stringify({ query }),
  });
  return {
    status: response.status,
    transactionId: response.headers.get('behalf-transaction') ?? undefined,
    challenge: response.headers.get('www-authenticate') ?? undefined,
    body: (await response.json()) as GraphQLAnswer['body'],
  };
}

const REFUSAL_TIMEOUT_MS = 5_000;

async function untilRefused(gateway: string, token: string, sinceMs: number): Promise<number> {
  while (performance.now() - sinceMs < REFUSAL_TIMEOUT_MS) {
    const { status } = await post(gateway, '{ me { name } }', token);
    if (status === 401) return performance.now() - sinceMs;
    await sleep(2);
  }
  throw new WalkthroughError('the revoked token still works');
}

/** The record of a transaction. It is written by the gateway's own connection, so it may be a moment late. */
async function printRecord(
  databaseUrl: string,
  transactionId: string | undefined,
  print: (line: string) => void,
): Promise<void> {
  if (transactionId === undefined) throw new WalkthroughError('the answer names no transaction');
  const db = openDatabase<AuditDatabase>(databaseUrl, { max: 1 });
  try {
    const [record] = await readAudit(db, { transactionId, limit: 1 });
    if (record === undefined) throw new WalkthroughError('there is no record of the request');
    print(describeRecord(record));
  } finally {
    await db.destroy();
  }
}

function expect(isSo: boolean, what: string): void {
  if (!isSo) throw new WalkthroughError(`it is not so that ${what}`);
}

function codesOf({ body }: GraphQLAnswer): (string | undefined)[] {
  return (body.errors ?? []).map(({ extensions }) => extensions?.code);
}

function stepHeadings(print: (line: string) => void): (title: string, words: string) => void {
  let step = 0;
  return (title, words) => {
    step += 1;
    print('');
    print(`━━ ${step}. ${title} ${'━'.repeat(Math.max(3, 90 - title.length))}`);
    print(words);
    print('');
  };
}

function titleOf(markup: string): string {
  return /<title>([^<]*)<\/title>/.exec(markup)?.[1] ?? '(no title)';
}

/** What the consent page offered: each check box with its words. */
function offeredScopes(markup: string): { name: string; sentence: string }[] {
  return [...markup.matchAll(/<input[^>]*name="scope"[^>]*value="([^"]+)"[^>]*>([\s\S]*?)<\/label>/g)].map(
    ([, name = '', label = '']) => ({
      name,
      sentence: label
        .replace(/<code[\s\S]*?<\/code\s*>/g, '')
        .replace(/<[^>]*>/g, ' ')
        .replace(/\s+/g, ' ')
        .trim(),
    }),
  );
}

const LINE_WIDTH = 100;

/** JSON in which whatever fits on a line stands on one. */
function json(value: unknown, depth = 0): string {
  const line = JSON.stringify(value);
  if (typeof value !== 'object' || value === null || line.length + 2 * depth <= LINE_WIDTH) return line;
  const inner = '  '.repeat(depth + 1);
  const entries = Array.isArray(value)
    ? value.map((entry) => json(entry, depth + 1))
    : Object.entries(value).map(([key, entry]) => `${JSON.stringify(key)}: ${json(entry, depth + 1)}`);
  const [open, close] = Array.isArray(value) ? ['[', ']'] : ['{', '}'];
  return `${open}\n${inner}${entries.join(`,\n${inner}`)}\n${'  '.repeat(depth)}${close}`;
}

function indent(text: string): string {
  return text.replace(/^/gm, '    ');
}
