import * as oauth from 'openid-client';
import { BrowserlessPerson } from './browserless-person.js';
import type { RunFile } from 'behalf/internal';
import type { Narrator } from './narrator.js';

const REDIRECT_URI = 'http://127.0.0.1:4999/callback';
const ONE_DAY_SECONDS = 24 * 60 * 60;

export const REQUESTED_SCOPES = [
  'profile:read',
  'profile:contact',
  'accounts:read',
  'accounts:details',
  'transactions:read',
  'consents:read',
  'consents:write',
];

/** What an application asks for, and what Alma makes of it. */
export interface Asking {
  readonly clientId: string;
  /** Default: a public client. */
  readonly secret?: string;
  readonly scopes: readonly string[];
  readonly declined: readonly string[];
}

const BUDGET_APP: Asking = {
  clientId: 'budget-app',
  scopes: REQUESTED_SCOPES,
  declined: ['profile:contact', 'accounts:details'],
};

export interface SignedIn {
  readonly client: oauth.Configuration;
  readonly tokens: oauth.TokenEndpointResponse;
}

/** Alma signs in, declines some of the scopes on the consent page, and the application fetches its tokens (PKCE). */
export async function signIn(run: RunFile, { print }: Narrator, asking = BUDGET_APP): Promise<SignedIn> {
  const { clientId, scopes, secret } = asking;
  const authentication = secret === undefined ? oauth.None() : oauth.ClientSecretBasic(secret);
  const client = await oauth.discovery(new URL(run.authority), clientId, undefined, authentication, {
    // eslint-disable-next-line @typescript-eslint/no-deprecated -- deprecated only to draw attention; everything here is on loopback
    execute: [oauth.allowInsecureRequests],
  });
  const verifier = oauth.randomPKCECodeVerifier();
  const state = oauth.randomState();
  const authorizationUrl = oauth.buildAuthorizationUrl(client, {
    redirect_uri: REDIRECT_URI,
    scope: scopes.join(' '),
    resource: run.audience,
    state,
    code_challenge: await oauth.calculatePKCECodeChallenge(verifier),
    code_challenge_method: 'S256',
    // An earlier walkthrough may have left a consent behind: show the page again.
    prompt: 'consent',
  });
  print(
    `GET ${authorizationUrl.origin}${authorizationUrl.pathname}  (scope, PKCE challenge, state, resource)`,
  );
  const callbackUrl = await decideOnThePages(authorizationUrl, asking, print);
  const tokens = await oauth.authorizationCodeGrant(client, callbackUrl, {
    pkceCodeVerifier: verifier,
    expectedState: state,
  });
  return { client, tokens };
}

async function decideOnThePages(
  authorizationUrl: URL,
  { declined }: Asking,
  print: (line: string) => void,
): Promise<URL> {
  const { callbackUrl, pages } = await new BrowserlessPerson().follow(authorizationUrl, {
    user: 'alma',
    password: 'alma-demo',
    deny: declined,
    duration: ONE_DAY_SECONDS,
  });
  for (const page of pages) print(`  page  ${titleOf(page.markup)}`);
  for (const { name, sentence } of offeredScopes(pages.at(-1)?.markup ?? '')) {
    print(`    [${declined.includes(name) ? ' ' : 'x'}] ${sentence}  (${name})`);
  }
  print('    for one day');
  print(`302 ${callbackUrl.origin}${callbackUrl.pathname}?code=…`);
  return callbackUrl;
}

function titleOf(markup: string): string {
  return /<title>([^<]*)<\/title>/.exec(markup)?.[1] ?? '(no title)';
}

/** The check boxes of the consent page, each with its sentence. */
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
