import { execFileSync } from 'node:child_process';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { ApolloServer } from '@apollo/server';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { checkPolicy, protectGateway } from '../../gateway/index.js';
import type { GatewayConfig, GatewayOverrides, ProtectionOptions } from '../../gateway/index.js';
import {
  AUDIENCE,
  Cleanup,
  compose,
  startTestGateway,
  TestIssuer,
  TestLog,
  TestSubgraph,
  until,
} from './support.js';
import type { TestGateway } from './support.js';

const cleanup = new Cleanup();
let issuer: TestIssuer;
let people: TestSubgraph;
let supergraph: string;
let folder: string;
let files = 0;

const entry = { sentence: 'See it', access: 'read', sensitivity: 'low' };

/** A policy in which the budget app may hold these scopes. */
function policyWith(scopes: readonly string[], names: readonly string[] = ['name', 'email', 'people:write']) {
  return {
    scopes: Object.fromEntries(names.map((name) => [name, entry])),
    purposes: { credit: { sentence: 'To lend' } },
    clients: { 'budget-app': { scopes, rateClass: 'slow' } },
    rateClasses: { slow: { requests: 50, per: 'PT1H' } },
  };
}

const VIP = (subject: string) =>
  `permit (principal, action == Behalf::Action::"vip", resource == Behalf::Subject::"${subject}");`;

interface Reloadable extends TestGateway {
  readonly policyFile: string;
  readonly cedarFile: string;
  writePolicy(policy: object): Promise<void>;
}

async function start(
  more: Partial<GatewayConfig> = {},
  overrides: GatewayOverrides = {},
): Promise<Reloadable> {
  files += 1;
  const policyFile = join(folder, `policy-${files}.yaml`);
  const cedarFile = join(folder, `policies-${files}.cedar`);
  await writeFile(policyFile, JSON.stringify(policyWith(['name'])));
  await writeFile(cedarFile, VIP('nobody'));
  const gateway = await startTestGateway(
    cleanup,
    supergraph,
    {
      policy: policyFile,
      policies: { cedar: cedarFile },
      ...more,
      issuers: [{ issuer: issuer.url, audience: AUDIENCE }],
    },
    overrides,
  );
  return {
    ...gateway,
    policyFile,
    cedarFile,
    writePolicy: (policy) => writeFile(policyFile, JSON.stringify(policy)),
  };
}

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'behalf-reload-'));
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

async function me(gateway: TestGateway, token: string, fields = 'name email'): Promise<unknown> {
  return (await gateway.ask(`{ me { ${fields} } }`, { token })).body.data?.me;
}

const NAME = { name: 'Name of c-000001', email: null };
const EMAIL = { name: null, email: 'c-000001@example.org' };

describe('a policy file that changes', () => {
  it('applies the new ceiling to a verified token, without a restart', async () => {
    const gateway = await start();
    const token = await issuer.mint({ scope: 'name email' });
    expect(await me(gateway, token)).toEqual(NAME);
    await gateway.writePolicy(policyWith(['email']));
    await until(() => gateway.log.codes().includes('POLICY_UPDATED'), 'the new policy is in force');
    expect(await me(gateway, token)).toEqual(EMAIL);
    const metadata = await fetch(`${gateway.url}/.well-known/oauth-protected-resource`);
    expect(await metadata.json()).toMatchObject({ scopes_supported: ['name', 'email', 'people:write'] });
  });

  it.each([
    ['is not YAML', '{ scopes: ['],
    ['contradicts itself', JSON.stringify(policyWith(['unheard-of']))],
    ['lacks a scope of the supergraph', JSON.stringify(policyWith(['name'], ['name', 'email']))],
    ['is empty', ''],
  ])('is refused if it %s, and the previous one stays in force', async (_what, text) => {
    const gateway = await start({ metrics: { listen: { port: 0 } } });
    const token = await issuer.mint({ scope: 'name email' });
    await writeFile(gateway.policyFile, text);
    await until(() => gateway.log.codes().includes('POLICY_REFUSED'), 'the policy is refused');
    expect(await me(gateway, token)).toEqual(NAME);
    const metrics = await (await fetch(`${gateway.running.metricsUrl}/metrics`)).text();
    expect(metrics).toContain('behalf_reloads_total{outcome="refused"} 1');
    // SIGHUP tries again and is refused again.
    expect(await gateway.running.reload()).toBe(false);
    expect(gateway.log.of('POLICY_REFUSED')).toHaveLength(2);
    await gateway.writePolicy(policyWith(['email']));
    await until(() => gateway.log.codes().includes('POLICY_UPDATED'), 'the repaired policy is in force');
    expect(await me(gateway, token)).toEqual(EMAIL);
  });

  it('is refused if it is a pipe, and a file that replaces it is applied', async () => {
    const gateway = await start();
    const token = await issuer.mint({ scope: 'name email' });
    await rm(gateway.policyFile);
    execFileSync('mkfifo', [gateway.policyFile]);
    expect(await gateway.running.reload()).toBe(false);
    expect(gateway.log.of('POLICY_REFUSED').at(-1)?.reason).toMatch(/it is not a regular file/);
    expect(await me(gateway, token)).toEqual(NAME);
    await rm(gateway.policyFile);
    await gateway.writePolicy(policyWith(['email']));
    await until(() => gateway.log.codes().includes('POLICY_UPDATED'), 'the new policy is in force');
    expect(await me(gateway, token)).toEqual(EMAIL);
  });

  it('renews no budget of an unchanged rate class', async () => {
    const gateway = await start();
    const token = await issuer.mint({ scope: 'name' });
    const slow = { rateClasses: { slow: { requests: 3, per: 'PT1H' } } };
    await gateway.writePolicy({ ...policyWith(['name']), ...slow });
    expect(await gateway.running.reload()).toBe(true);
    for (let n = 0; n < 3; n += 1) expect((await gateway.ask('{ hello }', { token })).status).toBe(200);
    await gateway.writePolicy({ ...policyWith(['name', 'email']), ...slow });
    expect(await gateway.running.reload()).toBe(true);
    expect((await gateway.ask('{ hello }', { token })).status).toBe(429);
  });
});

describe('a Cedar file that changes', () => {
  it('applies its new text; an unreadable text is refused', async () => {
    const gateway = await start();
    const token = await issuer.mint();
    expect(await me(gateway, token, 'id vip')).toEqual({ id: 'c-000001', vip: null });
    await writeFile(gateway.cedarFile, VIP('c-000001'));
    await until(() => gateway.log.codes().includes('POLICY_UPDATED'), 'the new text is in force');
    expect(await me(gateway, token, 'id vip')).toEqual({ id: 'c-000001', vip: 'gold' });
    await writeFile(gateway.cedarFile, 'permit (');
    await until(() => gateway.log.codes().includes('POLICY_REFUSED'), 'it is refused');
    expect(await me(gateway, token, 'id vip')).toEqual({ id: 'c-000001', vip: 'gold' });
  });
});

describe('a supergraph and a policy that change together', () => {
  it('are replaced as one, though neither fits the other’s predecessor', async () => {
    const gateway = await start();
    const token = await issuer.mint({ scope: 'name email mail' });
    await writeFile(gateway.supergraphFile, supergraph.replaceAll('"email"', '"mail"'));
    await until(() => gateway.log.codes().includes('SUPERGRAPH_REFUSED'), 'the supergraph alone is refused');
    expect(await me(gateway, token)).toEqual(NAME);
    await gateway.writePolicy(policyWith(['mail'], ['name', 'mail', 'people:write']));
    await until(() => gateway.log.codes().includes('SUPERGRAPH_UPDATED'), 'both are served');
    expect(gateway.log.codes()).toContain('POLICY_UPDATED');
    expect(await me(gateway, token)).toEqual(EMAIL);
  });

  it('leave a running operation on the rules that it began with', async () => {
    let asked = (): void => undefined;
    const isAsked = new Promise<void>((resolve) => (asked = resolve));
    let answer = (_holds: boolean): void => undefined;
    const vip = () => {
      asked();
      return new Promise<boolean>((resolve) => (answer = resolve));
    };
    const gateway = await start({ policies: {} }, { policies: { vip } });
    const token = await issuer.mint({ scope: 'name email' });
    const underWay = me(gateway, token, 'name email vip');
    await isAsked;
    await gateway.writePolicy(policyWith(['email']));
    expect(await gateway.running.reload()).toBe(true);
    answer(true);
    expect(await underWay).toEqual({ ...NAME, vip: 'gold' });
    expect(await me(gateway, token)).toEqual(EMAIL);
  });
});

describe('replace, around an Apollo Server', () => {
  const options = (): ProtectionOptions => ({
    issuers: [{ issuer: issuer.url, audience: AUDIENCE }],
    propagation: { issuer: 'https://gateway.example' },
    policy: checkPolicy(policyWith(['name'])),
    log: new TestLog(),
  });

  it('applies a new ceiling to an operation verified under the old policy', async () => {
    const gateway = protectGateway({ supergraphSdl: supergraph }, options());
    const server = new ApolloServer({ gateway, stopOnTerminationSignals: false });
    cleanup.add(() => server.stop());
    await server.start();
    const authorization = [`Bearer ${await issuer.mint({ scope: 'name email' })}`];
    const contextValue = await gateway.context({ authorization });
    expect(await gateway.replace({ policy: checkPolicy(policyWith(['email'])) })).toBe(true);
    const response = await server.executeOperation({ query: '{ me { name email } }' }, { contextValue });
    expect(response.body).toMatchObject({ singleResult: { data: { me: EMAIL } } });
  });

  it('refuses a policy that does not fit the supergraph; calls run in order', async () => {
    const log = new TestLog();
    const gateway = protectGateway({ supergraphSdl: supergraph }, { ...options(), log });
    cleanup.add(() => gateway.stop());
    await gateway.load();
    const order: number[] = [];
    const read = (place: number) => async () => {
      order.push(place);
      return { policy: checkPolicy(policyWith(['email'])) };
    };
    const replaced = await Promise.all([
      gateway.replace(read(1)),
      gateway.replace({ policy: checkPolicy(policyWith(['name'], ['name'])) }),
      gateway.replace(() => Promise.reject(new Error('the file is gone'))),
      gateway.replace(read(2)),
    ]);
    expect(replaced).toEqual([true, false, false, true]);
    expect(order).toEqual([1, 2]);
    expect(log.of('POLICY_REFUSED')[0]?.reason).toMatch(/email/);
    expect(log.text).not.toContain('the file is gone');
  });
});
