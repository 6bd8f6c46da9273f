import * as oauth from 'oauth4webapi';
import * as oidc from 'openid-client';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { protectGateway, silentLog } from '../../gateway/index.js';
import {
  ask,
  Cleanup,
  codes,
  compose,
  freePort,
  send,
  startTestGateway,
  TestSubgraph,
} from '../gateway/support.js';
import type { TestGateway } from '../gateway/support.js';
import { BrowserlessPerson } from '../support/person.js';
import {
  ALMA,
  ALMA_SUBJECT,
  application,
  claimsOf,
  client,
  clientKey,
  connect,
  discoverAs,
  withClients,
} from './oauth-setup.js';
import { authorizationRequest, discover, REDIRECT_URI, startTestAuthority } from './setup.js';
import type { TestAuthority } from './setup.js';

// A client knows the address of an API, and its own id. Everything else it discovers (RFC 9728, RFC 8414), as a public library does.

const named = oauth as Readonly<Record<string, unknown>>;
const OVER_LOOPBACK = { [named['allowInsecureRequests'] as symbol]: true };
const CLIENT: oauth.Client = { client_id: 'budget-app' };
const QUERY = '{ me { id } }';
const cleanup = new Cleanup();
const key = await clientKey();
/** Where clients send operations, and therefore the API's one identifier. */
let api: string;
let authority: TestAuthority;
let gateway: TestGateway;

beforeAll(async () => {
  const port = await freePort();
  api = `http://127.0.0.1:${port}/graphql`;
  const { authentication } = key;
  const clientCredentials = { scopes: ['profile:read'] };
  authority = await startTestAuthority({
    audience: api,
    ...withClients(
      [
        client('service', { authentication, clientCredentials, exchange: { from: ['budget-app'] } }),
        application('planner', { authentication, authorizationDetailsTypes: ['behalf_access'] }),
      ],
      {
        service: { scopes: ['profile:read', 'accounts:read'], purposes: ['budgeting'] },
        planner: { scopes: ['accounts:read'], purposes: ['budgeting'] },
      },
    ),
  });
  cleanup.add(() => authority.close());
  const people = await TestSubgraph.start('people');
  cleanup.add(() => people.close());
  gateway = await startTestGateway(cleanup, compose(people), {
    listen: { port },
    issuers: [{ issuer: authority.issuer, audience: api }],
    authorization: { anonymous: 'refuse' },
    administration: { scope: 'gateway:admin' },
  });
});
afterAll(() => cleanup.run());

interface Discovered {
  readonly resource: oauth.ResourceServer;
  readonly server: oauth.AuthorizationServer;
}

/** From the refusal of a first request. @throws whatever the library finds wrong with it */
async function follow(address: string): Promise<Discovered> {
  const refused = await send(address, JSON.stringify({ query: QUERY }), {
    'content-type': 'application/json',
  });
  expect([refused.status, codes(refused)]).toEqual([401, ['UNAUTHENTICATED']]);
  const [, metadataUrl = ''] =
    /resource_metadata="([^"]+)"/.exec(refused.headers['www-authenticate'] ?? '') ?? [];
  // RFC 9728 section 3.3: `resource` has to be the address that was called.
  const metadata = await oauth.processResourceDiscoveryResponse(new URL(address), await fetch(metadataUrl));
  const issuer = new URL(metadata.authorization_servers?.[0] ?? '');
  const found = await oauth.discoveryRequest(issuer, { algorithm: 'oauth2', ...OVER_LOOPBACK });
  return { resource: metadata, server: await oauth.processDiscoveryResponse(issuer, found) };
}

/** Authorization code with PKCE, as the person permits it. */
async function getToken({ resource, server }: Discovered): Promise<oauth.TokenEndpointResponse> {
  const verifier = oauth.generateRandomCodeVerifier();
  const state = oauth.generateRandomState();
  const url = new URL(server.authorization_endpoint ?? '');
  url.search = new URLSearchParams({
    client_id: CLIENT.client_id,
    response_type: 'code',
    redirect_uri: REDIRECT_URI,
    scope: 'accounts:read',
    resource: resource.resource,
    state,
    code_challenge: await oauth.calculatePKCECodeChallenge(verifier),
    code_challenge_method: 'S256',
  }).toString();
  const { callbackUrl } = await new BrowserlessPerson().follow(url, ALMA);
  const parameters = oauth.validateAuthResponse(server, CLIENT, callbackUrl, state);
  const response = await oauth.authorizationCodeGrantRequest(
    server,
    CLIENT,
    oauth.None(),
    parameters,
    REDIRECT_URI,
    verifier,
    { additionalParameters: { resource: resource.resource }, ...OVER_LOOPBACK },
  );
  return oauth.processAuthorizationCodeResponse(server, CLIENT, response);
}

it('a client that discovers everything gets a token, and an answer', async () => {
  const discovered = await follow(api);
  expect(discovered.resource.resource).toBe(api);
  // RFC 9728 section 4
  expect(discovered.server['protected_resources']).toEqual([api]);
  const tokens = await getToken(discovered);
  expect(claimsOf(tokens).aud).toBe(api);
  const answer = await ask(api, QUERY, { token: tokens.access_token });
  expect(answer.body).toMatchObject({ data: { me: { id: ALMA_SUBJECT } } });
  expect(gateway.log.codes()).not.toContain('AUDIENCE_IS_NOT_RESOURCE');
});

describe('the identifier is accepted as the target of', () => {
  const issued = (tokens: { readonly access_token: string }): unknown => claimsOf(tokens).aud;

  it('a pushed request (RFC 9126)', async () => {
    const server = (await discover(authority)).serverMetadata();
    const body = new URLSearchParams({
      client_id: 'budget-app',
      response_type: 'code',
      redirect_uri: REDIRECT_URI,
      scope: 'accounts:read',
      resource: api,
      code_challenge: await oauth.calculatePKCECodeChallenge(oauth.generateRandomCodeVerifier()),
      code_challenge_method: 'S256',
    });
    const response = await fetch(server.pushed_authorization_request_endpoint ?? '', {
      method: 'POST',
      body,
    });
    expect(response.status).toBe(201);
  });

  it('a refresh (RFC 8707 section 2.2)', async () => {
    const configuration = await discover(authority);
    const parameters = { resource: api, scope: 'accounts:read offline_access', prompt: 'consent' };
    const { refresh_token: refresh = '' } = await connect(configuration, parameters.scope, ALMA, {
      parameters,
    });
    expect(issued(await oidc.refreshTokenGrant(configuration, refresh, { resource: api }))).toBe(api);
  });

  it('client credentials', async () => {
    const service = await discoverAs(authority, 'service', key);
    const parameters = { scope: 'profile:read', resource: api };
    expect(issued(await oidc.clientCredentialsGrant(service, parameters))).toBe(api);
  });

  it.each(['resource', 'audience'])('a token exchange (RFC 8693), as its %s', async (parameter) => {
    const { access_token: subject } = await connect(await discover(authority), 'accounts:read');
    const service = await discoverAs(authority, 'service', key);
    const exchanged = await oidc.genericGrantRequest(
      service,
      'urn:ietf:params:oauth:grant-type:token-exchange',
      {
        subject_token: subject,
        subject_token_type: 'urn:ietf:params:oauth:token-type:access_token',
        scope: 'accounts:read',
        [parameter]: api,
      },
    );
    expect(issued(exchanged)).toBe(api);
  });

  it('authorization details (RFC 9396), as their location', async () => {
    const details = [{ type: 'behalf_access', scopes: ['accounts:read'], locations: [api] }];
    const parameters = { authorization_details: JSON.stringify(details), resource: api };
    const tokens = await connect(await discoverAs(authority, 'planner', key), 'accounts:read', ALMA, {
      parameters,
    });
    expect(issued(tokens)).toBe(api);
  });
});

describe('no other address of the gateway is a resource', () => {
  const WELL_KNOWN = '/.well-known/oauth-protected-resource';

  it.each(['', '/admin/explain', '/graphql/', '/other'])('%s has no metadata', async (path) => {
    const answer = await send(`${gateway.url}${WELL_KNOWN}${path}`, '', {}, 'GET');
    expect(answer.status).toBe(404);
  });

  it.each(['/', '/admin/explain'])('challenges at %s name the identifier', async (path) => {
    const answer = await send(`${gateway.url}${path}`, '{}', { 'content-type': 'application/json' });
    expect(answer.status).toBe(401);
    expect(answer.headers['www-authenticate']).toContain(
      `resource_metadata="${gateway.url}${WELL_KNOWN}/graphql"`,
    );
  });

  it.each([
    ['the gateway’s address', () => gateway.url],
    ['another path', () => `${gateway.url}/other`],
    ['another spelling', () => `${api}/`],
    ['another API', () => 'https://other.example'],
  ])('and the authority refuses %s', async (_what, resource) => {
    const request = await authorizationRequest(await discover(authority), 'accounts:read', {
      resource: resource(),
    });
    const response = await fetch(request.url, { redirect: 'manual' });
    expect(new URL(response.headers.get('location') ?? '').searchParams.get('error')).toBe('invalid_target');
  });
});

describe('at the start', () => {
  const ISSUER = 'https://login.example';
  const startWith = async (
    externalUrl: string | undefined,
    ...audiences: readonly string[]
  ): Promise<TestGateway> => {
    const people = await TestSubgraph.start('people');
    cleanup.add(() => people.close());
    return startTestGateway(cleanup, compose(people), {
      ...(externalUrl === undefined ? {} : { externalUrl }),
      issuers: audiences.map((audience, index) => ({
        issuer: index === 0 ? ISSUER : `${ISSUER}/${index}`,
        audience,
        jwksUri: `${ISSUER}/jwks`,
        ...(index === 0 ? {} : { namespace: `n${index}` }),
      })),
    });
  };

  it.each([
    ['the gateway’s address', 'https://api.example', 'https://api.example'],
    ['another host', 'https://api.example', 'https://api.bank.example/graphql'],
    ['another scheme', 'https://api.example', 'http://api.example/graphql'],
    ['another path', 'https://api.example/v1', 'https://api.example/graphql'],
    ['a trailing slash', 'https://api.example', 'https://api.example/graphql/'],
    ...[
      '/v1',
      '/api/graphql',
      '/GraphQL',
      '/graphql?tenant=7',
      '/graphql#v1',
      '/health',
      '/admin/explain',
    ].map((path): [string, string, string] => [
      `${path}, where no operations are sent`,
      'https://api.example',
      `https://api.example${path}`,
    ]),
  ])('the gateway says that an audience is %s', async (_what, externalUrl, audience) => {
    const { log } = await startWith(externalUrl, audience);
    const resource = `${externalUrl}/graphql`;
    expect(log.of('AUDIENCE_IS_NOT_RESOURCE')).toEqual([{ issuer: ISSUER, audience, resource }]);
  });

  it('metadata and challenges then name the address of operations, which clients compare', async () => {
    const below = await startWith('https://api.example', 'https://api.example/v1');
    const path = '/.well-known/oauth-protected-resource/graphql';
    const metadata = await send(`${below.url}${path}`, '', {}, 'GET');
    expect(metadata.body).toMatchObject({
      resource: 'https://api.example/graphql',
      authorization_servers: [ISSUER],
    });
    const refused = await below.ask('{ hello }', { token: 'x' });
    expect(refused.headers['www-authenticate']).toContain(`resource_metadata="https://api.example${path}"`);
  });

  it('a team’s own server says where operations are sent', async () => {
    const people = await TestSubgraph.start('people');
    cleanup.add(() => people.close());
    const start = async (path: string): Promise<string | undefined> => {
      const own = protectGateway(
        { supergraphSdl: compose(people) },
        {
          issuers: [{ issuer: ISSUER, audience: `https://api.example${path}` }],
          propagation: { issuer: 'https://gateway.example' },
          externalUrl: 'https://api.example',
          log: silentLog,
        },
      );
      cleanup.add(() => own.stop());
      return own.resource?.identifier;
    };
    expect(await start('/api/graphql')).toBe('https://api.example/api/graphql');
    for (const path of ['', '/', '/graphql/', '/graphql?tenant=7', '/graphql#v1'])
      expect(await start(path)).toBeUndefined();
  });

  it('it says so without externalUrl as well, of the address that it listens on', async () => {
    const { log, url } = await startWith(undefined, 'https://api.example/graphql');
    expect(log.of('AUDIENCE_IS_NOT_RESOURCE')).toMatchObject([{ resource: `${url}/graphql` }]);
  });

  it.each([
    ['https://api.example', 'https://api.example/graphql'],
    ['https://api.example/', 'https://api.example/graphql'],
    ['https://api.example/v1', 'https://api.example/v1/graphql'],
    ['https://api.example', '6e74172b-be56-4843-9ff4-e66a39bb12e3'],
    ['https://api.example', 'api://bank'],
  ])('it says nothing at %s of %s', async (externalUrl, audience) => {
    const { log } = await startWith(externalUrl, audience);
    expect(log.codes()).not.toContain('AUDIENCE_IS_NOT_RESOURCE');
  });

  it('it names the issuers of the identifier only, and says which others there are', async () => {
    const { log, url } = await startWith(
      'https://api.example',
      'https://api.example/graphql',
      'https://api.bank.example',
    );
    const metadata = await send(`${url}/.well-known/oauth-protected-resource/graphql`, '', {}, 'GET');
    expect(metadata.body).toMatchObject({
      resource: 'https://api.example/graphql',
      authorization_servers: [ISSUER],
    });
    expect(log.of('AUDIENCE_IS_NOT_RESOURCE')).toMatchObject([{ issuer: `${ISSUER}/1` }]);
  });

  it.each(['api', '', 'https://api.example/graphql#v1', '/graphql'])(
    'the authority refuses the audience "%s"',
    async (audience) => {
      await expect(startTestAuthority({ audience })).rejects.toMatchObject({ code: 'OPTION_INVALID' });
    },
  );
});
