import fc from 'fast-check';
import { decodeJwt } from 'jose';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { Namespaces } from '../../gateway/authenticate/namespaces.js';
import { claimAt, readNames } from '../../gateway/authenticate/claims.js';
import { RevocationView } from '../../revocation/view.js';
import { checkConfig } from '../../gateway/index.js';
import { GatewayRequest } from '../../gateway/stages/gateway-request.js';
import { Admission } from './admission.js';
import {
  AUDIENCE,
  Cleanup,
  codes,
  compose,
  MemorySink,
  startTestGateway,
  TestIssuer,
  TestSubgraph,
} from './support.js';
import type { TestGateway } from './support.js';

const cleanup = new Cleanup();
let keycloak: TestIssuer;
let entra: TestIssuer;
let auth0: TestIssuer;
let own: TestIssuer;
let people: TestSubgraph;
let gateway: TestGateway;

const TENANT = '9122040d-6c67-4c5b-b112-36a304b66dad';
const now = Math.floor(Date.now() / 1000);

/** An access token of Keycloak 26, with the header `typ: JWT`. */
const keycloakToken = {
  exp: now + 300,
  iat: now,
  auth_time: now - 60,
  jti: 'onrtac:4b2c1a3e-0d6e-4b43-8a41-0b6a63c8d1f7',
  aud: [AUDIENCE, 'account'],
  sub: 'f1b0a9ae-1f5b-4b0c-9d55-3a1f2f3d8c11',
  typ: 'Bearer',
  azp: 'budget-app',
  sid: '7d8d4f6e-5a6c-4f0e-8a41-4c5b6a7d8e9f',
  acr: '1',
  'allowed-origins': ['https://app.example'],
  realm_access: { roles: ['default-roles-bank', 'offline_access', 'Branch Manager'] },
  resource_access: {
    'bank.api': { roles: ['teller'] },
    account: { roles: ['manage-account', 'view-profile'] },
  },
  scope: 'openid profile name',
  email_verified: true,
  preferred_username: 'alma',
  client_id: undefined,
};

/** A delegated token of Entra for a v2.0 API. */
const entraToken = {
  aud: AUDIENCE,
  iat: now,
  nbf: now,
  exp: now + 4_000,
  aio: 'AXQAi/8IAAAAtAaZLo3ChMif6KOnttRB7eBq4/DccQzjcJGxPYy/C3jDaNGxXd6wNIIVGRghNRnwJ1lOcAnNZcjvkoyrFxCttv33140RioOFJ4bCCGVuoCag1uOTT22222gHwLPYQ/uf79QX+0KIijdrmp69RctzmQ==',
  azp: '6e74172b-be56-4843-9ff4-e66a39bb12e3',
  azpacr: '1',
  name: 'Alma Berg',
  oid: '690222be-ff1a-4d56-abd1-7e4f7d38e474',
  preferred_username: 'alma@bank.example',
  rh: '0.AXkA',
  roles: ['Accounts.Reader'],
  scp: 'Name.Read Mail.Read',
  sid: '0015c8a1-1111-2222-3333-444455556666',
  sub: 'HKZpfaHyWadeOouYlitjrI-KffTm222X5rrV3xDqfKQ',
  tid: TENANT,
  uti: 'Hzv9tKv3ZkW9nTqkM9wBAA',
  ver: '2.0',
  client_id: undefined,
  scope: undefined,
  jti: undefined,
};

/** A token of Auth0 with RBAC permissions and an Action that adds a namespaced claim. */
const auth0Token = {
  'https://bank.example/roles': ['support agent'],
  sub: 'auth0|65f0a1b2c3d4e5f6a7b8c9d0',
  aud: [AUDIENCE, 'https://bank.eu.auth0.com/userinfo'],
  iat: now,
  exp: now + 300,
  azp: 'k3v9fQ2wXyZ1aB4cD5eF6gH7iJ8kL9mN',
  scope: 'openid profile offline_access',
  permissions: ['name', 'email'],
  client_id: undefined,
  jti: undefined,
};

beforeAll(async () => {
  keycloak = await TestIssuer.start('RS256');
  entra = await TestIssuer.start('RS256');
  auth0 = await TestIssuer.start('RS256');
  own = await TestIssuer.start();
  people = await TestSubgraph.start('people');
  for (const each of [keycloak, entra, auth0, own, people]) cleanup.add(() => each.close());
  const config = checkConfig({
    supergraph: 'x',
    issuers: [
      { issuer: own.url, audience: AUDIENCE },
      {
        issuer: keycloak.url,
        audience: AUDIENCE,
        namespace: 'kc',
        tokenTypes: ['JWT'],
        claims: {
          clientId: 'azp',
          roles: [
            { from: ['realm_access', 'roles'] },
            { from: ['resource_access', 'bank.api', 'roles'], prefix: 'bank.api:' },
          ],
          service: { from: 'client_id' },
          required: [{ from: 'typ', is: 'Bearer' }],
        },
      },
      {
        issuer: entra.url,
        audience: AUDIENCE,
        namespace: 'entra',
        tokenTypes: ['JWT'],
        claims: {
          clientId: 'azp',
          subject: 'oid',
          scopes: [{ from: 'scp', rename: { 'Name.Read': 'name', 'Name.Write': 'people:write' } }],
          roles: [{ from: 'roles' }, { from: 'groups', prefix: 'group:' }],
          service: { from: 'idtyp', is: 'app' },
          required: [
            { from: 'tid', is: TENANT },
            { from: 'ver', is: '2.0' },
          ],
        },
      },
      {
        issuer: auth0.url,
        audience: AUDIENCE,
        namespace: 'auth0',
        tokenTypes: ['JWT', 'at+jwt'],
        claims: {
          clientId: 'azp',
          scopes: [{ from: 'scope' }, { from: 'permissions' }],
          roles: 'https://bank.example/roles',
          service: { from: 'gty', is: 'client-credentials' },
        },
      },
    ],
  });
  gateway = await startTestGateway(cleanup, compose(people), {
    issuers: config.issuers,
    subgraphs: {
      people: {
        roles: ['Branch Manager', 'bank.api:teller', 'Accounts.Reader', 'group:g1', 'support agent'],
      },
    },
  });
});
afterAll(() => cleanup.run());
beforeEach(() => {
  people.requests.length = 0;
});

const READ = '{ me { id name email } }';

async function claimsFor(issuer: TestIssuer, claims: Record<string, unknown>) {
  const answer = await gateway.ask(READ, { token: await issuer.mint(claims, { header: { typ: 'JWT' } }) });
  const sent = people.requests.at(-1)?.headers['txn-token'];
  return { answer, claims: sent === undefined ? undefined : decodeJwt(String(sent)) };
}

async function expectRefused(
  issuer: TestIssuer,
  claims: Record<string, unknown>,
  reason: string,
): Promise<void> {
  people.requests.length = 0;
  const { answer } = await claimsFor(issuer, claims);
  expect(answer.status).toBe(401);
  expect(codes(answer)).toEqual(['INVALID_TOKEN']);
  expect(people.requests).toEqual([]);
  expect(gateway.log.of('AUTHENTICATION_FAILED').at(-1)?.reason).toBe(reason);
}

describe('Keycloak', () => {
  it('realm roles and one client’s roles count, with spaces; other clients’ do not', async () => {
    const { answer, claims } = await claimsFor(keycloak, keycloakToken);
    expect(answer.body.data).toMatchObject({ me: { name: 'Name of c-000001', email: null } });
    expect(claims).toMatchObject({
      sub: 'kc:f1b0a9ae-1f5b-4b0c-9d55-3a1f2f3d8c11',
      scope: 'name',
      tctx: { roles: ['Branch Manager', 'bank.api:teller'] },
      rctx: { client_id: 'kc:budget-app' },
    });
    expect(claims?.tctx).not.toHaveProperty('service');
  });

  it('an ID or refresh token with the same header is refused (RFC 8725 section 3.12)', async () => {
    await expectRefused(keycloak, { ...keycloakToken, typ: 'ID' }, 'CLAIM_REQUIRED');
    await expectRefused(keycloak, { ...keycloakToken, typ: 'Refresh' }, 'CLAIM_REQUIRED');
    await expectRefused(keycloak, { ...keycloakToken, typ: undefined }, 'CLAIM_REQUIRED');
  });

  it('a service account is a service', async () => {
    const { claims } = await claimsFor(keycloak, {
      ...keycloakToken,
      sub: 'c0ffee00-1111-2222-3333-444455556666',
      sid: undefined,
      azp: 'nightly-job',
      client_id: 'nightly-job',
      clientHost: '10.0.0.7',
      clientAddress: '10.0.0.7',
      preferred_username: 'service-account-nightly-job',
    });
    expect(claims).toMatchObject({ sub: 'urn:behalf:service:kc:nightly-job', tctx: { service: true } });
  });
});

describe('Entra', () => {
  it('renamed scopes count alone; the person is the oid, alike for all applications', async () => {
    const { answer, claims } = await claimsFor(entra, entraToken);
    expect(answer.body.data).toMatchObject({ me: { name: 'Name of c-000001' } });
    expect(claims).toMatchObject({
      sub: 'entra:690222be-ff1a-4d56-abd1-7e4f7d38e474',
      scope: 'name',
      tctx: { roles: ['Accounts.Reader'] },
      rctx: { client_id: 'entra:6e74172b-be56-4843-9ff4-e66a39bb12e3' },
    });
  });

  it('a v1.0 token or one of another tenant is refused', async () => {
    await expectRefused(entra, { ...entraToken, ver: '1.0', appid: entraToken.azp }, 'CLAIM_REQUIRED');
    await expectRefused(entra, { ...entraToken, tid: 'another-tenant' }, 'CLAIM_REQUIRED');
  });

  it('groups count; a token without them for overage is refused', async () => {
    const { claims } = await claimsFor(entra, { ...entraToken, groups: ['g1', 'g2'] });
    expect(claims?.tctx).toEqual({ roles: ['Accounts.Reader', 'group:g1'] });
    await expectRefused(
      entra,
      {
        ...entraToken,
        _claim_names: { groups: 'src1' },
        _claim_sources: { src1: { endpoint: 'https://graph.windows.net/t/users/u/getMemberObjects' } },
      },
      'ROLES_ELSEWHERE',
    );
  });

  it('an application by itself (idtyp: app) is a service', async () => {
    const { claims } = await claimsFor(entra, {
      ...entraToken,
      idtyp: 'app',
      scp: undefined,
      oid: 'a-service-principal',
      sub: 'a-service-principal',
    });
    expect(claims).toMatchObject({
      sub: `urn:behalf:service:entra:${entraToken.azp}`,
      scope: '',
      tctx: { service: true },
    });
  });
});

describe('Auth0', () => {
  it('scope and permissions both count; a namespaced claim is a single member', async () => {
    const { answer, claims } = await claimsFor(auth0, auth0Token);
    expect(answer.body.data).toMatchObject({ me: { name: 'Name of c-000001' } });
    expect(answer.body.errors).toBeUndefined();
    expect(claims).toMatchObject({ sub: `auth0:${auth0Token.sub}`, tctx: { roles: ['support agent'] } });
    expect(String(claims?.scope).split(' ').sort()).toEqual(['email', 'name']);
  });

  it('a machine-to-machine token is a service', async () => {
    const { claims } = await claimsFor(auth0, {
      ...auth0Token,
      sub: `${auth0Token.azp}@clients`,
      gty: 'client-credentials',
    });
    expect(claims?.sub).toBe(`urn:behalf:service:auth0:${auth0Token.azp}`);
  });
});

describe('an unreadable claim', () => {
  const malformed: [string, () => [TestIssuer, Record<string, unknown>, string]][] = [
    [
      'a role that is not a string',
      () => [keycloak, { ...keycloakToken, realm_access: { roles: [1] } }, 'ROLES_MALFORMED'],
    ],
    [
      'roles that are an object',
      () => [keycloak, { ...keycloakToken, realm_access: { roles: {} } }, 'ROLES_MALFORMED'],
    ],
    [
      'a role with a line break',
      () => [keycloak, { ...keycloakToken, realm_access: { roles: ['a\nb'] } }, 'ROLES_MALFORMED'],
    ],
    [
      'a scope with a space, that would come out as two',
      () => [auth0, { ...auth0Token, permissions: ['name email'] }, 'SCOPE_MALFORMED'],
    ],
    ['a subject that is not a string', () => [entra, { ...entraToken, oid: 7 }, 'SUBJECT_MALFORMED']],
    [
      'no subject where it is looked for',
      () => [entra, { ...entraToken, oid: undefined }, 'SUBJECT_MALFORMED'],
    ],
    ['no client', () => [auth0, { ...auth0Token, azp: undefined }, 'CLIENT_MISSING']],
  ];
  it.each(malformed)('%s refuses the token', async (_name, make) => {
    await expectRefused(...make());
  });

  it('a missing claim grants nothing, and inherited members are not claims', () => {
    expect(readNames({ realm_access: 'x' }, ['realm_access', 'roles'], 'ROLES')).toEqual([]);
    for (const path of ['constructor', '__proto__', ['a', 'constructor'], ['a', 'toString', 'name']])
      expect(claimAt({ a: {} }, path)).toBeUndefined();
    const rename = { known: 'here' };
    for (const name of ['constructor', '__proto__', 'toString'])
      expect(readNames({ scp: [name] }, [{ from: 'scp', rename }], 'SCOPE')).toEqual([]);
  });
});

describe('several issuers', () => {
  it('the same sub or client_id from two issuers stays distinct', async () => {
    const sub = 'c-000001';
    const seen = new Map<string, unknown>();
    for (const issuer of [keycloak, auth0]) {
      const { claims } = await claimsFor(issuer, {
        ...(issuer === keycloak ? keycloakToken : auth0Token),
        sub,
        azp: 'same-app',
      });
      seen.set(String(claims?.sub), claims?.rctx);
    }
    const token = await own.mint({ sub, client_id: 'same-app' });
    await gateway.ask(READ, { token });
    const mine = decodeJwt(String(people.requests.at(-1)?.headers['txn-token']));
    seen.set(String(mine.sub), mine.rctx);
    expect(Object.fromEntries(seen)).toEqual({
      'kc:c-000001': { client_id: 'kc:same-app' },
      'auth0:c-000001': { client_id: 'auth0:same-app' },
      'c-000001': { client_id: 'same-app' },
    });
  });

  it('the issuer without a namespace cannot claim others’ subjects, clients, consents or actors', async () => {
    const consent = { id: 'kc:consent', version: 1, purposes: [], detail: 'full' };
    for (const claims of [
      { sub: 'kc:f1b0a9ae' },
      { client_id: 'entra:app' },
      { consent },
      { act: { sub: 'x', act: { sub: 'auth0:y' } } },
      // RFC 9068 section 5: nor can a person pass for a service.
      { sub: 'urn:behalf:service:budget-app' },
    ]) {
      const answer = await gateway.ask(READ, { token: await own.mint(claims) });
      expect(answer.status).toBe(401);
      expect(gateway.log.of('AUTHENTICATION_FAILED').at(-1)?.reason).toBe('NAME_RESERVED');
    }
  });

  it('mix-up: a token naming another issuer than its signer is refused', async () => {
    for (const [signer, named, claims] of [
      [keycloak, own, {}],
      [own, keycloak, keycloakToken],
      [auth0, entra, entraToken],
    ] as const) {
      const token = await signer.mint({ ...claims, iss: named.url }, { header: { typ: 'JWT' } });
      expect((await gateway.ask(READ, { token })).status).toBe(401);
    }
  });

  it('no two issuers share a name, and none has a service’s (property)', () => {
    const namespace = fc.stringMatching(/^[a-c]{1,2}$/);
    const name = fc.oneof(
      fc.stringMatching(/^[a-c:]{1,6}$/),
      fc.stringMatching(/^urn:behalf:service:[a-c:]{0,4}$/),
    );
    fc.assert(
      fc.property(
        fc.uniqueArray(fc.oneof(fc.constant(undefined), namespace), { minLength: 2, maxLength: 5 }),
        name,
        name,
        (all, one, other) => {
          const namespaces = new Namespaces(
            all.map((each, index) => ({
              issuer: `i${index}`,
              ...(each === undefined ? {} : { namespace: each }),
            })),
          );
          const [first, second] = all;
          const named = namespaces.qualify(first, one);
          expect(named?.startsWith('urn:behalf:service:') ?? false).toBe(false);
          if (named !== undefined) expect(namespaces.qualify(second, other)).not.toBe(named);
          if (one !== other && named !== undefined) expect(namespaces.qualify(first, other)).not.toBe(named);
        },
      ),
      { numRuns: 3_000 },
    );
  });

  it('an ambiguity stops the start, of server and library', () => {
    const issuers = (...namespaces: (string | undefined)[]) =>
      namespaces.map((namespace, index) => ({
        issuer: `https://login-${index}.example`,
        audience: 'a',
        ...(namespace === undefined ? {} : { namespace }),
      }));
    for (const ambiguous of [issuers(undefined, undefined), issuers('a', 'b', 'a'), issuers('urn')]) {
      expect(() => checkConfig({ supergraph: 'x', issuers: ambiguous })).toThrow(/^issuers\[\d\]\.namespace/);
      expect(
        () => new Admission({ issuers: ambiguous, propagation: { issuer: 'https://gateway.example' } }),
      ).toThrow(/namespace/);
    }
    for (const clear of [issuers(undefined), issuers('a'), issuers(undefined, 'a', 'b')])
      expect(checkConfig({ supergraph: 'x', issuers: clear }).issuers).toHaveLength(clear.length);
  });

  it('a revocation by an issuer’s names ends only its own tokens', async () => {
    const view = new RevocationView({
      issuers: ['https://a.example', 'https://b.example'],
      maxStalenessMs: 1_000,
      maxTokenLifetimeSeconds: 600,
    });
    const base = { scopes: new Set<string>(), policies: new Set<string>(), roles: [] };
    const tokenOf = (issuer: string, namespace: string) => ({
      issuer,
      tokenId: undefined,
      confirmation: undefined,
      issuedAt: now - 10,
      expiresAt: now + 100,
      issuerDelegation: { ...base, subject: 'alma', clientId: 'app' },
      delegation: { ...base, subject: `${namespace}:alma`, clientId: `${namespace}:app` },
    });
    const [a, b] = [tokenOf('https://a.example', 'a'), tokenOf('https://b.example', 'b')];
    view.revoke({ issuer: 'https://a.example', subject: 'alma' }, now);
    expect([view.isRevoked(a), view.isRevoked(b)]).toEqual([true, false]);
    view.revoke({ issuer: 'https://b.example', clientId: 'app' }, now);
    expect(view.isRevoked(b)).toBe(true);
  });
});

describe('a service (RFC 9068 section 2.2: sub is the client)', () => {
  it('is named apart from persons, counts as authenticated, and meets no purpose', async () => {
    const token = await own.mint({ sub: 'job', client_id: 'job', scope: 'name' });
    const answer = await gateway.ask('{ mine me { name score } }', { token });
    expect(answer.body.data).toMatchObject({ me: { name: 'Name of c-000001', score: null } });
    expect(answer.body.data?.mine).not.toBeNull();
    const claims = decodeJwt(String(people.requests.at(-1)?.headers['txn-token']));
    expect(claims).toMatchObject({ sub: 'urn:behalf:service:job', tctx: { service: true } });
  });

  it('with a consent is refused: no person could have given it', async () => {
    const consent = { id: 'c', version: 1, purposes: ['credit'], detail: 'full' };
    const answer = await gateway.ask(READ, {
      token: await own.mint({ sub: 'job', client_id: 'job', consent }),
    });
    expect(answer.status).toBe(401);
    expect(gateway.log.of('AUTHENTICATION_FAILED').at(-1)?.reason).toBe('SERVICE_WITH_CONSENT');
  });

  it('is recorded as a service, without a person’s pseudonym', async () => {
    const sink = new MemorySink();
    const { records } = sink;
    const admission = new Admission({
      issuers: [{ issuer: own.url, audience: AUDIENCE }],
      propagation: { issuer: 'https://gateway.example' },
      audit: {
        mode: 'required',
        pseudonymKey: new Uint8Array(32),
        sink,
      },
    });
    for (const sub of ['job', 'alma']) {
      const authorization = [`Bearer ${await own.mint({ sub, client_id: 'job' })}`];
      const request = new GatewayRequest({ authorization });
      await admission.pipeline.admit(request);
      await admission.pipeline.record(request, 'answered', undefined);
    }
    expect(records[0]?.caller).toEqual({ service: true, clientId: 'job', scopes: [] });
    expect(records[1]?.caller).toEqual({
      subjectPseudonym: expect.any(String) as string,
      clientId: 'job',
      scopes: [],
    });
  });
});
