import { ApolloServer } from '@apollo/server';
import { startStandaloneServer } from '@apollo/server/standalone';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { ApolloGateway } from '../../gateway/apollo.js';
import { createOperationAuthorizer } from '../../gateway/authorize/index.js';
import { protectGateway } from '../../gateway/index.js';
import {
  AUDIENCE,
  Cleanup,
  compose,
  listen,
  MemorySink,
  send,
  sendJson,
  TestIssuer,
  TestLog,
  TestSubgraph,
} from './support.js';
import type { Answer } from './support.js';

const cleanup = new Cleanup();
const log = new TestLog();
const sink = new MemorySink();
const { records } = sink;
let issuer: TestIssuer;
let stock: string;
let shadow: string;
let metrics: () => Promise<string>;

const quiet = {
  debug: () => undefined,
  info: () => undefined,
  warn: () => undefined,
  error: () => undefined,
};

beforeAll(async () => {
  issuer = await TestIssuer.start();
  cleanup.add(() => issuer.close());

  const plain = [await TestSubgraph.start('people'), await TestSubgraph.start('accounts')];
  stock = await serve(
    new ApolloGateway({
      supergraphSdl: createOperationAuthorizer(compose(...plain)).executableSdl,
      logger: quiet,
    }),
  );

  const keys: object[] = [];
  const keySet = await listen((_request, response) => sendJson(response, 200, { keys }));
  cleanup.add(() => keySet.close());
  const trust = { issuer: 'https://gateway.example', jwksUri: `${keySet.url}/jwks` };
  const watched = await Promise.all(
    (['people', 'accounts'] as const).map((name) =>
      TestSubgraph.start(name, trust, undefined, { enforcement: 'shadow', pseudonymKey: new Uint8Array(32) }),
    ),
  );
  const gateway = protectGateway(
    { supergraphSdl: compose(...watched), logger: quiet },
    {
      issuers: [{ issuer: issuer.url, audience: AUDIENCE }],
      propagation: { issuer: trust.issuer },
      authorization: { mode: 'shadow' },
      introspection: 'all',
      audit: {
        mode: 'required',
        pseudonymKey: new Uint8Array(32),
        sink,
      },
      log,
    },
  );
  metrics = async () => (await gateway.metrics()).text;
  shadow = await serve(gateway);
  keys.push(...(await gateway.jwks()).keys);
  for (const subgraph of [...plain, ...watched]) cleanup.add(() => subgraph.close());
});
afterAll(() => cleanup.run());

async function serve(
  gateway: ConstructorParameters<typeof ApolloServer>[0]['gateway'] & object,
): Promise<string> {
  const server = new ApolloServer({
    gateway,
    logger: quiet,
    introspection: true,
    includeStacktraceInErrorResponses: false,
    stopOnTerminationSignals: false,
  });
  const { url } = await startStandaloneServer(server, { listen: { port: 0, host: '127.0.0.1' } });
  cleanup.add(() => server.stop());
  return url;
}

function ask(url: string, query: string, token?: string, variables: object = {}): Promise<Answer> {
  return send(url, JSON.stringify({ query, variables }), {
    'content-type': 'application/json',
    accept: 'application/graphql-response+json',
    ...(token === undefined ? {} : { authorization: `Bearer ${token}` }),
  });
}

const battery: [string, object?][] = [
  ['{ hello me { id name email nick score vip } }'],
  ['{ mine }'],
  ['{ me { accounts { iban balance id } tax name } }'],
  ['{ b: me { z: name a: id } a: hello __typename }'],
  ['query ($x: Boolean!) { me { name @include(if: $x) email @skip(if: $x) } }', { x: true }],
  [
    '{ me { ...P ... on Person { nick } } } fragment P on Person { email accounts { ...A } } fragment A on Account { iban }',
  ],
  ['{ me { id fails email } }'],
  ['{ __proto__: hello constructor: me { hasOwnProperty: email } }'],
  ['mutation { rename(name: "x") { id name } touch }'],
  ['query ($id: ID!) { person(id: $id) { id email } }', { id: '7' }],
  ['query ($id: ID!) { person(id: $id) { id email } }'],
  ['{ me { nothing } }'],
  ['{ me { id '],
  ['{ __schema { queryType { name } } hello }'],
];

describe('shadow mode, at the gateway and in the subgraphs', () => {
  it.each(battery)('answers byte for byte as without Behalf: %s', async (query = '', variables = {}) => {
    const expected = await ask(stock, query, undefined, variables);
    for (const token of [undefined, await issuer.mint(), await issuer.mint({ scope: 'name email' })]) {
      const answer = await ask(shadow, query, token, variables);
      expect(answer.text).toBe(expected.text);
      expect(answer.status).toBe(expected.status);
      expect(answer.headers['www-authenticate']).toBeUndefined();
    }
  });

  it('still refuses an invalid token', async () => {
    expect((await ask(shadow, '{ hello }', 'a.b.c')).status).toBe(401);
  });

  it('reports would-be denials in record, log and metrics', async () => {
    records.length = 0;
    log.entries.length = 0;
    const token = await issuer.mint({ scope: 'accounts' });
    const { body } = await ask(shadow, '{ me { email accounts { iban balance } } }', token);
    expect(body.data).toMatchObject({ me: { accounts: [{ iban: 'SE4550000000058398257466' }] } });
    expect(log.of('WOULD_DENY')).toMatchObject([{ coordinates: 'Person.email Account.balance', denials: 2 }]);
    const [record] = records;
    const facts = record?.fields.map(({ coordinate, decision, subgraph }) =>
      [coordinate, decision, subgraph ?? 'gateway'].join(' '),
    );
    for (const fact of [
      'Person.email would-deny gateway',
      'Person.email would-deny people',
      'Account.balance would-deny accounts',
      'Account.iban would-minimize accounts',
    ])
      expect(facts).toContain(fact);
    expect(record?.fields.some(({ decision }) => decision === 'denied' || decision === 'minimized')).toBe(
      false,
    );
    const text = await metrics();
    expect(text).toMatch(/behalf_denials_total\{coordinate="Account.balance",decision="would-deny"\} [1-9]/);
    expect(text).not.toContain('decision="denied"');
  });
});
