import type { IncomingMessage, ServerResponse } from 'node:http';
import { decodeJwt } from 'jose';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import {
  AUDIENCE,
  Cleanup,
  codes,
  compose,
  freePort,
  startTestGateway,
  TestIssuer,
  TestSubgraph,
} from '../support.js';
import type { TestGateway } from '../support.js';

// A server closes an idle connection when it likes, also while the next request is on its way (RFC 9112 section 9.5).

type Instead = NonNullable<TestSubgraph['instead']>;

const cleanup = new Cleanup();
let issuer: TestIssuer;
let people: TestSubgraph;
let accounts: TestSubgraph;
let gateway: TestGateway;
let token: string;

beforeAll(async () => {
  const port = await freePort();
  const url = `http://127.0.0.1:${port}`;
  const trust = { issuer: url, jwksUri: `${url}/.well-known/jwks.json` };
  issuer = await TestIssuer.start();
  people = await TestSubgraph.start('people', trust, undefined, { binding: 'required' });
  accounts = await TestSubgraph.start('accounts', trust, undefined, { binding: 'required' });
  for (const each of [issuer, people, accounts]) cleanup.add(() => each.close());
  gateway = await startTestGateway(cleanup, compose(people, accounts), {
    listen: { port },
    issuers: [{ issuer: issuer.url, audience: AUDIENCE }],
    propagation: { bind: 'body' },
  });
  token = await issuer.mint({ scope: 'name accounts accounts:full people:write' });
});
afterAll(() => cleanup.run());
beforeEach(async () => {
  people.instead = undefined;
  accounts.instead = undefined;
  // Leaves an idle connection to each of them.
  await gateway.ask('{ hello rates }');
  people.requests.length = 0;
  accounts.requests.length = 0;
  gateway.log.entries.length = 0;
});

/** Only the next request; further ones are answered. */
function once(subgraph: TestSubgraph, instead: Instead): Instead {
  return (request, response) => {
    subgraph.instead = undefined;
    return instead(request, response);
  };
}

const tokenIds = (subgraph: TestSubgraph): unknown[] =>
  subgraph.requests.map(({ headers }) => decodeJwt(String(headers['txn-token'])).jti);

const closes: readonly [string, Instead][] = [
  ['is closed', ({ socket }) => socket.destroy()],
  ['is reset', ({ socket }) => socket.resetAndDestroy()],
  ['is ended', ({ socket }) => socket.end()],
  [
    'is closed after a hint and',
    ({ socket }, response) => {
      response.writeEarlyHints({ link: '</style.css>; rel=preload' }, () => socket.destroy());
    },
  ],
  [
    'is reset after "102 Processing" and',
    ({ socket }, response) => {
      response.writeProcessing();
      setImmediate(() => socket.resetAndDestroy());
    },
  ],
];

describe.each(closes)('if a connection %s before the answer', (_how, close) => {
  it('a query is sent once more, with a new token', async () => {
    people.instead = once(people, close);
    const answer = await gateway.ask('{ me { name } }', { token });
    expect(answer.body).toEqual({ data: { me: { name: 'Name of c-000001' } } });
    expect(people.requests).toHaveLength(2);
    expect(new Set(tokenIds(people)).size).toBe(2);
    expect(gateway.log.of('SUBREQUEST_HTTP_ERROR')).toEqual([]);
  });

  it('so is a fetch of entities', async () => {
    accounts.instead = once(accounts, close);
    const answer = await gateway.ask('{ me { accounts { id } } }', { token });
    expect(answer.body.errors).toBeUndefined();
    expect(accounts.requests).toHaveLength(2);
    expect(new Set(tokenIds(accounts)).size).toBe(2);
  });

  it('so is the fetch of entities for a mutation, and the mutation is not', async () => {
    accounts.instead = once(accounts, close);
    const answer = await gateway.ask('mutation { rename(name: "x") { accounts { id } } }', { token });
    expect(answer.body.errors).toBeUndefined();
    expect(people.requests).toHaveLength(1);
    expect(accounts.requests).toHaveLength(2);
  });

  it('a mutation is never sent again', async () => {
    for (const mutation of ['mutation { touch }', 'mutation M { t: touch }']) {
      people.requests.length = 0;
      gateway.log.entries.length = 0;
      people.instead = close;
      const answer = await gateway.ask(mutation, { token });
      expect(codes(answer)).toEqual(['SUBREQUEST_HTTP_ERROR']);
      expect(people.requests).toHaveLength(1);
      expect(gateway.log.of('SUBREQUEST_HTTP_ERROR')).toHaveLength(1);
    }
  });

  it('a query is not sent a third time', async () => {
    people.instead = close;
    const answer = await gateway.ask('{ hello rates }');
    expect(answer.body.data).toEqual({ hello: null, rates: 'up' });
    expect(codes(answer)).toEqual(['SUBREQUEST_HTTP_ERROR']);
    expect(people.requests).toHaveLength(2);
    expect(gateway.log.of('SUBREQUEST_HTTP_ERROR')).toHaveLength(1);
  });
});

const begun = (_request: IncomingMessage, response: ServerResponse): void => {
  response.writeHead(200, { 'content-type': 'application/json' }).write('{"data":');
  setImmediate(() => response.socket?.destroy());
};

it.each<[string, Instead]>([
  ['has begun', begun],
  ['is an HTTP error', (_request, response) => response.writeHead(503).end()],
  ['is malformed', (_request, response) => response.writeHead(200, { 'content-type': 'text/html' }).end()],
])('a query is not sent again if the answer %s', async (_what, instead) => {
  people.instead = instead;
  await gateway.ask('{ hello }');
  expect(people.requests).toHaveLength(1);
});
