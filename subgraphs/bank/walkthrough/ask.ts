import { setTimeout as sleep } from 'node:timers/promises';
import { WalkthroughError } from './error.js';
import { indent, json, type Narrator } from './narrator.js';

export interface GraphQLAnswer {
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

const REFUSAL_TIMEOUT_MS = 5_000;
const REFUSAL_INTERVAL_MS = 2;

/** Sends an operation to the gateway, and prints both the request and the answer. The token is not printed. */
export async function ask(
  narrator: Narrator,
  gateway: string,
  query: string,
  token?: string,
): Promise<GraphQLAnswer> {
  const { print } = narrator;
  print(`POST ${gateway}/graphql${token === undefined ? '' : '  authorization: Bearer <access token>'}`);
  print(indent(query));
  const answer = await askSilently(gateway, query, token);
  print(`${answer.status}${answer.challenge === undefined ? '' : `  www-authenticate: ${answer.challenge}`}`);
  print(indent(json(answer.body)));
  return answer;
}

/** Sends an operation to the gateway, and prints nothing. */
export async function askSilently(
  gateway: string,
  query: string,
  token: string | undefined,
): Promise<GraphQLAnswer> {
  const headers = new Headers({ 'content-type': 'application/json' });
  if (token !== undefined) headers.set('authorization', `Bearer ${token}`);
  const response = await fetch(`${gateway}/graphql`, {
    method: 'POST',
    headers,
    body: JSON.stringify({ query }),
  });
  return {
    status: response.status,
    transactionId: response.headers.get('behalf-transaction') ?? undefined,
    challenge: response.headers.get('www-authenticate') ?? undefined,
    body: (await response.json()) as GraphQLAnswer['body'],
  };
}

/**
 * Asks until the gateway refuses the token.
 *
 * @returns how many milliseconds after `sinceMs` (of `performance.now()`) it was refused
 * @throws WalkthroughError when it is still accepted after five seconds
 */
export async function waitUntilRefused(gateway: string, token: string, sinceMs: number): Promise<number> {
  while (performance.now() - sinceMs < REFUSAL_TIMEOUT_MS) {
    const { status } = await askSilently(gateway, '{ me { name } }', token);
    if (status === 401) return performance.now() - sinceMs;
    await sleep(REFUSAL_INTERVAL_MS);
  }
  throw new WalkthroughError('The gateway still accepts the revoked token');
}

export function codesOf({ body }: GraphQLAnswer): (string | undefined)[] {
  return (body.errors ?? []).map(({ extensions }) => extensions?.code);
}
