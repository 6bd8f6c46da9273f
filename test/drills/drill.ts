import * as oauth from 'openid-client';
import { EXAMPLE_AUDIENCE } from '@behalf/example/internal';
import { BrowserlessPerson } from '@behalf/example/internal';
import type { DrillSystem } from './system.js';

/** One simulated breach. */
export interface Drill {
  /** The name on the command line. */
  readonly name: string;
  /** What the attacker has, or what went wrong. */
  readonly breach: string;
  /** Carries out the attack. Rejects when it was not stopped. */
  run(system: DrillSystem, report: Report): Promise<void>;
}

/** Receives what a drill reports. */
export interface Report {
  tried(what: string): void;
  stopped(by: string): void;
  /** Something that still works meanwhile, as it should. */
  held(what: string): void;
}

/** An attack was not stopped, or something that should keep working did not. */
export class DrillError extends Error {
  override readonly name = 'DrillError';
  readonly code = 'DRILL';
}

export function expect(isSo: boolean, what: string): asserts isSo {
  if (!isSo) throw new DrillError(`not true: ${what}`);
}

const REDIRECT_URI = 'http://127.0.0.1:4999/callback';
export const BUDGET_SCOPES = 'profile:read accounts:read transactions:read consents:read consents:write';
export const ME = '{ me { name } }';
export const ADMINISTRATOR_SCOPES = 'consents:read consents:write consents:admin';

/** A real OAuth client of the drilled system. */
export async function discover(
  system: DrillSystem,
  clientId: 'budget-app' | 'bank-console' = 'budget-app',
): Promise<oauth.Configuration> {
  const authentication =
    clientId === 'bank-console' ? oauth.ClientSecretBasic(system.consoleSecret) : oauth.None();
  return oauth.discovery(new URL(system.front.url), clientId, undefined, authentication, {
    // eslint-disable-next-line @typescript-eslint/no-deprecated -- struck out so that it is noticed: all of this is on loopback
    execute: [oauth.allowInsecureRequests],
  });
}

export type Tokens = Awaited<ReturnType<typeof oauth.authorizationCodeGrant>>;

/** A person signs in and agrees to everything that is requested. */
export async function signIn(
  client: oauth.Configuration,
  user: 'alma' | 'noor' | 'iris',
  scope: string,
  options: oauth.DPoPOptions = {},
): Promise<Tokens> {
  const verifier = oauth.randomPKCECodeVerifier();
  const state = oauth.randomState();
  const url = oauth.buildAuthorizationUrl(client, {
    redirect_uri: REDIRECT_URI,
    scope,
    resource: EXAMPLE_AUDIENCE,
    state,
    code_challenge: await oauth.calculatePKCECodeChallenge(verifier),
    code_challenge_method: 'S256',
    prompt: 'consent',
  });
  const will = { user, password: `${user}-demo`, duration: 60 * 60 };
  const { callbackUrl } = await new BrowserlessPerson().follow(url, will);
  const checks = { pkceCodeVerifier: verifier, expectedState: state };
  return oauth.authorizationCodeGrant(client, callbackUrl, checks, undefined, options);
}

export interface Answer {
  readonly status: number;
  readonly headers: Headers;
  readonly data: Readonly<Record<string, unknown>> | null | undefined;
  /** Codes of its errors. */
  readonly codes: readonly unknown[];
}

/** One GraphQL request over HTTP. */
export async function post(
  url: string,
  query: string,
  headers: Readonly<Record<string, string>> = {},
): Promise<Answer> {
  const response = await fetch(url, {
    method: 'POST',
    headers: { 'content-type': 'application/json', ...headers },
    body: JSON.stringify({ query }),
  });
  const body = (await response.json()) as {
    data?: Record<string, unknown> | null;
    errors?: { extensions?: { code?: unknown } }[];
  };
  return {
    status: response.status,
    headers: response.headers,
    data: body.data,
    codes: (body.errors ?? []).map(({ extensions }) => extensions?.code),
  };
}

/** Sends a request with a bearer token to the gateway. */
export function ask(system: DrillSystem, token: string, query: string = ME): Promise<Answer> {
  return post(`${system.gatewayUrl}/graphql`, query, { authorization: `Bearer ${token}` });
}

export { until } from '../support/wait.js';
