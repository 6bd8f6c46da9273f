import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import type { IncomingMessage, ServerResponse } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { decodeJwt, exportJWK, generateKeyPair } from 'jose';
import type { JWK } from 'jose';
import Provider from 'oidc-provider';
import * as openid from 'openid-client';
import { afterAll, beforeAll, beforeEach, describe, expect, it, vi } from 'vitest';
import { checkConfig } from '../../gateway/index.js';
import { TokenIntrospector } from '../../gateway/authenticate/token-introspection.js';
import type { IssuerOptions } from '../../gateway/authenticate/issuers.js';
import { protectGateway } from '../../gateway/index.js';
import { RefusedError } from '../../gateway/errors.js';
import { Admission } from './admission.js';
import {
  AUDIENCE,
  Cleanup,
  codes,
  compose,
  listen,
  sendJson,
  startTestGateway,
  TestIssuer,
  TestSubgraph,
} from './support.js';
import type { TestGateway } from './support.js';
import { ManualClock } from '../support/manual-clock.js';
import { until } from '../support/wait.js';

const SECRET = 'a secret: with a colon, and %';
const PATH = '/token/introspection';

const cleanup = new Cleanup();
let provider: Provider;
let issuer: string;
let people: TestSubgraph;
let privateKey: JWK;
/** Introspection requests that reached the authorization server. */
let questions = 0;
let answerInstead: ((request: IncomingMessage, response: ServerResponse) => void) | undefined;

beforeAll(async () => {
  const pair = await generateKeyPair('ES256', { extractable: true });
  privateKey = { ...(await exportJWK(pair.privateKey)), alg: 'ES256', kid: 'gateway-1' };
  const publicKey = { ...(await exportJWK(pair.publicKey)), alg: 'ES256', kid: 'gateway-1', use: 'sig' };
  let handle: (request: IncomingMessage, response: ServerResponse) => unknown = () => undefined;
  const listening = await listen((request, response) => {
    if (request.url === PATH) {
      questions += 1;
      if (answerInstead !== undefined) {
        answerInstead(request, response);
        return;
      }
    }
    void handle(request, response);
  });
  cleanup.add(() => listening.close());
  issuer = listening.url;
  vi.spyOn(console, 'warn').mockImplementation(() => undefined);
  vi.spyOn(console, 'info').mockImplementation(() => undefined);
  const none = { redirect_uris: [], response_types: [], grant_types: [] };
  provider = new Provider(issuer, {
    clients: [
      { client_id: 'gateway', client_secret: SECRET, ...none },
      {
        client_id: 'gateway-with-key',
        token_endpoint_auth_method: 'private_key_jwt',
        token_endpoint_auth_signing_alg: 'ES256',
        jwks: { keys: [publicKey] },
        ...none,
      },
      { client_id: 'budget-app', client_secret: 'app', ...none, grant_types: ['client_credentials'] },
    ],
    clientAuthMethods: ['client_secret_basic', 'private_key_jwt'],
    extraTokenClaims: (_context, { kind }) =>
      kind === 'AccessToken'
        ? { consent: { id: 'k', version: 1, purposes: ['credit'], detail: 'full' } }
        : undefined,
    features: {
      devInteractions: { enabled: false },
      clientCredentials: { enabled: true },
      introspection: { enabled: true, allowedPolicy: () => true },
      resourceIndicators: {
        enabled: true,
        getResourceServerInfo: () => ({
          scope: 'name email',
          audience: AUDIENCE,
          accessTokenFormat: 'opaque' as const,
          accessTokenTTL: 300,
        }),
      },
    },
  });
  handle = provider.callback();
  people = await TestSubgraph.start('people');
  cleanup.add(() => people.close());
});
afterAll(async () => {
  await cleanup.run();
  vi.restoreAllMocks();
});
beforeEach(() => {
  questions = 0;
  answerInstead = undefined;
  people.requests.length = 0;
});

function issuerOptions(more: Partial<NonNullable<IssuerOptions['introspection']>> = {}): IssuerOptions {
  const endpoint = `${issuer}${PATH}`;
  return {
    issuer,
    audience: AUDIENCE,
    introspection: { endpoint, clientId: 'gateway', clientSecret: SECRET, ...more },
  };
}

function startGateway(more: Parameters<typeof issuerOptions>[0] = {}): Promise<TestGateway> {
  return startTestGateway(cleanup, compose(people), { issuers: [issuerOptions(more)] });
}

/** An opaque access token, as the authorization server's grants make them. */
async function issue(more: Record<string, unknown> = {}) {
  const client = await provider.Client.find('budget-app');
  if (client === undefined) throw new Error('no client');
  const token = new provider.AccessToken({
    client,
    accountId: 'c-000001',
    scope: 'name',
    aud: AUDIENCE,
    expiresIn: 300,
    ...more,
  } as unknown as ConstructorParameters<typeof provider.AccessToken>[0]);
  return { token, value: await token.save() };
}

const READ = '{ me { id name email } }';

async function refusal(asked: Promise<unknown>): Promise<RefusedError['refusal']> {
  const error = await asked.then(
    () => undefined,
    (thrown: unknown) => thrown,
  );
  if (!(error instanceof RefusedError)) throw new Error('it was not refused');
  return error.refusal;
}

describe('an opaque token (RFC 7662)', () => {
  it('is read as its issuer says, and cached briefly', async () => {
    const gateway = await startGateway();
    const { value } = await issue();
    const answers = await Promise.all(Array.from({ length: 10 }, () => gateway.ask(READ, { token: value })));
    for (const answer of answers) {
      expect(answer.status).toBe(200);
      expect(answer.body.data).toEqual({ me: { id: 'c-000001', name: 'Name of c-000001', email: null } });
    }
    expect(questions).toBe(1);
    expect(decodeJwt(String(people.requests.at(-1)?.headers['txn-token']))).toMatchObject({
      sub: 'c-000001',
      scope: 'name',
      tctx: { consent: { id: 'k', purposes: ['credit'] } },
      rctx: { client_id: 'budget-app' },
    });
    expect(people.requests.map(({ text }) => text).join()).not.toContain(value);
  });

  it('from client credentials, through openid-client, is a service', async () => {
    const gateway = await startGateway();
    const config = await openid.discovery(
      new URL(issuer),
      'budget-app',
      undefined,
      openid.ClientSecretBasic('app'),
      {
        // eslint-disable-next-line @typescript-eslint/no-deprecated -- struck out so that it is noticed: this is on loopback
        execute: [openid.allowInsecureRequests],
      },
    );
    const { access_token: token } = await openid.clientCredentialsGrant(config, {
      resource: AUDIENCE,
      scope: 'name',
    });
    const answer = await gateway.ask(READ, { token });
    expect(answer.body.data).toMatchObject({ me: { name: 'Name of c-000001' } });
    expect(decodeJwt(String(people.requests.at(-1)?.headers['txn-token']))).toMatchObject({
      sub: 'urn:behalf:service:budget-app',
      tctx: { service: true },
    });
  });

  it('can be introspected with a key instead of a secret (RFC 7523)', async () => {
    const at = new TokenIntrospector(issuerOptions(), {
      endpoint: `${issuer}${PATH}`,
      clientId: 'gateway-with-key',
      privateKey,
    });
    expect(await at.introspect((await issue()).value)).toMatchObject({ sub: 'c-000001' });
  });

  it('stops the start if the introspection key is unreadable, without quoting it', async () => {
    const introspection = { endpoint: `${issuer}${PATH}`, clientId: 'gateway-with-key' };
    const start = (privateKeyFile: string) =>
      startTestGateway(cleanup, compose(people), {
        issuers: [{ issuer, audience: AUDIENCE, introspection: { ...introspection, privateKeyFile } }],
      });
    const folder = await mkdtemp(join(tmpdir(), 'behalf-key-'));
    cleanup.add(() => rm(folder, { recursive: true, force: true }));
    const file = join(folder, 'key.json');
    await expect(start(file)).rejects.toThrow(/^issuers\[0\]\.introspection\.privateKeyFile/);
    await writeFile(file, '{"kty":"EC","d":"distinctive"}');
    await expect(start(file)).rejects.toThrow(/^(?!.*distinctive)issuers\[0\]/);
    await writeFile(file, JSON.stringify(privateKey));
    const gateway = await start(file);
    expect((await gateway.ask(READ, { token: (await issue()).value })).status).toBe(200);
  });

  it('that was revoked is refused after the cache period, at most', async () => {
    const gateway = await startGateway({ cacheMs: 100 });
    const { token, value } = await issue();
    expect((await gateway.ask(READ, { token: value })).status).toBe(200);
    await token.destroy();
    await until(async () => (await gateway.ask(READ, { token: value })).status === 401, 'it is refused');
    const after = await gateway.ask(READ, { token: value });
    expect(after.status).toBe(401);
    expect(codes(after)).toEqual(['INVALID_TOKEN']);
    expect(gateway.log.of('AUTHENTICATION_FAILED').at(-1)?.reason).toBe('INACTIVE');

    const long = await startGateway({ cacheMs: 60_000 });
    const short = await issue({ expiresIn: 2 });
    expect((await long.ask(READ, { token: short.value })).status).toBe(200);
    await until(async () => (await long.ask(READ, { token: short.value })).status === 401, 'it is refused');
  });

  it('that is bound to a key (RFC 9449 section 6.2) is refused as a bearer token', async () => {
    const gateway = await startGateway();
    const { value } = await issue({ jkt: 'NzbLsXh8uDCcd-6MNwXF4W_7noWXFZAfHkxZsRGC9Xs' });
    const answer = await gateway.ask(READ, { token: value });
    expect(answer.status).toBe(401);
    expect(people.requests).toEqual([]);
    expect(questions).toBe(1);
  });

  it('that is unknown is refused, and introspected again only later', async () => {
    const gateway = await startGateway({ negativeCacheMs: 60_000 });
    for (let time = 0; time < 5; time += 1)
      expect((await gateway.ask(READ, { token: 'made-up' })).status).toBe(401);
    expect(questions).toBe(1);
    expect(people.requests).toEqual([]);
    expect(gateway.log.text).not.toContain('made-up');
  });
});

describe('an introspection response that is not enough', () => {
  const claims = (): Record<string, unknown> => {
    const now = Math.floor(Date.now() / 1000);
    return {
      active: true,
      iss: issuer,
      aud: AUDIENCE,
      sub: 's',
      client_id: 'app',
      scope: 'name',
      token_type: 'Bearer',
      iat: now,
      exp: now + 60,
    };
  };
  const cases: [string, Record<string, unknown>, string][] = [
    ['not active', { active: false }, 'INACTIVE'],
    ['of another issuer (mix-up)', { iss: 'https://other.example' }, 'ISSUER_UNKNOWN'],
    ['for another API', { aud: 'https://other.example' }, 'AUDIENCE'],
    ['for no API in particular', { aud: undefined }, 'AUDIENCE'],
    ['a refresh token, which is active as well', { token_type: undefined }, 'TOKEN_TYPE'],
    ['of a type other than access token', { token_type: 'Refresh' }, 'TOKEN_TYPE'],
    ['over', { exp: 1 }, 'EXPIRED'],
    ['without an end', { exp: undefined }, 'EXPIRED'],
    ['without a beginning', { iat: undefined }, 'CLAIM_MISSING'],
    ['not good yet', { nbf: 4_000_000_000 }, 'NOT_YET'],
    ['without a client', { client_id: undefined }, 'CLIENT_MISSING'],
    ['with a subject that is not a string', { sub: 7 }, 'CLAIM_MISSING'],
    ['with a consent that cannot be read', { consent: {} }, 'CONSENT_MALFORMED'],
  ];
  it.each(cases)('%s', async (_name, more, reason) => {
    answerInstead = (_request, response) => sendJson(response, 200, { ...claims(), ...more });
    const admission = new Admission({
      issuers: [issuerOptions()],
      propagation: { issuer: 'https://gateway.example' },
    });
    const asked = admission.authenticate('opaque');
    expect(await refusal(asked)).toMatchObject({ code: 'INVALID_TOKEN', status: 401, reason });
  });

  it('a valid response is accepted', async () => {
    answerInstead = (_request, response) => sendJson(response, 200, claims());
    const admission = new Admission({
      issuers: [issuerOptions()],
      propagation: { issuer: 'https://gateway.example' },
    });
    expect((await admission.authenticate('opaque')).delegation?.subject).toBe('s');
  });
});

describe('whether an issuer answers', () => {
  it('is asked after a pause, about a token of nobody, and not while it answers others', async () => {
    const clock = new ManualClock();
    const { introspection } = issuerOptions();
    if (introspection === undefined) throw new Error('no introspection');
    const at = new TokenIntrospector(issuerOptions(), introspection, clock);
    answerInstead = (_request, response) => sendJson(response, 500, {});
    const ask = () => Promise.all([at.problem(), at.problem()]);

    const failed = await at.problem();
    expect(failed).toBe('OAUTH_RESPONSE_IS_NOT_CONFORM');
    answerInstead = undefined;
    await clock.advance(4_999);
    expect(await ask()).toEqual([failed, failed]);
    expect(questions).toBe(1);
    await clock.advance(1);
    expect(await ask()).toEqual([undefined, undefined]);
    expect(questions).toBe(2);

    await clock.advance(4_000);
    await at.introspect((await issue()).value);
    answerInstead = (request) => request.socket.destroy();
    await clock.advance(4_000);
    expect(await ask()).toEqual([undefined, undefined]);
    expect(questions).toBe(3);
    await clock.advance(1_000);
    expect(await ask()).toEqual(['NETWORK', 'NETWORK']);
    expect(questions).toBe(4);
  });
});

describe('an unavailable introspection endpoint', () => {
  const failures: [string, (request: IncomingMessage, response: ServerResponse) => void][] = [
    ['answers with an error', (_request, response) => sendJson(response, 500, {})],
    [
      'does not know the gateway',
      (_request, response) => sendJson(response, 401, { error: 'invalid_client' }),
    ],
    [
      'answers with no JSON',
      (_request, response) => response.writeHead(200, { 'content-type': 'text/html' }).end('<p>'),
    ],
    ['says "active" in other words', (_request, response) => sendJson(response, 200, { active: 'true' })],
    [
      'sends the question elsewhere',
      (_request, response) => response.writeHead(307, { location: '/other' }).end(),
    ],
    [
      'sends more than any answer holds',
      (_request, response) => sendJson(response, 200, { active: true, padding: 'x'.repeat(300 * 1024) }),
    ],
    ['hangs up', (request) => request.socket.destroy()],
    ['says nothing', () => undefined],
  ];
  it.each(failures)(
    '%s: gives 503; the token is neither accepted nor called invalid',
    async (_name, instead) => {
      answerInstead = instead;
      const gateway = await startGateway({ timeoutMs: 500 });
      const { value } = await issue();
      const answer = await gateway.ask('{ hello }', { token: value });
      expect(answer.status).toBe(503);
      expect(codes(answer)).toEqual(['TOKEN_INTROSPECTION_UNAVAILABLE']);
      expect(answer.headers['retry-after']).toBe('1');
      expect(people.requests).toEqual([]);
      // Nothing of it is cached.
      answerInstead = undefined;
      expect((await gateway.ask('{ hello }', { token: value })).status).toBe(200);
    },
  );

  it('gets a bounded number of requests', async () => {
    const held: ServerResponse[] = [];
    answerInstead = (_request, response) => void held.push(response);
    const at = new TokenIntrospector(issuerOptions(), {
      endpoint: `${issuer}${PATH}`,
      clientId: 'gateway',
      clientSecret: SECRET,
    });
    const asked = Array.from({ length: 130 }, (_, index) => refusal(at.introspect(`made-up-${index}`)));
    const beyond = await Promise.all(asked.slice(100));
    expect(beyond.every(({ status, reason }) => status === 503 && reason === 'BUSY')).toBe(true);
    await vi.waitFor(() => expect(held.length).toBe(100), { timeout: 5_000 });
    for (const response of held) sendJson(response, 200, { active: false });
    expect((await Promise.all(asked.slice(0, 100))).every(({ reason }) => reason === 'INACTIVE')).toBe(true);
  });
});

describe('made-up tokens of one client', () => {
  /** Nothing is answered before the test says so. */
  function holding(more: { readonly cacheMs?: number } = {}) {
    const held: ServerResponse[] = [];
    const hold = (): void => {
      answerInstead = (_request, response) => void held.push(response);
    };
    hold();
    const at = new TokenIntrospector(issuerOptions(), {
      endpoint: `${issuer}${PATH}`,
      clientId: 'gateway',
      clientSecret: SECRET,
      ...more,
    });
    const answerAll = (): void => {
      for (const response of held.splice(0)) sendJson(response, 200, { active: false });
    };
    return { at, held, hold, answerAll };
  }

  it.each<[string, (index: number) => string]>([
    ['one address', () => '203.0.113.7'],
    ['addresses of one IPv6 /64', (index) => `2001:db8:7:7:${index}::1`],
    ['one address in two spellings', (index) => (index % 2 === 0 ? '203.0.113.7' : '::ffff:203.0.113.7')],
  ])('exhaust no others’ introspections: 100 in flight from %s', async (_, address) => {
    const { answerAll, at, held } = holding();
    const asked = Array.from({ length: 100 }, (_each, index) =>
      refusal(at.introspect(`made-up-${index}`, address(index))),
    );
    const beyond = await Promise.all(asked.slice(20));
    expect(beyond.every(({ status, reason }) => status === 503 && reason === 'BUSY_NETWORK')).toBe(true);
    await vi.waitFor(() => expect(held.length).toBe(20), { timeout: 5_000 });
    // Another client's token is introspected and accepted.
    answerInstead = undefined;
    const { value } = await issue();
    await expect(at.introspect(value, '2001:db8:8:8::1')).resolves.toMatchObject({ sub: 'c-000001' });
    answerAll();
    expect((await Promise.all(asked.slice(0, 20))).every(({ reason }) => reason === 'INACTIVE')).toBe(true);
    // Their own are introspected again.
    expect((await refusal(at.introspect('made-up-again', address(0)))).reason).toBe('INACTIVE');
  });

  it('do not block an already valid token from the same network', async () => {
    const { answerAll, at: brief, held, hold } = holding({ cacheMs: 1 });
    answerInstead = undefined;
    const { value } = await issue();
    await brief.introspect(value, '203.0.113.7');
    hold();
    const asked = Array.from({ length: 30 }, (_, index) =>
      refusal(brief.introspect(`made-up-${index}`, '203.0.113.7')),
    );
    await Promise.all(asked.slice(20));
    await vi.waitFor(() => expect(held.length).toBe(20), { timeout: 5_000 });
    answerInstead = undefined;
    await expect(brief.introspect(value, '203.0.113.7')).resolves.toMatchObject({ sub: 'c-000001' });
    await expect(brief.introspect((await issue()).value, '203.0.113.7')).rejects.toBeInstanceOf(RefusedError);
    answerAll();
    await Promise.all(asked.slice(0, 20));
  });

  it('are counted by the address that the gateway sees', async () => {
    const { held, answerAll } = holding();
    const gateway = await startGateway();
    const asked = Array.from({ length: 40 }, (_, index) =>
      gateway.ask('{ hello }', { token: `made-up-${index}` }),
    );
    await vi.waitFor(() => expect(held.length).toBe(20), { timeout: 5_000 });
    answerAll();
    const statuses = (await Promise.all(asked)).map(({ status }) => status);
    expect(statuses.filter((status) => status === 401)).toHaveLength(20);
    expect(statuses.filter((status) => status === 503)).toHaveLength(20);
  });
});

describe('several issuers', () => {
  it('a signed token stays here; an opaque one goes only to its issuer', async () => {
    const signing = await TestIssuer.start();
    cleanup.add(() => signing.close());
    const gateway = await startTestGateway(cleanup, compose(people), {
      issuers: [{ issuer: signing.url, audience: AUDIENCE, namespace: 'other' }, issuerOptions()],
    });
    expect((await gateway.ask(READ, { token: await signing.mint({ scope: 'name' }) })).status).toBe(200);
    // An invalid JWS, or one of an unknown issuer, is not opaque.
    for (const token of [
      'a.b.c',
      `${await signing.mint()}x`,
      await signing.mint({ iss: 'https://nobody.example' }),
    ])
      expect((await gateway.ask(READ, { token })).status).toBe(401);
    expect(questions).toBe(0);
    expect((await gateway.ask(READ, { token: (await issue()).value })).status).toBe(200);
    expect(questions).toBe(1);
    // Only the named issuer was asked.
    expect(signing.metadataRequests + signing.keyRequests).toBe(2);
  });

  it('without introspection, an opaque token is refused', async () => {
    const gateway = await startTestGateway(cleanup, compose(people), {
      issuers: [{ issuer, audience: AUDIENCE }],
    });
    expect((await gateway.ask(READ, { token: (await issue()).value })).status).toBe(401);
    expect(questions).toBe(0);
  });

  it('two introspecting issuers, or one without credentials, stop the start', () => {
    const introspection = { endpoint: 'https://login.example/introspect', clientId: 'g' };
    const first = { issuer: 'https://login.example', audience: 'a' };
    const second = { issuer: 'https://other.example', audience: 'a', namespace: 'other' };
    const good = { ...introspection, clientSecret: 's' };
    const config = (...issuers: unknown[]) => checkConfig({ supergraph: 'x', issuers });
    expect(config({ ...first, introspection: good }, second).issuers).toHaveLength(2);
    expect(() => config({ ...first, introspection: good }, { ...second, introspection: good })).toThrow(
      /^issuers\[1\]\.introspection/,
    );
    expect(() => config({ ...first, introspection })).toThrow(/^issuers\[0\]\.introspection/);
    expect(() => config({ ...first, introspection: { ...good, privateKeyFile: 'k' } })).toThrow(
      /^issuers\[0\]\.introspection/,
    );
    expect(() =>
      config({ ...first, introspection: { ...good, endpoint: 'http://login.example/i' } }),
    ).toThrow(/^issuers\[0\]\.introspection\.endpoint/);
    const library = (...issuers: IssuerOptions[]) =>
      protectGateway({ supergraphSdl: 'x' }, { issuers, propagation: { issuer: 'https://gateway.example' } });
    expect(() => library({ ...first, introspection: good }, { ...second, introspection: good })).toThrow(
      /one too many/,
    );
    expect(() => library({ ...first, introspection })).toThrow(/needs one of/);
  });
});
