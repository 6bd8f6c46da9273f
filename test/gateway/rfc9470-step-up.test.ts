import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { decodeJwt } from 'jose';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { PolicyCeiling } from '../../gateway/authorize/ceiling.js';
import { checkPolicy } from '../../policy/index.js';
import {
  AUDIENCE,
  Cleanup,
  compose,
  send,
  startTestGateway,
  TestIssuer,
  TestLog,
  TestSubgraph,
} from './support.js';
import type { TestGateway } from './support.js';

const cleanup = new Cleanup();
let issuer: TestIssuer;
let people: TestSubgraph;
let gateway: TestGateway;
let rejecting: TestGateway;

const POLICY = {
  scopes: {
    name: { sentence: 'See it', access: 'read', sensitivity: 'low' },
    email: { sentence: 'See it', access: 'read', sensitivity: 'personal' },
    admin: { sentence: 'Explain', access: 'read', sensitivity: 'personal', outsideSchema: true },
    'people:write': { sentence: 'Change it', access: 'write', sensitivity: 'sensitive' },
  },
  purposes: { credit: { sentence: 'To lend' } },
  stepUp: {
    personal: { acrValues: ['urn:two', 'urn:one'] },
    sensitive: { acrValues: ['urn:two'], maxAge: 'PT15M' },
  },
};
const nowSeconds = (): number => Math.floor(Date.now() / 1000);
const TELLING = { accept: 'application/graphql-response+json' };
const RENAME = 'mutation { rename(name: "x") { id } }';

beforeAll(async () => {
  const folder = await mkdtemp(join(tmpdir(), 'behalf-step-up-'));
  cleanup.add(() => rm(folder, { recursive: true, force: true }));
  const policy = join(folder, 'policy.yaml');
  await writeFile(policy, JSON.stringify(POLICY));
  issuer = await TestIssuer.start();
  people = await TestSubgraph.start('people');
  for (const each of [issuer, people]) cleanup.add(() => each.close());
  const issuers = [{ issuer: issuer.url, audience: AUDIENCE }];
  const supergraph = compose(people);
  gateway = await startTestGateway(cleanup, supergraph, {
    issuers,
    policy,
    administration: { scope: 'admin' },
  });
  rejecting = await startTestGateway(cleanup, supergraph, {
    issuers,
    policy,
    authorization: { mode: 'reject' },
  });
});
afterAll(() => cleanup.run());
beforeEach(() => {
  people.requests.length = 0;
});

const mint = (claims: Readonly<Record<string, unknown>>): Promise<string> =>
  issuer.mint({ scope: 'name email people:write', ...claims });

/** RFC 9728 section 5.1. */
const metadata = (): string =>
  `resource_metadata="${gateway.url}/.well-known/oauth-protected-resource/graphql"`;

describe('RFC 9470: a scope that needs a stronger sign-in than the token states', () => {
  it.each<[string, Record<string, unknown>]>([
    ['no sign-in', {}],
    ['no time', { acr: 'urn:two' }],
    ['too long ago', { acr: 'urn:two', auth_time: nowSeconds() - 1_000 }],
    ['too weak', { acr: 'urn:one', auth_time: nowSeconds() }],
    ['of an unknown kind', { acr: '__proto__', auth_time: nowSeconds() }],
  ])('is not held: %s', async (_what, claims) => {
    const answer = await gateway.ask(RENAME, { token: await mint(claims), headers: TELLING });
    expect(answer.status).toBe(401);
    expect(answer.headers['www-authenticate']).toBe(
      'Bearer error="insufficient_user_authentication", error_description="The person has to sign in again", ' +
        `acr_values="urn:two", max_age="900", ${metadata()}`,
    );
    expect(answer.body.errors?.[0]?.extensions).toMatchObject({
      code: 'UNAUTHORIZED_FIELD_OR_TYPE',
      requires: { scopes: [[['people:write']]], stepUp: { acrValues: ['urn:two'], maxAgeSeconds: 900 } },
    });
    expect(people.requests).toEqual([]);
  });

  it('counts once the person signed in so', async () => {
    const token = await mint({ acr: 'urn:two', auth_time: nowSeconds() - 5 });
    const answer = await gateway.ask(RENAME, { token, headers: TELLING });
    expect(answer.status).toBe(200);
    expect(answer.body.errors).toBeUndefined();
    const { scope } = decodeJwt<{ scope: string }>(String(people.requests[0]?.headers['txn-token']));
    expect(scope.split(' ').sort()).toEqual(['email', 'name', 'people:write']);
  });

  it('marks denials in partial data that a new sign-in would end', async () => {
    const query = '{ me { name email score } }';
    const answer = await gateway.ask(query, { token: await mint({ acr: 'urn:none' }) });
    expect(answer.status).toBe(200);
    expect(answer.body.data).toEqual({ me: { name: 'Name of c-000001', email: null, score: null } });
    const requires = new Map(
      (answer.body.errors ?? []).map(({ path = [], extensions }) => [path.join('.'), extensions?.requires]),
    );
    expect(requires.get('me.email')).toEqual({
      scopes: [[['email']]],
      stepUp: { acrValues: ['urn:two', 'urn:one'] },
    });
    // A purpose is missing, which no sign-in provides.
    expect(requires.get('me.score')).not.toHaveProperty('stepUp');
    const { scope } = decodeJwt<{ scope: string }>(String(people.requests[0]?.headers['txn-token']));
    expect(scope).toBe('name');
    // A caller who was never granted the scope gets the decision without the advice.
    const other = await gateway.ask(query, { token: await issuer.mint({ scope: 'name' }) });
    expect(JSON.stringify(other.body.errors)).not.toContain('stepUp');
  });

  it('is insufficient_scope if signing in again would not be enough', async () => {
    const token = await issuer.mint({ scope: 'name' });
    const answer = await gateway.ask(RENAME, { token, headers: TELLING });
    expect(answer.status).toBe(403);
    expect(answer.headers['www-authenticate']).toBe(
      `Bearer error="insufficient_scope", scope="people:write", ${metadata()}`,
    );
  });

  it('in reject mode is requested only if it permits the whole operation', async () => {
    const all = await rejecting.ask('{ me { name email } }', { token: await mint({}), headers: TELLING });
    expect(all.status).toBe(401);
    expect(all.headers['www-authenticate']).toContain('acr_values="urn:two urn:one"');
    const some = await rejecting.ask('{ me { email score } }', { token: await mint({}), headers: TELLING });
    expect(some.status).toBe(403);
    expect(some.headers['www-authenticate']).toContain('error="insufficient_scope"');
  });

  it('holds for the administrators’ address, too', async () => {
    const explain = async (claims: Record<string, unknown>) =>
      send(`${gateway.url}/admin/explain`, JSON.stringify({ query: '{ me { name } }' }), {
        'content-type': 'application/json',
        authorization: `Bearer ${await issuer.mint({ scope: 'admin', ...claims })}`,
      });
    const refused = await explain({});
    expect(refused.status).toBe(401);
    expect(refused.headers['www-authenticate']).toContain('error="insufficient_user_authentication"');
    expect(refused.text).toContain('INSUFFICIENT_USER_AUTHENTICATION');
    expect((await explain({ acr: 'urn:one' })).status).toBe(200);
  });

  it.each([
    ['acr', 7],
    ['auth_time', '5'],
    ['auth_time', null],
  ])('refuses a token whose %s is %s', async (name, value) => {
    const answer = await gateway.ask('{ me { name } }', { token: await mint({ [name]: value }) });
    expect(answer.status).toBe(401);
    expect(answer.body.errors?.[0]?.extensions?.code).toBe('INVALID_TOKEN');
  });
});

it('expires with the sign-in’s age, even for a remembered token', () => {
  let seconds = 0;
  const clock = { now: () => seconds * 1000 };
  const ceiling = new PolicyCeiling(checkPolicy(POLICY), new TestLog(), clock);
  const token = {
    delegation: {
      subject: 's',
      clientId: 'c',
      scopes: new Set(['people:write', 'name']),
      policies: new Set<string>(),
      roles: [],
    },
    issuer: 'https://login.example',
    tokenId: undefined,
    confirmation: undefined,
    issuedAt: 0,
    expiresAt: 10_000_000_000,
    acr: 'urn:two',
    authTime: 1_000,
  };
  const at = (time: number) => {
    seconds = time;
    return ceiling.apply(token);
  };
  expect([...at(1_900).delegation.scopes]).toEqual(['people:write', 'name']);
  expect(at(1_800)).toBe(at(1_900));
  expect([...at(1_900.1).delegation.scopes]).toEqual(['name']);
  expect([...(at(1_900.1).withheld?.keys() ?? [])]).toEqual(['people:write']);
});
