import { request as httpRequest } from 'node:http';
import type { IncomingHttpHeaders } from 'node:http';
import { createServer } from 'node:net';
import type { AddressInfo } from 'node:net';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { ProtectedSubgraphOptions, SubgraphLogFacts } from '@behalf/directives';
import { systemClock } from '@behalf/directives/internal';
import {
  AUDIENCE,
  Cleanup,
  compose,
  freePort,
  listen,
  sendJson,
  startTestGateway,
  TestIssuer,
  TestSubgraph,
} from './support.js';
import type { TestGateway } from './support.js';

/** How a subgraph can be configured so that it trusts no token of its gateway. */
interface Mistake {
  readonly trust?: {
    readonly issuer?: string;
    readonly jwksUri?: string;
    readonly allowInsecureGateway?: boolean;
  };
  readonly name?: string;
  /** Its clock, ahead of the gateway's. */
  readonly clockAheadMs?: number;
}

const cleanup = new Cleanup();
let issuer: TestIssuer;
let port: number;
let otherGateway: TestGateway;
/** Addresses of things that are not the gateway's keys. */
const at = { nobody: '', tls: '', redirect: '', page: '', otherJson: '' };

beforeAll(async () => {
  issuer = await TestIssuer.start();
  cleanup.add(() => issuer.close());
  at.nobody = `http://127.0.0.1:${await freePort()}/jwks`;
  // To plain HTTP, a TLS listener closes the connection.
  const tls = createServer((socket) => socket.once('data', () => socket.destroy()));
  await new Promise<void>((resolve) => tls.listen(0, '127.0.0.1', resolve));
  cleanup.add(() => tls.close());
  at.tls = `http://127.0.0.1:${(tls.address() as AddressInfo).port}/jwks`;
  const server = await listen((request, response) => {
    if (request.url === '/redirect')
      response.writeHead(301, { location: 'https://gateway.example/jwks' }).end();
    else if (request.url === '/page') response.end('<!doctype html><p>Not found</p>');
    else sendJson(response, 200, { status: 'ok' });
  });
  cleanup.add(() => server.close());
  at.redirect = `${server.url}/redirect`;
  at.page = `${server.url}/page`;
  at.otherJson = `${server.url}/health`;
  otherGateway = await startTestGateway(cleanup, compose(await startPeople({})), {
    issuers: [{ issuer: issuer.url, audience: AUDIENCE }],
  });
});
afterAll(() => cleanup.run());

async function startPeople(
  { trust = {}, name, clockAheadMs = 0 }: Mistake,
  log: ProtectedSubgraphOptions['log'] = () => undefined,
): Promise<TestSubgraph> {
  port = await freePort();
  const url = `http://127.0.0.1:${port}`;
  const gateway = { issuer: url, jwksUri: `${url}/.well-known/jwks.json`, ...trust };
  const people = await TestSubgraph.start('people', gateway, undefined, {
    log,
    clock: { ...systemClock, now: () => Date.now() + clockAheadMs },
    ...(name === undefined ? {} : { name }),
  });
  cleanup.add(() => people.close());
  return people;
}

const mistakes: [string, () => Mistake, string | undefined][] = [
  ['nothing', () => ({}), undefined],
  ['another issuer', () => ({ trust: { issuer: 'https://other.example' } }), 'TXN_TOKEN_ISSUER'],
  ['the issuer of another gateway', () => ({ trust: { issuer: otherGateway.url } }), 'TXN_TOKEN_ISSUER'],
  ['another name of its own', () => ({ name: 'customers' }), 'TXN_TOKEN_AUDIENCE'],
  ['its own name in another case', () => ({ name: 'People' }), 'TXN_TOKEN_AUDIENCE'],
  [
    'the keys of another gateway',
    () => ({ trust: { jwksUri: `${otherGateway.url}/.well-known/jwks.json` } }),
    'TXN_TOKEN_SIGNATURE',
  ],
  ['the keys of the login', () => ({ trust: { jwksUri: `${issuer.url}/jwks` } }), 'TXN_TOKEN_SIGNATURE'],
  ['keys where nobody listens', () => ({ trust: { jwksUri: at.nobody } }), 'TXN_TOKEN_KEYS_UNAVAILABLE'],
  [
    'keys at a host that does not exist',
    () => ({ trust: { jwksUri: 'http://gateway.invalid/jwks', allowInsecureGateway: true } }),
    'TXN_TOKEN_KEYS_UNAVAILABLE',
  ],
  ['keys by http at a TLS listener', () => ({ trust: { jwksUri: at.tls } }), 'TXN_TOKEN_KEYS_UNAVAILABLE'],
  [
    'keys by http that redirect to https',
    () => ({ trust: { jwksUri: at.redirect } }),
    'TXN_TOKEN_KEYS_UNAVAILABLE',
  ],
  ['a page instead of keys', () => ({ trust: { jwksUri: at.page } }), 'TXN_TOKEN_KEYS_UNAVAILABLE'],
  ['other JSON instead of keys', () => ({ trust: { jwksUri: at.otherJson } }), 'TXN_TOKEN_KEYS_UNAVAILABLE'],
  ['a clock that is ahead', () => ({ clockAheadMs: 60_000 }), 'TXN_TOKEN_EXPIRED'],
  ['a clock that is a little ahead', () => ({ clockAheadMs: 3_000 }), undefined],
  ['a clock that is behind', () => ({ clockAheadMs: -60_000 }), undefined],
];

describe.each(mistakes)('a subgraph with %s', (_what, mistake, reason) => {
  it(`is reported on both sides: ${reason ?? 'not at all'}`, async () => {
    const lines: [string, SubgraphLogFacts][] = [];
    const given = mistake();
    const people = await startPeople(given, (code, facts) => void lines.push([code, facts]));
    const gateway = await startTestGateway(cleanup, compose(people), {
      listen: { port },
      issuers: [{ issuer: issuer.url, audience: AUDIENCE }],
    });
    const token = await issuer.mint({ scope: 'name' });
    const answers = [
      await gateway.ask('{ me { name } }', { token }),
      await gateway.ask('{ me { name } }', { token }),
    ];
    const names = answers.map(({ body }) => body.data?.me);

    if (reason === undefined) {
      expect(names).toEqual([{ name: 'Name of c-000001' }, { name: 'Name of c-000001' }]);
      expect(lines).toEqual([]);
      expect(gateway.log.of('TXN_TOKEN_REFUSED')).toEqual([]);
      return;
    }
    expect(names).toEqual([{ name: null }, { name: null }]);
    const refused = lines.filter(([code]) => code === 'TXN_TOKEN_REFUSED');
    expect(refused).toEqual([['TXN_TOKEN_REFUSED', { subgraph: given.name ?? 'people', reason, count: 1 }]]);
    expect(gateway.log.of('TXN_TOKEN_REFUSED')).toEqual([{ subgraph: 'people', reason, count: 1 }]);
    expect(gateway.log.of('SUBGRAPH_UNPROTECTED')).toEqual([]);
    const { text } = await gateway.running.gateway.metrics();
    expect(text).toContain(`behalf_refused_txn_tokens_total{subgraph="people",reason="${reason}"} 2`);
    for (const answer of answers) expect(answer.text).not.toMatch(/TXN_TOKEN|refusedToken/);
  });
});

describe.each<[string, (headers: IncomingHttpHeaders) => void]>([
  ['removes', (headers) => delete headers['txn-token']],
  ['empties', (headers) => void (headers['txn-token'] = '')],
])('a proxy that %s the token on the way to a subgraph', (_what, change) => {
  it('is reported by the gateway, and not for callers for whom there is no token', async () => {
    const lines: unknown[] = [];
    const people = await startPeople({}, (code, facts) => void lines.push([code, facts]));
    const proxy = await listen((request, response) => {
      change(request.headers);
      const onward = httpRequest(people.url, { method: 'POST', headers: request.headers }, (answer) => {
        response.writeHead(answer.statusCode ?? 502, answer.headers);
        answer.pipe(response);
      });
      request.pipe(onward);
    });
    cleanup.add(() => proxy.close());
    const gateway = await startTestGateway(cleanup, compose(people), {
      listen: { port },
      issuers: [{ issuer: issuer.url, audience: AUDIENCE }],
      audit: { mode: 'off' },
      subgraphs: { people: { url: proxy.url } },
    });
    expect((await gateway.ask('{ hello me { name } }')).body.data).toMatchObject({ hello: 'hello world' });
    const { text: before } = await gateway.running.gateway.metrics();
    expect(before).not.toContain('behalf_refused_txn_tokens_total{');
    for (const code of ['TXN_TOKEN_REFUSED', 'SUBGRAPH_UNPROTECTED', 'SUBGRAPH_FACTS_MALFORMED'] as const)
      expect(gateway.log.of(code)).toEqual([]);

    const answer = await gateway.ask('{ me { name } }', { token: await issuer.mint({ scope: 'name' }) });
    expect(answer.body.data).toEqual({ me: { name: null } });
    expect(answer.text).not.toMatch(/TXN_TOKEN|refusedToken/);
    const reason = 'TXN_TOKEN_MISSING';
    expect(gateway.log.of('TXN_TOKEN_REFUSED')).toEqual([{ subgraph: 'people', reason, count: 1 }]);
    expect(gateway.log.of('SUBGRAPH_UNPROTECTED')).toEqual([]);
    const { text } = await gateway.running.gateway.metrics();
    expect(text).toContain(`behalf_refused_txn_tokens_total{subgraph="people",reason="${reason}"} 1`);
    expect(lines).toEqual([]);
  });
});
