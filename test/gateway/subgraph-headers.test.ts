import { ApolloServer } from '@apollo/server';
import type { Delegation } from '@behalf/directives';
import { headerReader } from '@behalf/directives/internal';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { ConfigurationError, protectGateway } from '../../gateway/index.js';
import { UnprotectedSubgraphs } from '../../gateway/propagate/unprotected.js';
import { SubgraphHeaders, UnsendableHeaderError } from '../../gateway/propagate/subgraph-headers.js';
import type { SubgraphOptions } from '../../gateway/propagate/subgraph-options.js';
import {
  AUDIENCE,
  Cleanup,
  codes,
  compose,
  startTestGateway,
  TestIssuer,
  TestLog,
  TestSubgraph,
} from './support.js';
import type { TestGateway } from './support.js';

const ada: Delegation = {
  subject: 'c-000001',
  clientId: 'budget-app',
  scopes: new Set(['accounts:read', 'profile']),
  policies: new Set(),
  roles: ['customer', 'staff'],
  consent: { id: 'consent-1', version: 2, purposes: ['tax', 'credit'], detail: 'full' },
  actor: { sub: 'assistant', act: { sub: 'tool' } },
};

function headersOf(options: SubgraphOptions, delegation: Delegation | undefined = ada, client = {}) {
  return new SubgraphHeaders('people', options).of(delegation, headerReader(client));
}

describe('headers that state the delegation', () => {
  it('take each source from the verified delegation', () => {
    const from = (source: string) => ({ from: source }) as { from: 'subject' };
    const headers = {
      'X-User-Id': from('subject'),
      'x-client': from('client'),
      'x-actor': from('actor'),
      'x-consent': from('consent'),
      'x-scopes': from('scopes'),
      'x-purposes': from('purposes'),
      'x-roles': from('roles'),
      'x-api-version': { value: '7' },
    };
    expect(headersOf({ headers, roles: ['staff', 'administrator'] })).toEqual({
      'x-user-id': 'c-000001',
      'x-client': 'budget-app',
      'x-actor': 'assistant',
      'x-consent': 'consent-1',
      'x-scopes': 'accounts:read profile',
      'x-purposes': 'tax credit',
      'x-roles': 'staff',
      'x-api-version': '7',
    });
  });

  it('are absent if there is nothing to state, unlike constants', () => {
    const headers = {
      'x-user-id': { from: 'subject' },
      'x-consent': { from: 'consent' },
      'x-scopes': { from: 'scopes' },
      'x-actor': { from: 'actor' },
      'x-api-version': { value: '7' },
    } as const;
    expect(new SubgraphHeaders('people', { headers }).of(undefined, undefined)).toEqual({
      'x-api-version': '7',
    });
    const { consent: _consent, actor: _actor, ...bare } = ada;
    expect(headersOf({ headers }, { ...bare, scopes: new Set() })).toEqual({
      'x-user-id': 'c-000001',
      'x-api-version': '7',
    });
  });

  it('name no person for a service', () => {
    const headers = { 'x-user-id': { from: 'subject' }, 'x-client': { from: 'client' } } as const;
    const service: Delegation = { ...ada, subject: 'urn:behalf:service:nightly', service: true };
    expect(headersOf({ headers }, service)).toEqual({ 'x-client': 'budget-app' });
  });

  it.each([
    ['a line break (header injection)', 'c-1\r\nx-admin: true'],
    ['a NUL', 'c-1\0'],
    ['white space at the end, which recipients strip', 'admin '],
    ['white space at the beginning', '\tadmin'],
    ['a character outside ASCII', 'c-é'],
    ['a character beyond Latin-1', 'c-\u{1F600}'],
    ['more than 4,096 bytes', 'c'.repeat(4_097)],
    ['nothing', ''],
  ])('refuse a subject with %s', (_what, subject) => {
    const headers = { 'x-user-id': { from: 'subject' } } as const;
    expect(() => headersOf({ headers }, { ...ada, subject })).toThrow(UnsendableHeaderError);
  });

  it('refuse a scope with a space, which would arrive as two', () => {
    const headers = { 'x-scopes': { from: 'scopes' } } as const;
    expect(() => headersOf({ headers }, { ...ada, scopes: new Set(['read admin']) })).toThrow(
      UnsendableHeaderError,
    );
  });
});

describe('headers that a client may choose', () => {
  const forwardHeaders = ['Accept-Language', 'x-tenant'];

  it('pass on only listed ones, in any case, joining repeats (RFC 9110 section 5.3)', () => {
    const client = { 'ACCEPT-LANGUAGE': ['de', 'en;q=0.5'], 'x-tenant': 'north', 'x-other': 'y' };
    expect(headersOf({ forwardHeaders }, ada, client)).toEqual({
      'accept-language': 'de, en;q=0.5',
      'x-tenant': 'north',
    });
  });

  it('omit values that are too long or invalid', () => {
    const client = { 'accept-language': 'd'.repeat(4_097), 'x-tenant': 'a\nb' };
    expect(headersOf({ forwardHeaders }, ada, client)).toEqual({});
  });
});

describe('the configuration', () => {
  const headers = { 'x-user-id': { from: 'subject' } } as const;

  it.each([
    'authorization',
    'Proxy-Authorization',
    'cookie',
    'Set-Cookie',
    'DPoP',
    'txn-token',
    'Txn-Token',
    'client-cert',
    'client-cert-chain',
    'forwarded',
    'x-forwarded-for',
    'X-Forwarded-Host',
    'x-forwarded-client-cert',
    'ssl-client-verify',
    'x-ssl-client-cert',
    'x-ssl-client-s-dn',
    'x-client-cert-chain',
    'x-client-verify',
    'x-arr-clientcert',
    'x-amzn-mtls-clientcert',
    'x-amzn-oidc-identity',
    'x-ms-client-principal',
    'x-goog-iap-jwt-assertion',
    'x-real-ip',
    'via',
    'host',
    'content-length',
    'content-type',
    'content-encoding',
    'transfer-encoding',
    'connection',
    'keep-alive',
    'te',
    'trailer',
    'upgrade',
    'proxy-connection',
    'traceparent',
    'tracestate',
    'baggage',
    'accept-encoding',
    'apollo-require-preflight',
    'x-apollo-operation-name',
    'x-http-method-override',
    'cf-connecting-ip',
    'fastly-client-ip',
    'true-client-ip',
    'x-client-ip',
    'x-cluster-client-ip',
    'x-rewrite-url',
    'x-original-url',
    'x-method-override',
    'x-http-method',
    'x-envoy-external-address',
    'remote-user',
    'x-auth-request-user',
    'x-auth-request-access-token',
    'cf-access-jwt-assertion',
    'x-ms-token-aad-access-token',
    'x-serverless-authorization',
    'x-webauth-user',
    'x-apigateway-api-userinfo',
    'tailscale-user-login',
    'x-pomerium-jwt-assertion',
    'forwarded-for',
    'http-client-ip',
    'X-Remote-User',
    'x-remote-group',
    'remote-groups',
    'remote-email',
    'x-auth-request-email',
    'x-auth-token',
    'x-ms-token-google-id-token',
    'x-ms-client-principal-id',
    'x-ms-client-principal-name',
    'x-goog-authenticated-user-email',
    'x-amzn-oidc-data',
    'x-amzn-oidc-accesstoken',
    'cf-access-authenticated-user-email',
    'x-pomerium-claim-email',
    'tailscale-user-name',
    'x-authentik-username',
    'x-vouch-user',
    'x-consumer-username',
    'x-credential-identifier',
    'x-userinfo',
    'x-id-token',
    'x-access-token',
    'x-jwt-payload',
    'iv-user',
    'iv-groups',
    'impersonate-user',
    'x-webauth-email',
    'x-user',
    'x-username',
    'shib-session-id',
    'x-saml-subject',
    'x-oidc-subject',
    'x-authenticated-userid',
    'x-azure-clientip',
    'x-azure-socketip',
    'x-vercel-forwarded-for',
    'cf-connecting-ipv6',
    'x-appengine-user-ip',
    'x-remote-ip',
    'x-originating-ip',
    'fly-client-ip',
    'wl-proxy-client-ip',
    'x-authorization',
    'x-endpoint-api-userinfo',
  ])('refuses to forward %s', (name) => {
    expect(() => new SubgraphHeaders('people', { forwardHeaders: [name] })).toThrow(
      /^subgraphs\.people\.forwardHeaders\[0\]: .*must not reach/,
    );
  });

  it.each([
    'accept-language',
    'user-agent',
    'x-tenant',
    'x-request-id',
    'x-correlation-id',
    'x-api-key',
    'x-csrf-token',
    'x-locale',
    'x-user-agent',
    'x-feature-flags',
    'x-amzn-trace-id',
    'x-shop-region',
    'idempotency-key',
    'prefer',
  ])('forwards %s', (name) => {
    expect(() => new SubgraphHeaders('people', { forwardHeaders: [name] })).not.toThrow();
  });

  it.each(['txn-token', 'Content-Type', 'host', 'traceparent', 'cookie', 'connection', 'dpop'])(
    'refuses to set %s',
    (name) => {
      expect(() => new SubgraphHeaders('people', { headers: { [name]: { value: 'x' } } })).toThrow(
        ConfigurationError,
      );
    },
  );

  it.each(['x-user-id', 'X-USER-ID'])('refuses to forward %s, which it states itself', (name) => {
    expect(() => new SubgraphHeaders('people', { headers, forwardHeaders: [name] })).toThrow(
      ConfigurationError,
    );
  });

  it.each(['x_user_id', 'x.user.id', 'x user id', 'x-user-id:', '', '__proto__'])(
    'refuses the name %j, which backends may fold into another',
    (name) => {
      expect(() => new SubgraphHeaders('people', { forwardHeaders: [name] })).toThrow(
        /letters, digits and hyphens/,
      );
      const source = Object.fromEntries([[name, { value: 'x' }]]);
      expect(() => new SubgraphHeaders('people', { headers: source })).toThrow(/letters, digits and hyphens/);
    },
  );

  it('refuses one name in two spellings', () => {
    const twice = { 'x-user': { from: 'subject' }, 'X-User': { from: 'client' } } as const;
    expect(() => new SubgraphHeaders('people', { headers: twice })).toThrow(/named twice/);
    expect(() => new SubgraphHeaders('people', { forwardHeaders: ['x-a', 'X-A'] })).toThrow(/named twice/);
  });

  it('lets authorization be a constant, and never a statement', () => {
    expect(headersOf({ headers: { authorization: { value: 'Basic abc' } } })).toEqual({
      authorization: 'Basic abc',
    });
    expect(() => headersOf({ headers: { authorization: { from: 'subject' } } })).toThrow(/constant only/);
  });

  it('refuses to state roles without a list, or with spaces', () => {
    const stated = { 'x-roles': { from: 'roles' } } as const;
    expect(() => new SubgraphHeaders('people', { headers: stated })).toThrow(/subgraphs\.people\.roles/);
    expect(() => new SubgraphHeaders('people', { headers: stated, roles: ['Branch Manager'] })).toThrow(
      /no space/,
    );
  });

  it('refuses a constant that cannot be sent', () => {
    expect(() => new SubgraphHeaders('people', { headers: { 'x-a': { value: 'a\r\nb: c' } } })).toThrow(
      /x-a\.value/,
    );
  });

  it('is suggested when buildService is refused', () => {
    expect(() =>
      protectGateway({ supergraphSdl: '', buildService: () => ({}) } as never, {
        issuers: [],
        propagation: { issuer: 'https://gateway.example' },
      }),
    ).toThrow(/^buildService: .*subgraphs\.<name>\.headers and forwardHeaders/);
  });
});

describe('the lines about unprotected subgraphs', () => {
  const field = (rule?: object): ReadonlyMap<string, never> =>
    new Map([['Query.a', { isOwned: false, rule }]]) as never;
  const served = (fields: Record<string, ReadonlyMap<string, never>>): { accountable: never } => ({
    accountable: new Map(Object.entries(fields)) as never,
  });
  const lines = (act: (told: UnprotectedSubgraphs) => void): string[] => {
    const log = new TestLog();
    act(new UnprotectedSubgraphs(new Map(), log));
    return log
      .of('SUBGRAPH_UNPROTECTED')
      .map(({ subgraph, reason }) => `${String(subgraph)} ${String(reason)}`);
  };

  it('are one for a subgraph without rules that also returns no facts', () => {
    const told = lines((subgraphs) => {
      subgraphs.tellOf(served({ a: field(), b: field() }));
      for (let n = 0; n < 3; n += 1) subgraphs.tellNoAccount('a');
      subgraphs.tellOf(served({ a: field(), b: field() }));
    });
    expect(told).toEqual(['a NO_RULES', 'b NO_RULES']);
  });

  it('are one for a subgraph with rules that returns no facts, whatever is loaded later', () => {
    const told = lines((subgraphs) => {
      subgraphs.tellOf(served({ a: field({}) }));
      subgraphs.tellNoAccount('a');
      subgraphs.tellOf(served({ a: field({}) }));
      subgraphs.tellNoAccount('a');
      subgraphs.tellOf(served({ a: field() }));
    });
    expect(told).toEqual(['a NO_ACCOUNT']);
  });

  it('are another one if rules are added that the subgraph does not enforce', () => {
    const told = lines((subgraphs) => {
      subgraphs.tellOf(served({ a: field() }));
      subgraphs.tellNoAccount('a');
      subgraphs.tellOf(served({ a: field({}) }));
      subgraphs.tellNoAccount('a');
    });
    expect(told).toEqual(['a NO_RULES', 'a NO_ACCOUNT']);
  });
});

describe('an unprotected subgraph behind the gateway', () => {
  const cleanup = new Cleanup();
  const subgraphs = {
    people: {
      headers: { 'x-user-id': { from: 'subject' }, 'x-app': { from: 'client' } },
      forwardHeaders: ['accept-language', 'x-tenant'],
    },
    accounts: { forwardHeaders: ['x-tenant'] },
    lost: { headers: { 'x-user-id': { from: 'subject' } } },
    account: { forwardHeaders: ['x-tenant'] },
  } as const;
  let issuer: TestIssuer;
  let people: TestSubgraph;
  let accounts: TestSubgraph;
  let gateway: TestGateway;

  beforeAll(async () => {
    issuer = await TestIssuer.start();
    people = await TestSubgraph.start('people');
    accounts = await TestSubgraph.start('accounts', undefined, 'type Query { rates: [Int] }', {
      resolvers: { Query: { rates: () => [1, 2] } },
    });
    for (const each of [issuer, people, accounts]) cleanup.add(() => each.close());
    gateway = await startTestGateway(cleanup, compose(people, accounts), {
      issuers: [{ issuer: issuer.url, audience: AUDIENCE }],
      subgraphs,
    });
  });
  afterAll(() => cleanup.run());
  beforeEach(() => {
    people.requests.length = 0;
    accounts.requests.length = 0;
  });

  const sent = (subgraph: TestSubgraph, name: string) => subgraph.requests.at(-1)?.headers[name];

  it('has one line, when it is known: at the start, or else with its first answer', async () => {
    const token = await issuer.mint({ scope: 'name' });
    await gateway.ask('{ me { id } rates }', { token });
    await gateway.ask('{ me { id } rates }', { token });
    const told = gateway.log.of('SUBGRAPH_UNPROTECTED');
    expect(told).toEqual([
      { subgraph: 'accounts', reason: 'NO_RULES' },
      { subgraph: 'people', reason: 'NO_ACCOUNT', identityHeaders: 'x-user-id x-app' },
    ]);
    expect(gateway.log.of('SUBGRAPH_UNKNOWN')).toEqual([
      { subgraph: 'lost' },
      { subgraph: 'account', meant: 'accounts' },
    ]);
  });

  it('gets the identity from the token, and only its own headers', async () => {
    const token = await issuer.mint();
    await gateway.ask('{ me { id } rates }', {
      token,
      headers: { 'accept-language': 'de', 'x-tenant': ['north', 'south'], cookie: 'a=b', 'x-other': 'y' },
    });
    expect(sent(people, 'x-user-id')).toBe('c-000001');
    expect(sent(people, 'x-app')).toBe('budget-app');
    expect(sent(people, 'accept-language')).toBe('de');
    expect(sent(people, 'x-tenant')).toBe('north, south');
    expect(sent(accounts, 'x-tenant')).toBe('north, south');
    for (const name of ['x-user-id', 'x-app', 'accept-language'])
      expect(sent(accounts, name)).toBeUndefined();
    for (const subgraph of [people, accounts])
      for (const name of ['authorization', 'cookie', 'x-other']) expect(sent(subgraph, name)).toBeUndefined();
  });

  it.each([
    ['x-user-id'],
    ['X-USER-ID'],
    ['X-User-Id'],
    ['x_user_id'],
    ['X_USER_ID'],
    ['x-user_id'],
    ['x.user.id'],
    ['x-app'],
  ])('never takes an identity from the client’s %s', async (name) => {
    for (const token of [undefined, await issuer.mint()]) {
      await gateway.ask('{ rates me { id } }', { token, headers: { [name]: ['admin', 'root'] } });
      for (const subgraph of [people, accounts])
        expect(subgraph.requests.map(({ text }) => text).join()).not.toMatch(/admin|root/);
    }
  });

  it('gets no identity from an anonymous caller', async () => {
    await gateway.ask('{ rates }', { headers: { 'x-user-id': 'c-000002', 'x-tenant': 'north' } });
    expect(sent(accounts, 'x-tenant')).toBe('north');
    expect(sent(accounts, 'x-user-id')).toBeUndefined();
  });

  it('is not called with a subject that no header can state', async () => {
    const answer = await gateway.ask('{ me { id } }', {
      token: await issuer.mint({ sub: 'c-1\r\nx-app: admin' }),
    });
    expect(codes(answer)).toEqual(['SUBREQUEST_HTTP_ERROR']);
    expect(people.requests).toEqual([]);
    expect(gateway.log.of('IDENTITY_HEADER_UNSENDABLE')).toEqual([
      { subgraph: 'people', header: 'x-user-id' },
    ]);
    expect(gateway.log.text).not.toContain('admin');
  });

  it('gets the same around an Apollo Server without a context function', async () => {
    const protectedGateway = protectGateway(
      { supergraphSdl: compose(people, accounts) },
      {
        issuers: [{ issuer: issuer.url, audience: AUDIENCE }],
        propagation: { issuer: 'https://gateway.example' },
        subgraphs,
        log: new TestLog(),
      },
    );
    const server = new ApolloServer({ gateway: protectedGateway, stopOnTerminationSignals: false });
    cleanup.add(() => server.stop());
    await server.start();
    const { HeaderMap } = await import('@apollo/server');
    const headers = new HeaderMap([
      ['content-type', 'application/json'],
      ['authorization', `Bearer ${await issuer.mint()}`],
      ['x-tenant', 'north'],
      ['x-user-id', 'admin'],
    ]);
    await server.executeHTTPGraphQLRequest({
      httpGraphQLRequest: { method: 'POST', headers, search: '', body: { query: '{ me { id } }' } },
      context: async () => ({}),
    });
    expect(sent(people, 'x-user-id')).toBe('c-000001');
    expect(sent(people, 'x-tenant')).toBe('north');
  });
});
