import * as oauth from 'oauth4webapi';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { writeFile, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { AUDIENCE, Cleanup, compose, send, startTestGateway, TestIssuer, TestSubgraph } from './support.js';
import type { Answer, TestGateway } from './support.js';

const WELL_KNOWN = '/.well-known/oauth-protected-resource';
const cleanup = new Cleanup();
let issuer: TestIssuer;
let people: TestSubgraph;
let supergraph: string;
let gateway: TestGateway;

beforeAll(async () => {
  issuer = await TestIssuer.start();
  people = await TestSubgraph.start('people');
  for (const each of [issuer, people]) cleanup.add(() => each.close());
  supergraph = compose(people);
  gateway = await start({ authorization: { anonymous: 'refuse' } });
});
afterAll(() => cleanup.run());

function start(more: Partial<Parameters<typeof startTestGateway>[2]> = {}): Promise<TestGateway> {
  const issuers = [{ issuer: issuer.url, audience: AUDIENCE }];
  return startTestGateway(cleanup, supergraph, { issuers, ...more });
}

const get = (path: string, at = gateway): Promise<Answer> => send(`${at.url}${path}`, '', {}, 'GET');

describe('section 2: the metadata', () => {
  it('describe a gateway with defaults', async () => {
    const answer = await get(`${WELL_KNOWN}/graphql`);
    expect(answer.status).toBe(200);
    expect(answer.headers['content-type']).toContain('application/json');
    expect(answer.body).toEqual({
      resource: `${gateway.url}/graphql`,
      authorization_servers: [issuer.url],
      bearer_methods_supported: ['header'],
      dpop_signing_alg_values_supported: ['ES256', 'Ed25519', 'EdDSA', 'PS256'],
      dpop_bound_access_tokens_required: false,
      tls_client_certificate_bound_access_tokens: false,
    });
  });

  it('describe one with bound tokens, certificates and policy scopes', async () => {
    const folder = await mkdtemp(join(tmpdir(), 'behalf-metadata-'));
    cleanup.add(() => rm(folder, { recursive: true, force: true }));
    const policy = join(folder, 'policy.yaml');
    const scopes = ['name', 'email', 'people:write'];
    const lines = scopes.map((name) => `  ${name}: { sentence: "See it", access: read, sensitivity: low }`);
    await writeFile(
      policy,
      `scopes:\n${lines.join('\n')}\npurposes:\n  credit: { sentence: "To judge you" }\n`,
    );
    const strict = await start({
      policy,
      dpop: { required: true, algorithms: ['ES256'] },
      proxies: { addresses: ['10.0.0.1'], clientCertificate: true },
    });
    expect((await get(`${WELL_KNOWN}/graphql`, strict)).body).toMatchObject({
      scopes_supported: scopes,
      dpop_signing_alg_values_supported: ['ES256'],
      dpop_bound_access_tokens_required: true,
      tls_client_certificate_bound_access_tokens: true,
    });
  });

  it('do not require bound tokens if one issuer may use unbound ones', async () => {
    const other = await TestIssuer.start();
    cleanup.add(() => other.close());
    const mixed = await startTestGateway(cleanup, supergraph, {
      issuers: [
        { issuer: issuer.url, audience: AUDIENCE },
        { issuer: other.url, audience: AUDIENCE, namespace: 'other' },
      ],
      dpop: { required: [issuer.url] },
    });
    expect((await get(WELL_KNOWN, mixed)).body).toMatchObject({ dpop_bound_access_tokens_required: false });
  });
});

describe('section 3: the address', () => {
  it('exists for each address that accepts tokens, and no other', async () => {
    const administered = await start({ administration: { scope: 'gateway:admin' } });
    for (const path of ['', '/graphql', '/admin/explain']) {
      const answer = await get(`${WELL_KNOWN}${path}`, administered);
      expect((answer.body as { resource?: string }).resource).toBe(`${administered.url}${path}`);
    }
    expect((await get(`${WELL_KNOWN}/admin/explain`)).status).toBe(404);
    for (const path of ['/', '/health', '/graphql/', '/../graphql', 'x'])
      expect((await get(`${WELL_KNOWN}${path}`)).status).toBe(404);
    expect((await send(`${gateway.url}${WELL_KNOWN}`, '{}')).status).toBe(405);
  });

  it('section 3.1: inserts the well-known part between host and path', async () => {
    const below = await start({
      externalUrl: 'https://api.bank.example/v1',
      authorization: { anonymous: 'refuse' },
    });
    const answer = await get(`${WELL_KNOWN}/v1/graphql`, below);
    expect((answer.body as { resource?: string }).resource).toBe('https://api.bank.example/v1/graphql');
    expect((await get(`${WELL_KNOWN}/graphql`, below)).status).toBe(404);
    expect((await below.ask('{ hello }')).headers['www-authenticate']).toContain(
      `resource_metadata="https://api.bank.example${WELL_KNOWN}/v1/graphql"`,
    );
  });

  it('is where a real client looks, and validates (section 3.3)', async () => {
    const insecure = (oauth as Readonly<Record<string, unknown>>)['allowInsecureRequests'] as symbol;
    for (const address of [`${gateway.url}/graphql`, `${gateway.url}/`]) {
      const resource = new URL(address);
      const response = await oauth.resourceDiscoveryRequest(resource, { [insecure]: true });
      const metadata = await oauth.processResourceDiscoveryResponse(resource, response);
      expect(metadata.authorization_servers).toEqual([issuer.url]);
    }
  });
});

describe('section 5.1: every challenge names it', () => {
  const pointer = (): string => `resource_metadata="${gateway.url}${WELL_KNOWN}/graphql"`;

  it.each<[string, () => Promise<Answer>]>([
    ['no credentials', () => gateway.ask('{ hello }')],
    ['a token that is not valid', () => gateway.ask('{ hello }', { token: 'x' })],
    ['two tokens', () => gateway.ask('{ hello }', { headers: { authorization: ['Bearer x', 'Bearer y'] } })],
    [
      'a bound token without its proof',
      () => gateway.ask('{ hello }', { headers: { authorization: 'DPoP x' } }),
    ],
    [
      'too little scope',
      async () =>
        gateway.ask('{ me { email } }', {
          token: await issuer.mint(),
          headers: { accept: 'application/graphql-response+json' },
        }),
    ],
    [
      'the schema',
      async () => {
        const closed = await start({ introspection: 'authenticated', externalUrl: gateway.url });
        return closed.ask('{ __schema { queryType { name } } }');
      },
    ],
  ])('%s', async (_case, ask) => {
    const challenge = (await ask()).headers['www-authenticate'] ?? '';
    expect(challenge).toContain(pointer());
    // For both schemes, where both are offered.
    expect(challenge.split('resource_metadata=')).toHaveLength(challenge.includes(', DPoP ') ? 3 : 2);
  });

  it('its address can be fetched', async () => {
    const challenge = (await gateway.ask('{ hello }')).headers['www-authenticate'] ?? '';
    const [, address = ''] = /resource_metadata="([^"]+)"/.exec(challenge) ?? [];
    const answer = await send(address, '', {}, 'GET');
    expect((answer.body as { resource?: string }).resource).toBe(`${gateway.url}/graphql`);
  });
});
