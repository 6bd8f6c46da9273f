import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { decodeJwt } from 'jose';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { readConfig, startGateway } from '../../gateway/index.js';
import { PolicyCeiling } from '../../gateway/authorize/ceiling.js';
import { checkPolicy } from '../../policy/index.js';
import {
  AUDIENCE,
  Cleanup,
  compose,
  startTestGateway,
  TestIssuer,
  TestLog,
  TestSubgraph,
} from './support.js';
import type { TestGateway } from './support.js';

const cleanup = new Cleanup();
let issuer: TestIssuer;
let people: TestSubgraph;
let supergraph: string;
let folder: string;
let files = 0;

const entry = { sentence: 'See it', access: 'read', sensitivity: 'low' };
const POLICY = {
  scopes: {
    name: entry,
    email: { ...entry, deprecated: { since: '2020-01-01', until: '2999-12-31', replacedBy: ['name'] } },
    'people:write': { ...entry, access: 'write' },
    // A name that the schema no longer has.
    old: { ...entry, deprecated: { since: '2020-01-01', until: '2020-12-31' } },
  },
  purposes: { credit: { sentence: 'To lend' }, ads: { sentence: 'To sell' } },
  clients: {
    'budget-app': { scopes: ['name', 'email', 'old'], purposes: ['ads'] },
    lender: { scopes: ['name'], purposes: ['credit'] },
  },
};

async function policyFile(policy: object): Promise<string> {
  files += 1;
  const file = join(folder, `policy-${files}.yaml`);
  await writeFile(file, JSON.stringify(policy));
  return file;
}

async function start(policy: object): Promise<TestGateway> {
  const issuers = [{ issuer: issuer.url, audience: AUDIENCE }];
  return startTestGateway(cleanup, supergraph, { issuers, policy: await policyFile(policy) });
}

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'behalf-ceiling-'));
  cleanup.add(() => rm(folder, { recursive: true, force: true }));
  issuer = await TestIssuer.start();
  people = await TestSubgraph.start('people');
  for (const each of [issuer, people]) cleanup.add(() => each.close());
  supergraph = compose(people);
});
afterAll(() => cleanup.run());
beforeEach(() => {
  people.requests.length = 0;
});

const QUERY = '{ me { nick name email score } }';
const HELD = {
  scope: 'name email people:write old unheard-of',
  consent: { id: 'c', version: 1, purposes: ['credit', 'ads'], detail: 'full' },
};

/** The claims of the transaction tokens that reached the subgraph. */
function carried() {
  return people.requests.map(({ headers }) => {
    const claims = decodeJwt<{ scope: string; tctx: { consent?: { purposes: string[] } } }>(
      String(headers['txn-token']),
    );
    return { scope: claims.scope.split(' ').sort().join(' '), purposes: claims.tctx.consent?.purposes };
  });
}

describe('a token with more rights than its client’s ceiling', () => {
  let gateway: TestGateway;
  beforeAll(async () => {
    gateway = await start(POLICY);
  });

  it('sees and sends to the subgraph only what the ceiling permits', async () => {
    const answer = await gateway.ask(QUERY, { token: await issuer.mint(HELD) });
    expect(answer.body.data?.me).toMatchObject({
      name: 'Name of c-000001',
      email: 'c-000001@example.org',
      score: null,
    });
    expect(answer.body.errors?.map(({ path }) => path)).toEqual([['me', 'score']]);
    expect(people.queries).not.toContain('score');
    expect(carried()).toEqual([{ scope: 'email name', purposes: [] }]);
  });

  it('is cut to its own client’s ceiling, purposes included', async () => {
    const answer = await gateway.ask(QUERY, { token: await issuer.mint({ ...HELD, client_id: 'lender' }) });
    expect(answer.body.data?.me).toMatchObject({ name: 'Name of c-000001', email: null, score: 7 });
    expect(carried()).toEqual([{ scope: 'name', purposes: ['credit'] }]);
  });

  it('runs no mutation beyond the ceiling', async () => {
    const token = await issuer.mint(HELD);
    const answer = await gateway.ask('mutation { rename(name: "x") { nick } }', { token });
    expect(answer.body.data).toEqual({ rename: null });
    expect(people.requests).toEqual([]);
  });

  it.each(['stranger', '__proto__', 'constructor', '*'])(
    'holds nothing if its client is %s',
    async (client) => {
      const answer = await gateway.ask(QUERY, { token: await issuer.mint({ ...HELD, client_id: client }) });
      expect(answer.status).toBe(200);
      expect(answer.body.data?.me).toEqual({ nick: 'al', name: null, email: null, score: null });
      expect(carried()).toEqual([{ scope: '', purposes: [] }]);
    },
  );

  it('stays valid for fields that need no scope', async () => {
    const token = await issuer.mint({ client_id: 'stranger' });
    expect((await gateway.ask('{ mine }', { token })).body.data).toEqual({ mine: 'mine' });
  });

  it('is logged once per client and deprecated scope, without the token', async () => {
    const fresh = await start(POLICY);
    for (const sub of ['c-1', 'c-2', 'c-1'])
      await fresh.ask(QUERY, { token: await issuer.mint({ ...HELD, sub }) });
    expect(fresh.log.of('DEPRECATED_SCOPE')).toEqual([
      { client: 'budget-app', scope: 'email', honoured: true, until: '2999-12-31', replacedBy: 'name' },
      { client: 'budget-app', scope: 'old', honoured: false, until: '2020-12-31' },
    ]);
    await fresh.ask(QUERY, { token: await issuer.mint({ ...HELD, client_id: 'lender' }) });
    expect(fresh.log.of('DEPRECATED_SCOPE').map(({ client }) => client)).toEqual([
      'budget-app',
      'budget-app',
      'lender',
      'lender',
    ]);
    expect(fresh.log.text).not.toContain('c-1');
  });
});

describe('clients that the policy does not name', () => {
  it('have the entry of *', async () => {
    const gateway = await start({ ...POLICY, clients: { ...POLICY.clients, '*': { scopes: ['email'] } } });
    const answer = await gateway.ask(QUERY, { token: await issuer.mint({ ...HELD, client_id: 'stranger' }) });
    expect(answer.body.data?.me).toMatchObject({ name: null, email: 'c-000001@example.org', score: null });
  });

  it('have only known, current scopes if the policy has no clients', async () => {
    const { clients: _clients, ...open } = POLICY;
    const gateway = await start(open);
    await gateway.ask(QUERY, { token: await issuer.mint({ ...HELD, client_id: 'stranger' }) });
    expect(carried()).toEqual([{ scope: 'email name people:write', purposes: ['credit'] }]);
  });
});

describe('a deprecated scope', () => {
  it('counts on its last day and not after, even for a verified token', () => {
    const deprecated = { since: '2026-01-01', until: '2026-06-30' };
    const policy = checkPolicy({ scopes: { email: { ...entry, deprecated } } });
    let now = 0;
    const ceiling = new PolicyCeiling(policy, new TestLog(), { now: () => now });
    const token = {
      delegation: {
        subject: 'c-000001',
        clientId: 'budget-app',
        scopes: new Set(['email']),
        policies: new Set<string>(),
        roles: [],
      },
      issuer: 'https://login.example',
      tokenId: 'jti',
      issuedAt: 0,
      expiresAt: 1,
      confirmation: undefined,
    };
    const on = (time: string) => {
      now = Date.parse(time);
      return [...ceiling.apply(token).delegation.scopes];
    };
    expect(on('2026-06-30T23:59:59.999Z')).toEqual(['email']);
    expect(on('2026-07-01T00:00:00.000Z')).toEqual([]);
    expect([...token.delegation.scopes]).toEqual(['email']);
  });
});

describe('a policy that does not fit', () => {
  it.each<[string, object, string]>([
    [
      'lacks a scope of the supergraph',
      { ...POLICY, scopes: { ...POLICY.scopes, 'people:write': undefined } },
      'scopes that the schema uses and the policy lacks: people:write',
    ],
    [
      'has a scope that the supergraph does not use',
      { ...POLICY, scopes: { ...POLICY.scopes, loans: entry } },
      'scopes that the policy has and the schema does not use: loans',
    ],
    [
      'lacks a purpose of the supergraph',
      { ...POLICY, purposes: { ads: POLICY.purposes.ads }, clients: {} },
      'purposes that the schema uses and the policy lacks: credit',
    ],
  ])('stops the start because it %s', async (_, policy, message) => {
    await expect(start(policy)).rejects.toThrow(message);
  });

  it('refuses a supergraph that is newer than it; service continues', async () => {
    const gateway = await start(POLICY);
    await gateway.update(supergraph.replaceAll('["email"]', '["email:new"]'));
    // Updates are installed in sequence; this answer may come earlier.
    await expect
      .poll(() => gateway.log.of('SUPERGRAPH_REFUSED'))
      .toEqual([{ reason: expect.stringContaining('email:new') as unknown }]);
    expect((await gateway.ask(QUERY, { token: await issuer.mint(HELD) })).body.data?.me).toMatchObject({
      email: 'c-000001@example.org',
    });
  });

  it('and that is missing stops the start with the key’s path', async () => {
    const issuers = [{ issuer: issuer.url, audience: AUDIENCE }];
    const missing = startTestGateway(cleanup, supergraph, { issuers, policy: join(folder, 'none.yaml') });
    await expect(missing).rejects.toMatchObject({ name: 'ConfigurationError', path: 'policy' });
    const wrong = await policyFile({ ...POLICY, clientz: {} });
    const unknown = startTestGateway(cleanup, supergraph, { issuers, policy: wrong });
    await expect(unknown).rejects.toThrow('policy: clientz: is not a known key');
  });

  it('is found beside the configuration file', async () => {
    await policyFile(POLICY);
    const file = join(folder, 'gateway.yaml');
    await writeFile(
      file,
      JSON.stringify({
        listen: { port: 0 },
        supergraph: './supergraph.graphql',
        policy: './policy-1.yaml',
        issuers: [{ issuer: 'http://127.0.0.1:1', audience: AUDIENCE }],
      }),
    );
    await writeFile(join(folder, 'supergraph.graphql'), supergraph);
    const config = await readConfig(file);
    expect(config.policy).toBe(join(folder, 'policy-1.yaml'));
    const running = await startGateway(config, { log: new TestLog() });
    await running.close();
  });
});
