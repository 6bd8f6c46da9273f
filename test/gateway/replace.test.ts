import { afterAll, beforeAll, beforeEach, describe, expect, it, vi } from 'vitest';
import { cedarEvaluator, checkPolicy, protectGateway } from '../../gateway/index.js';
import type { ProtectedGateway } from '../../gateway/index.js';
import type { SupergraphManager } from '../../gateway/apollo.js';
import { AUDIENCE, Cleanup, compose, TestIssuer, TestLog, TestSubgraph } from './support.js';

const cleanup = new Cleanup();
let issuer: TestIssuer;
let supergraph: string;
let log: TestLog;

const entry = { sentence: 'See it', access: 'read', sensitivity: 'low' };
const policyWith = (...scopes: string[]) =>
  checkPolicy({
    scopes: Object.fromEntries(['name', 'email', 'people:write'].map((name) => [name, entry])),
    purposes: { credit: { sentence: 'To lend' } },
    clients: { 'budget-app': { scopes } },
  });

beforeAll(async () => {
  issuer = await TestIssuer.start();
  const people = await TestSubgraph.start('people');
  for (const each of [issuer, people]) cleanup.add(() => each.close());
  supergraph = compose(people);
});
afterAll(() => cleanup.run());
beforeEach(() => {
  log = new TestLog();
});

async function start(
  supergraphSdl: string | SupergraphManager['initialize'] = supergraph,
): Promise<ProtectedGateway> {
  const gateway = protectGateway({ supergraphSdl } as never, {
    issuers: [{ issuer: issuer.url, audience: AUDIENCE }],
    propagation: { issuer: 'https://gateway.example' },
    policy: policyWith('name'),
    log,
  });
  cleanup.add(() => gateway.stop());
  await gateway.load();
  return gateway;
}

/** The refusals, as `CODE reason`. */
const refusals = (): string[] =>
  log.entries
    .filter(({ code }) => code.endsWith('_REFUSED'))
    .map(({ code, facts }) => `${code} ${String(facts.reason)}`);

const misuse: [string, (policy: object) => unknown, RegExp][] = [
  ['the policy itself', (policy) => policy, /^POLICY_REFUSED policy: .*\{ policy \}/],
  ['another case', (policy) => ({ Policy: policy }), /^UPDATE_REFUSED Policy: .*did you mean policy/],
  ['a misspelt key', (policy) => ({ polcy: policy }), /^UPDATE_REFUSED polcy: .*did you mean policy/],
  [
    'a former key',
    () => ({ policyEvaluators: [] }),
    /^POLICY_REFUSED policyEvaluators|^UPDATE_REFUSED policyEvaluators/,
  ],
  ["the file's key", () => ({ supergraph: 'x' }), /^SUPERGRAPH_REFUSED supergraph: .*supergraphSdl/],
  ['one unknown key beside a known one', (policy) => ({ policy, rules: 1 }), /^UPDATE_REFUSED rules: /],
  ['policy: null', () => ({ policy: null }), /^POLICY_REFUSED policy: .*readPolicy/],
  ['the name of a file', () => ({ policy: 'policy.yaml' }), /^POLICY_REFUSED policy: .*readPolicy/],
  ['half a policy', () => ({ policy: { scopes: new Map() } }), /^POLICY_REFUSED policy: .*readPolicy/],
  ['the content of a file', () => ({ policy: { scopes: { a: entry } } }), /^POLICY_REFUSED policy: /],
  ['policies: null', () => ({ policies: null }), /^POLICY_REFUSED policies: must be an object, not null/],
  ['a misspelt inner key', () => ({ policies: { evaluater: [] } }), /^POLICY_REFUSED policies\.evaluater: /],
  [
    'policies as functions',
    () => ({ policies: { functions: {} } }),
    /^POLICY_REFUSED policies\.functions: .*stays/,
  ],
  [
    'no list',
    () => ({ policies: { evaluators: {} } }),
    /^POLICY_REFUSED policies\.evaluators: must be a list/,
  ],
  [
    'no evaluators',
    () => ({ policies: { evaluators: [null] } }),
    /^POLICY_REFUSED policies\.evaluators: must be/,
  ],
  [
    'supergraphSdl: null',
    () => ({ supergraphSdl: null }),
    /^SUPERGRAPH_REFUSED supergraphSdl: must be a string, not null/,
  ],
  [
    'a path',
    () => ({ supergraphSdl: './supergraph.graphql' }),
    /^SUPERGRAPH_REFUSED supergraphSdl: must be the text of the supergraph, not the path of a file/,
  ],
  ['an empty text', () => ({ supergraphSdl: '' }), /^SUPERGRAPH_REFUSED supergraphSdl: must not be empty/],
  ['null', () => null, /^UPDATE_REFUSED the update: must be an object.*not null/],
  ['undefined', () => undefined, /^UPDATE_REFUSED the update: /],
  ['a text', () => 'x', /^UPDATE_REFUSED the update: /],
  ['a list', () => [], /^UPDATE_REFUSED the update: /],
];

describe('an update that is not one', () => {
  it.each(misuse)('is refused, whether given or returned: %s', async (_what, make, line) => {
    const gateway = await start();
    const given = make(policyWith('email')) as never;
    expect(await gateway.replace(given)).toBe(false);
    expect(await gateway.replace(async () => given)).toBe(false);
    expect(await gateway.replace(() => given)).toBe(false);
    expect(refusals()).toHaveLength(3);
    for (const refusal of refusals()) expect(refusal).toMatch(line);
    expect(log.codes()).not.toContain('POLICY_UPDATED');
    expect(await gateway.replace({ policy: policyWith('email') })).toBe(true);
    await gateway.stop();
  });

  it('leaves a thrown null, or nothing, to the log', async () => {
    const gateway = await start();
    for (const reason of [null, undefined, 'hunter2', { path: 1 }])
      expect(await gateway.replace(() => Promise.reject(reason as unknown as Error))).toBe(false);
    const thrower = (): never => {
      throw null as unknown as Error;
    };
    expect(await gateway.replace(thrower)).toBe(false);
    expect(refusals()).toEqual(Array.from({ length: 5 }, () => 'UPDATE_REFUSED it cannot be loaded'));
    await gateway.stop();
  });
});

it('an update of a gateway that is stopped is refused, and the log says so', async () => {
  const gateway = await start();
  await gateway.stop();
  const read = vi.fn(async () => ({ policy: policyWith('email') }));
  expect(await gateway.replace({ policy: policyWith('email') })).toBe(false);
  expect(await gateway.replace({ supergraphSdl: supergraph })).toBe(false);
  expect(await gateway.replace(read)).toBe(false);
  expect(refusals()).toEqual(Array.from({ length: 3 }, () => 'UPDATE_REFUSED the gateway is stopped'));
  expect(read).not.toHaveBeenCalled();
});

describe('a function that reads an update', () => {
  it("reports the policy's own error as the policy's", async () => {
    const gateway = await start();
    const read = async (text: object) => ({ policy: checkPolicy(text) });
    expect(await gateway.replace(() => read({ scopez: {} }))).toBe(false);
    const evaluators = async () => ({
      policies: { evaluators: [await cedarEvaluator('permit (', 'policies.cedar')] },
    });
    expect(await gateway.replace(evaluators)).toBe(false);
    expect(refusals()).toEqual([
      expect.stringMatching(/^POLICY_REFUSED scopez: /),
      expect.stringMatching(/^POLICY_REFUSED policies\.cedar: /),
    ]);
  });

  it('replaces evaluators by the name that the option has', async () => {
    const gateway = await start();
    const evaluator = { name: 'test', prepare: () => new Map() };
    expect(await gateway.replace({ policies: { evaluators: [evaluator] } })).toBe(true);
    expect(log.codes()).toContain('POLICY_UPDATED');
  });
});

describe('a supergraph manager', () => {
  it('that updates with anything but text is refused, and the next update is served', async () => {
    let update: (sdl: never) => void = () => undefined;
    const manager: SupergraphManager['initialize'] = async (hooks) => {
      update = hooks.update;
      return { supergraphSdl: supergraph };
    };
    const gateway = await start(manager);
    for (const given of [undefined, null, 7, {}, Buffer.from(supergraph), '']) update(given as never);
    update(`${supergraph}\n` as never);
    await vi.waitFor(() => expect(log.codes()).toContain('SUPERGRAPH_UPDATED'), 5_000);
    expect(refusals()).toHaveLength(6);
    for (const refusal of refusals()) expect(refusal).toMatch(/^SUPERGRAPH_REFUSED supergraphSdl: /);
    await gateway.stop();
  });

  it.each([
    ['nothing', undefined, 'must return'],
    ['text', 'type Query { a: Int }', 'must return'],
    ['another name', { supergraph: 'x' }, 'must give text'],
    ['bytes', { supergraphSdl: Buffer.from('x') }, 'must give text'],
    ['a cleanup that is not a function', { supergraphSdl: 'x', cleanup: 7 }, 'cleanup'],
  ])('that begins with %s stops the start, and the error names the key', async (_what, result, words) => {
    const started = start((async () => result) as never);
    await expect(started).rejects.toThrow(
      expect.objectContaining({ path: 'supergraphSdl', message: expect.stringContaining(words) as string }),
    );
  });
});
