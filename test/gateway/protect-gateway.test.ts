import { ApolloServer } from '@apollo/server';
import { peopleSdl } from './domain.js';
import { startStandaloneServer } from '@apollo/server/standalone';
import { afterAll, beforeAll, beforeEach, describe, expect, it, vi } from 'vitest';
import type { SupergraphManager } from '../../gateway/apollo.js';
import { protectGateway } from '../../gateway/index.js';
import type { ProtectedGateway, ProtectedGatewayConfig } from '../../gateway/index.js';
import type { ProtectionOptions } from '../../gateway/options/protection-options.js';
import { ManualClock } from '../support/manual-clock.js';
import {
  ask,
  AUDIENCE,
  BOTH_SCHEMES,
  Cleanup,
  codes,
  compose,
  MemorySink,
  send,
  TestIssuer,
  TestLog,
  TestSubgraph,
} from './support.js';
import type { Answer, Asking } from './support.js';

const cleanup = new Cleanup();
let issuer: TestIssuer;
let people: TestSubgraph;
let supergraph: string;
let token: string;
let limited: string;

beforeAll(async () => {
  issuer = await TestIssuer.start();
  people = await TestSubgraph.start('people');
  for (const each of [issuer, people]) cleanup.add(() => each.close());
  supergraph = compose(people);
  token = await issuer.mint({ scope: 'name email people:write' });
  limited = await issuer.mint({ scope: 'name' });
});
afterAll(() => cleanup.run());
beforeEach(() => {
  people.requests.length = 0;
  people.instead = undefined;
});

function options(more: Partial<ProtectionOptions> = {}): ProtectionOptions {
  return {
    issuers: [{ issuer: issuer.url, audience: AUDIENCE, claims: { policies: 'policies' } }],
    propagation: { issuer: 'http://gateway.example' },
    ...more,
  };
}

interface Started {
  readonly url: string;
  readonly gateway: ProtectedGateway;
  readonly log: TestLog;
  ask(query: string, asking?: Asking): Promise<Answer>;
}

async function start(
  more: Partial<ProtectionOptions> = {},
  supergraphSdl: string | SupergraphManager['initialize'] = supergraph,
  server: object = {},
): Promise<Started> {
  const log = new TestLog();
  const gateway = protectGateway({ supergraphSdl } as ProtectedGatewayConfig, options({ log, ...more }));
  const apollo = new ApolloServer({
    gateway,
    introspection: true,
    stopOnTerminationSignals: false,
    ...server,
  });
  const { url } = await startStandaloneServer(apollo, { listen: { port: 0, host: '127.0.0.1' } });
  cleanup.add(() => apollo.stop());
  return { url, gateway, log, ask: (query, asking) => ask(url, query, asking) };
}

describe('protectGateway in one line', () => {
  let server: Started;
  beforeAll(async () => {
    server = await start();
  });

  it('authenticates by the header that Apollo Server passes on', async () => {
    expect((await server.ask('{ me { name email } }', { token })).body).toEqual({
      data: { me: { name: 'Name of c-000001', email: 'c-000001@example.org' } },
    });
    expect((await server.ask('{ me { id name } }')).body.data).toEqual({
      me: { id: 'c-000001', name: null },
    });
  });

  it('refuses an invalid token with 401 and the challenge (RFC 6750)', async () => {
    for (const query of ['{ hello }', 'mutation { touch }']) {
      const answer = await server.ask(query, { token: `${token.slice(0, -4)}AAAA` });
      expect(answer.status).toBe(401);
      expect(codes(answer)).toEqual(['INVALID_TOKEN']);
      expect(answer.headers['www-authenticate']).toContain('invalid_token');
      expect(answer.body.errors?.[0]?.extensions).not.toHaveProperty('http');
    }
    const refusing = await start({ authorization: { anonymous: 'refuse' } });
    const answer = await refusing.ask('{ hello }');
    expect(answer.status).toBe(401);
    expect(answer.headers['www-authenticate']).toMatch(BOTH_SCHEMES);
    expect(people.requests).toEqual([]);
  });

  it.each(['buildService', 'serviceList', 'localServiceList', 'experimental_updateServiceDefinitions'])(
    'refuses %s, which would bypass the protection',
    (key) => {
      const config = {
        supergraphSdl: supergraph,
        [key]: () => undefined,
      } as unknown as ProtectedGatewayConfig;
      expect(() => protectGateway(config, options())).toThrow(key);
    },
  );

  it('refuses a custom plan cache, and a configuration without a supergraph', () => {
    const cache = { supergraphSdl: supergraph, queryPlannerConfig: { cache: new Map() } };
    expect(() => protectGateway(cache as unknown as ProtectedGatewayConfig, options())).toThrow(
      'queryPlannerConfig.cache',
    );
    expect(() => protectGateway({}, options())).toThrow('supergraphSdl');
  });

  it('exposes no query plan to a client that requests it by header', async () => {
    const answer = await server.ask('{ me { id name } }', {
      token: limited,
      headers: { 'Apollo-Query-Plan-Experimental': '1', 'Apollo-Query-Plan-Experimental-Format': 'internal' },
    });
    expect(answer.body).toEqual({ data: { me: { id: 'c-000001', name: 'Name of c-000001' } } });
  });

  it('keeps operations of a batch apart', async () => {
    const batching = await start({}, supergraph, {
      allowBatchedHttpRequests: true,
    });
    const queries = ['{ me { id email } }', '{ hello }', '{ me { nick name } }', '{ __typename }'];
    const answer = await send(batching.url, JSON.stringify(queries.map((query) => ({ query }))), {
      'content-type': 'application/json',
      authorization: `Bearer ${limited}`,
    });
    const datas = (answer.body as unknown as { data: unknown }[]).map(({ data }) => data);
    const expected = [
      { me: { id: 'c-000001', email: null } },
      { hello: 'hello world' },
      { me: { nick: 'al', name: 'Name of c-000001' } },
      { __typename: 'Query' },
    ];
    expect(datas).toEqual(expected);
    expect(people.queries).not.toContain('email');
  });

  it('keeps operations with a shared context apart', async () => {
    const log = new TestLog();
    const sink = new MemorySink();
    const gateway = protectGateway(
      { supergraphSdl: supergraph },
      options({ log, audit: { mode: 'required', sink, pseudonymKey: new Uint8Array(32) } }),
    );
    const apollo = new ApolloServer({ gateway, stopOnTerminationSignals: false });
    await apollo.start();
    cleanup.add(() => apollo.stop());
    const contextValue = await gateway.context({ authorization: [`Bearer ${limited}`] });
    const queries = ['{ me { id email } }', '{ hello }', '{ me { nick name } }'];
    const answers = await Promise.all(
      queries.map((query) => apollo.executeOperation({ query }, { contextValue })),
    );
    expect(answers.map(({ body }) => (body.kind === 'single' ? body.singleResult.data : undefined))).toEqual([
      { me: { id: 'c-000001', email: null } },
      { hello: 'hello world' },
      { me: { nick: 'al', name: 'Name of c-000001' } },
    ]);
    expect(new Set(sink.records.map(({ operationHash }) => operationHash)).size).toBe(3);
  });
});

describe('a supergraph that must not be served', () => {
  const unknownSecurity = (): string =>
    supergraph.replace(
      '@link(url: "https://specs.apollo.dev/join',
      '@link(url: "https://evil.example/unknown/v1.0", for: SECURITY) @link(url: "https://specs.apollo.dev/join',
    );

  it.each<[string, () => string]>([
    ['with an unknown security feature', unknownSecurity],
    ['that does not parse', () => 'type Query {'],
    ['that was not composed', () => 'type Query { a: Int }'],
  ])('stops the start: one %s', async (_name, sdl) => {
    const gateway = protectGateway({ supergraphSdl: sdl() }, options());
    await expect(gateway.load()).rejects.toThrow();
    expect(gateway.health().supergraph).toBe(false);
    await gateway.stop();
    await gateway.stop();
  });

  it('leaves nothing running after a failed start', async () => {
    const log = new TestLog();
    const clock = new ManualClock();
    const gateway = protectGateway(
      { supergraphSdl: 'type Query { a: Int }' },
      options({
        log,
        clock,
        revocation: {
          streams: [{ issuer: issuer.url, secret: 's', configurationUri: 'http://127.0.0.1:9/' }],
        },
      }),
    );
    await expect(gateway.load()).rejects.toThrow();
    const tries = log.codes().length;
    expect(clock.timers).toBe(0);
    await clock.advance(3_600_000);
    expect(log.codes().length).toBe(tries);
  });

  it('is refused as an update, and service continues', async () => {
    let update: (sdl: string) => void = () => undefined;
    const server = await start({}, async (hooks) => {
      update = (sdl) => hooks.update(sdl);
      return { supergraphSdl: supergraph };
    });
    for (const bad of [unknownSecurity(), 'type Query {', '']) {
      const refused = server.log.of('SUPERGRAPH_REFUSED').length;
      update(bad);
      await vi.waitFor(() => expect(server.log.of('SUPERGRAPH_REFUSED')).toHaveLength(refused + 1), 5_000);
      expect((await server.ask('{ me { name email } }', { token: limited })).body.data).toEqual({
        me: { name: 'Name of c-000001', email: null },
      });
    }
  });
});

describe('an update of the supergraph', () => {
  const stricter = (): string => {
    const sdl = peopleSdl
      .replace('nick: String', 'nick: String @requiresScope(scope: "nick")')
      .replace('scope: "email"', 'scope: "name"')
      .replace('hello(name: String): String', 'hello(name: String): String\n    added: String');
    return compose({ name: people.name, url: people.url, sdl });
  };
  const QUERY = '{ me { id nick email } }';
  const OLD = { me: { id: 'c-000001', nick: 'al', email: null } };
  const NEW = { me: { id: 'c-000001', nick: null, email: 'c-000001@example.org' } };

  it('changes the rules for the same operation', async () => {
    let update: (sdl: string) => void = () => undefined;
    const server = await start({}, async (hooks) => {
      update = (sdl) => hooks.update(sdl);
      return { supergraphSdl: supergraph };
    });
    const read = async () => (await server.ask(QUERY, { token: limited })).body.data;
    expect(await read()).toEqual(OLD);
    update(stricter());
    await vi.waitFor(() => expect(server.log.codes()).toContain('SUPERGRAPH_UPDATED'), 5_000);
    expect(await read()).toEqual(NEW);
    const { text } = await server.ask('{ __type(name: "Query") { fields { name } } }', { token });
    expect(text).toContain('"added"');
    update(supergraph);
    await vi.waitFor(() => expect(server.log.of('SUPERGRAPH_UPDATED')).toHaveLength(2), 5_000);
    expect(await read()).toEqual(OLD);
  });

  it('wins over an earlier one that is still loading', async () => {
    const server = await start({}, async (hooks) => {
      hooks.update(stricter());
      // A different text, because the current one would not be installed again.
      setImmediate(() => hooks.update(`${stricter()}\n`));
      return { supergraphSdl: supergraph };
    });
    await vi.waitFor(() => expect(server.log.of('SUPERGRAPH_UPDATED')).toHaveLength(2), 5_000);
    expect((await server.ask(QUERY, { token: limited })).body.data).toEqual(NEW);
  });

  it('leaves a running request on the version that validated it', async () => {
    let update: (sdl: string) => void = () => undefined;
    let beforeExecution: () => Promise<void> = () => Promise.resolve();
    const manager: SupergraphManager['initialize'] = async (hooks) => {
      update = (sdl) => hooks.update(sdl);
      return { supergraphSdl: supergraph };
    };
    const server = await start({}, manager, {
      plugins: [{ requestDidStart: async () => ({ didResolveOperation: () => beforeExecution() }) }],
    });
    beforeExecution = async () => {
      const sdl = peopleSdl.replace('hello(name: String): String', '');
      update(compose({ name: people.name, url: people.url, sdl }));
      await vi.waitFor(() => expect(server.log.codes()).toContain('SUPERGRAPH_UPDATED'), 10_000);
    };
    expect((await server.ask('{ hello }')).body).toEqual({ data: { hello: 'hello world' } });
    beforeExecution = () => Promise.resolve();
    expect(codes(await server.ask('{ hello }'))).toEqual(['GRAPHQL_VALIDATION_FAILED']);
  });

  it('never mixes two versions in one request', async () => {
    let update: (sdl: string) => void = () => undefined;
    const server = await start({}, async (hooks) => {
      update = (sdl) => hooks.update(sdl);
      return { supergraphSdl: supergraph };
    });
    const other = stricter();
    const seen = new Set<string>();
    let running = true;
    const callers = Array.from({ length: 6 }, async () => {
      while (running) {
        const { body } = await server.ask(QUERY, { token: limited });
        seen.add(JSON.stringify(body.data));
      }
    });
    for (let round = 1; round <= 6; round += 1) {
      update(round % 2 === 1 ? other : supergraph);
      await vi.waitFor(() => expect(server.log.of('SUPERGRAPH_UPDATED')).toHaveLength(round), 10_000);
    }
    running = false;
    await Promise.all(callers);
    expect(seen).toEqual(new Set([JSON.stringify(OLD), JSON.stringify(NEW)]));
  });
});

describe('modes', () => {
  it('reject refuses the whole operation: 403, or 401 if anonymous', async () => {
    const server = await start({ authorization: { mode: 'reject' } });
    const query = '{ me { id name email } }';
    const headers = { accept: 'application/graphql-response+json' };
    const known = await server.ask(query, { token: limited, headers });
    expect(known.status).toBe(403);
    expect(known.headers['www-authenticate']).toBe('Bearer error="insufficient_scope", scope="email"');
    expect(Object.keys(known.body)).toEqual(['errors']);
    expect(codes(known)).toEqual(['UNAUTHORIZED_FIELD_OR_TYPE']);
    const nobody = await server.ask(query, { headers });
    expect(nobody.status).toBe(401);
    expect(nobody.headers['www-authenticate']).toMatch(BOTH_SCHEMES);
    expect(codes(nobody)).toEqual(['UNAUTHORIZED_FIELD_OR_TYPE', 'UNAUTHORIZED_FIELD_OR_TYPE']);
    const rename = 'mutation { touch rename(name: "x") { id } }';
    expect((await server.ask(rename, { token: limited, headers })).status).toBe(403);
    // For plain JSON the conventional status, and as little data.
    const plain = await server.ask(query, { token: limited });
    expect(plain.status).toBe(200);
    expect(Object.keys(plain.body)).toEqual(['errors']);
    expect(people.requests).toEqual([]);
    expect((await server.ask(query, { token, headers })).status).toBe(200);
  });

  it('shadow changes nothing, and logs what it would deny', async () => {
    const server = await start({ authorization: { mode: 'shadow' } });
    const answer = await server.ask('{ me { id email } }', { token: limited });
    expect(answer.body).toEqual({ data: { me: { id: 'c-000001', email: 'c-000001@example.org' } } });
    expect(server.log.of('WOULD_DENY')).toMatchObject([{ coordinates: 'Person.email', denials: 1 }]);
    expect((await server.ask('{ hello }', { token: 'x.y.z' })).status).toBe(401);
  });
});

it('a revocation stream without its issuer is refused', () => {
  expect(() =>
    protectGateway(
      { supergraphSdl: 'type Query { a: Int }' },
      {
        issuers: [{ issuer: 'https://login.example', audience: 'x' }],
        propagation: { issuer: 'https://gateway.example' },
        revocation: { streams: [{ issuer: 'https://login.exmaple', secret: 's' }] },
      },
    ),
  ).toThrow(/revocation\.streams/);
});

describe('policies that are functions', () => {
  const read = async (vip: unknown, policies?: string[]): Promise<[unknown, Started]> => {
    const server = await start({ policies: { functions: { vip: vip as () => boolean } } });
    const asked = policies === undefined ? limited : await issuer.mint({ scope: 'name', policies });
    const { body } = await server.ask('{ me { id vip } }', { token: asked });
    return [(body.data?.me as { vip: unknown }).vip, server];
  };

  it.each<[string, unknown, unknown]>([
    ['true', () => true, 'gold'],
    ['a promise of true', async () => true, 'gold'],
    ['false', () => false, null],
    ['undefined', () => undefined, null],
    ['1', () => 1, null],
    ['"true"', () => 'true', null],
    ['an object', () => ({}), null],
  ])('permit with exactly true: %s', async (_name, policy, expected) => {
    expect((await read(policy))[0]).toBe(expected);
  });

  it('deny if they throw, reject or time out, whatever the token says', async () => {
    const failing = [
      () => {
        throw new Error('distinctive');
      },
      () => Promise.reject(new Error('distinctive')),
    ];
    for (const policy of failing) {
      const [vip, server] = await read(policy, ['vip']);
      expect(vip).toBeNull();
      expect(server.log.of('POLICY_FAILED')).toEqual([{ policy: 'vip' }]);
    }
    const [vip, server] = await read(() => new Promise(() => undefined), ['vip']);
    expect(vip).toBeNull();
    expect(server.log.of('POLICY_TIMEOUT')).toEqual([{ policy: 'vip' }]);
  });

  it('are called once per operation that needs them, never if anonymous', async () => {
    const vip = vi.fn(() => true);
    const server = await start({ policies: { functions: { vip } } });
    const query = 'query Named { a: me { id vip } b: me { vip } }';
    await server.ask(query, { token: limited });
    expect(vip).toHaveBeenCalledTimes(1);
    expect(vip).toHaveBeenCalledWith(
      expect.objectContaining({ subject: 'c-000001' }),
      expect.objectContaining({ operationName: 'Named' }),
    );
    await server.ask('{ me { id name } }', { token: limited });
    expect((await server.ask(query)).body.data).toEqual({ a: { id: 'c-000001', vip: null }, b: null });
    expect(vip).toHaveBeenCalledTimes(1);
  });

  it('are not passed to a subgraph from the token if not called', async () => {
    const server = await start({ policies: { functions: { vip: () => false } } });
    await server.ask('{ hello }', { token: await issuer.mint({ policies: ['vip'] }) });
    const [, claims = ''] = String(people.requests[0]?.headers['txn-token']).split('.');
    expect(Buffer.from(claims, 'base64url').toString()).not.toContain('vip');
  });
});

describe('introspection', () => {
  const queries = [
    '{ __schema { queryType { name } } }',
    '{ __type(name: "Person") { name } }',
    '{ a: __type(name: "Person") { name } hello }',
    'query Q { ...F } fragment F on Query { ... { __schema { queryType { name } } } }',
  ];

  it.each<['off' | 'authenticated' | 'all', number, number]>([
    ['off', 403, 403],
    ['authenticated', 401, 200],
    ['all', 200, 200],
  ])('%s: anonymous gets %i, a caller %i', async (introspection, forNobody, forCaller) => {
    const server = await start({ introspection });
    for (const query of queries) {
      const nobody = await server.ask(query);
      expect(nobody.status).toBe(forNobody);
      expect(codes(nobody)).toEqual(forNobody === 200 ? [] : ['INTROSPECTION_DISABLED']);
      expect((await server.ask(query, { token: limited })).status).toBe(forCaller);
    }
    expect((await server.ask('{ __typename me { __typename } }')).body).toEqual({
      data: { __typename: 'Query', me: { __typename: 'Person' } },
    });
  });

  it('never lists directives and types of Behalf and federation', async () => {
    const server = await start({ introspection: 'all' });
    const { text } = await server.ask('{ __schema { directives { name } types { name fields { name } } } }');
    expect(text).toContain('"Person"');
    expect(text).not.toMatch(
      /behalf|requiresScope|authenticated|policy|purpose|minimize|join__|link__|federation__|_entities|_service/i,
    );
  });
});
