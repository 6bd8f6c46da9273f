import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Delegation } from '@behalf/directives';
import fc from 'fast-check';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { cedarEvaluator, cedarSchema } from '../../gateway/policies/index.js';
import type { PolicyEvaluator, PolicyFunction } from '../../gateway/policies/index.js';
import { PolicyBook } from '../../gateway/policies/book.js';
import {
  AUDIENCE,
  Cleanup,
  compose,
  startTestGateway,
  TestIssuer,
  TestLog,
  TestSubgraph,
} from './support.js';

function delegation(more: Partial<Delegation> = {}): Delegation {
  return {
    subject: 'alma',
    clientId: 'budget-app',
    scopes: new Set(['name']),
    policies: new Set(),
    roles: [],
    ...more,
  };
}

const PERMIT = 'permit (principal, action == Behalf::Action::"vip", resource)';

async function answer(text: string, caller: Delegation, names = ['vip']): Promise<boolean> {
  const log = new TestLog();
  const book = new PolicyBook([await cedarEvaluator(text, 'policies.cedar')], new Set(names), 1_000, log);
  const answered = await book.answer(['vip'], caller, 'Read');
  return answered.policies.has('vip');
}

async function refusal(text: string, names = ['vip']): Promise<string> {
  try {
    const evaluator = await cedarEvaluator(text, 'policies.cedar');
    evaluator.prepare(new Set(names));
  } catch (error) {
    return error instanceof Error ? error.message : 'thrown';
  }
  return 'accepted';
}

describe('a Cedar file', () => {
  it('permits by the rights of the delegation', async () => {
    const text = `${PERMIT} when { context.scopes.contains("name") && context.now > 0 };`;
    expect(await answer(text, delegation())).toBe(true);
    expect(await answer(text, delegation({ scopes: new Set() }))).toBe(false);
  });

  it('sees the client, subject, actors, consent and operation', async () => {
    const text = `${PERMIT} when {
      principal == Behalf::Client::"budget-app" && resource == Behalf::Subject::"alma" &&
      context.actors.containsAll(["agent", "earlier"]) && context.roles.contains("owner") &&
      context has consent && context.consent.purposes.contains("tax") && context.consent.detail == "full" &&
      context has operationName && context.operationName == "Read"
    };`;
    const caller = delegation({
      roles: ['owner'],
      actor: { sub: 'agent', act: { sub: 'earlier' } },
      consent: { id: 'c', version: 1, purposes: ['tax'], detail: 'full', until: 2_000_000_000 },
    });
    expect(await answer(text, caller)).toBe(true);
    expect(await answer(text, { ...caller, clientId: 'other' })).toBe(false);
    expect(await answer(text, { ...caller, subject: 'other' })).toBe(false);
    expect(await answer(text, delegation())).toBe(false);
  });

  it('a forbid overrides every permit and the token', async () => {
    const text = `${PERMIT}; forbid (principal, action, resource) when { context.roles.contains("blocked") };`;
    expect(await answer(text, delegation())).toBe(true);
    expect(await answer(text, delegation({ roles: ['blocked'], policies: new Set(['vip']) }))).toBe(false);
  });

  it('denies if a forbid cannot be evaluated, which Cedar itself would skip', async () => {
    // Cedar's largest integer: adding one is an evaluation error.
    const text = `${PERMIT}; forbid (principal, action, resource) when { context.now + 9223372036854775807 > 0 };`;
    expect(await answer(text, delegation())).toBe(false);
  });

  it('treats names of Object.prototype as ordinary', async () => {
    const text = `permit (principal, action == Behalf::Action::"__proto__", resource);`;
    const evaluator = await cedarEvaluator(text, 'policies.cedar');
    const book = new PolicyBook([evaluator], new Set(['__proto__', 'constructor']), 1_000, new TestLog());
    const answered = await book.answer(['__proto__', 'constructor'], delegation(), undefined);
    expect([...answered.policies]).toEqual(['__proto__']);
  });

  it.each([
    ['is not Cedar', 'permit (', /policies\.cedar: /],
    ['permits nothing', 'forbid (principal, action, resource);', /permits nothing/],
    ['permits every action', 'permit (principal, action, resource);', /must name its policy/],
    [
      'names a policy that no rule asks for',
      PERMIT.replace('vip', 'other') + ';',
      /asks for the policy "other"/,
    ],
    ['uses an unknown attribute', `${PERMIT} when { context.colour == "red" };`, /colour/],
    ['compares different types', `${PERMIT} when { context.scopes == "name" };`, /policies\.cedar: /],
    [
      'reads an optional attribute unchecked',
      `${PERMIT} when { context.consent.detail == "full" };`,
      /consent/,
    ],
    [
      'names another type of principal',
      `permit (principal == User::"a", action == Behalf::Action::"vip", resource);`,
      /policies\.cedar: /,
    ],
    [
      'has a template',
      'permit (principal == ?principal, action == Behalf::Action::"vip", resource);',
      /template/,
    ],
  ])('that %s stops the start', async (_what, text, message) => {
    expect(await refusal(text)).toMatch(message);
  });

  it('has a schema with one action per policy, whatever its name', async () => {
    fc.assert(
      fc.property(
        fc.uniqueArray(fc.string({ minLength: 1, unit: 'grapheme-ascii' }), { maxLength: 5 }),
        (names) => {
          const schema = cedarSchema(new Set(names));
          for (const name of names) expect(schema).toContain(JSON.stringify(name));
        },
      ),
      { numRuns: 100 },
    );
    const cedar = await import('@cedar-policy/cedar-wasm/nodejs');
    for (const names of [[], ['vip'], ['a b', '"quoted"', '__proto__', 'é']])
      expect(cedar.checkParseSchema(cedarSchema(new Set(names)))).toEqual({ type: 'success' });
  });
});

describe('whatever evaluators answer', () => {
  const outcomes = fc.constantFrom<[string, PolicyFunction]>(
    ['true', () => true],
    ['promise of true', async () => true],
    ['false', () => false],
    ['undefined', () => undefined as unknown as boolean],
    ['1', () => 1 as unknown as boolean],
    ['"true"', () => 'true' as unknown as boolean],
    [
      'throws',
      () => {
        throw new Error('distinctive');
      },
    ],
    ['rejects', () => Promise.reject(new Error('distinctive'))],
    ['never', () => new Promise<boolean>(() => undefined)],
  );

  it('only exactly true permits, each is called once, and the token is ignored', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.dictionary(fc.constantFrom('a', 'b', 'c', 'd'), outcomes),
        fc.subarray(['a', 'b', 'c', 'd', 'e']),
        async (answers, brought) => {
          const asked: string[] = [];
          const evaluator: PolicyEvaluator = {
            name: 'random',
            prepare: () =>
              new Map(
                Object.entries(answers).map(([name, [, run]]) => [
                  name,
                  (caller, request) => {
                    asked.push(name);
                    return run(caller, request);
                  },
                ]),
              ),
          };
          const log = new TestLog();
          const book = new PolicyBook([evaluator], new Set(['a', 'b', 'c', 'd', 'e']), 5, log);
          const answered = await book.answer(
            ['a', 'b', 'c', 'd', 'e'],
            delegation({ policies: new Set(brought) }),
            undefined,
          );
          for (const name of ['a', 'b', 'c', 'd', 'e']) {
            const [outcome] = Object.hasOwn(answers, name) ? (answers[name] ?? []) : [];
            const permits =
              outcome === undefined
                ? brought.includes(name)
                : outcome.endsWith('true') && outcome !== '"true"';
            expect(answered.policies.has(name), `${name} ${String(outcome)}`).toBe(permits);
          }
          expect(asked.sort()).toEqual(Object.keys(answers).sort());
          expect(log.text).not.toContain('distinctive');
        },
      ),
      { numRuns: 150 },
    );
  });

  it('two evaluators for one policy stop the start', () => {
    const both: PolicyEvaluator = { name: 'one', prepare: () => new Map([['vip', () => true]]) };
    expect(
      () => new PolicyBook([both, { ...both, name: 'two' }], new Set(['vip']), 1, new TestLog()),
    ).toThrow(/"vip" is answered by one and by two/);
  });

  it('late answers learn that nobody waits any more', async () => {
    let heard = false;
    const slow: PolicyEvaluator = {
      name: 'slow',
      prepare: () =>
        new Map([
          [
            'vip',
            (_caller, { signal }) =>
              new Promise<boolean>((resolve) => {
                signal.addEventListener('abort', () => {
                  heard = true;
                  resolve(true);
                });
              }),
          ],
        ]),
    };
    const log = new TestLog();
    const book = new PolicyBook([slow], new Set(['vip']), 5, log);
    expect((await book.answer(['vip'], delegation(), undefined)).policies.has('vip')).toBe(false);
    expect(heard).toBe(true);
    expect(log.codes()).toEqual(['POLICY_TIMEOUT']);
  });
});

describe('over HTTP', () => {
  const cleanup = new Cleanup();
  let issuer: TestIssuer;
  let people: TestSubgraph;
  let file: string;
  beforeAll(async () => {
    const folder = await mkdtemp(join(tmpdir(), 'behalf-policies-'));
    cleanup.add(() => rm(folder, { recursive: true, force: true }));
    file = join(folder, 'policies.cedar');
    issuer = await TestIssuer.start();
    people = await TestSubgraph.start('people');
    for (const each of [issuer, people]) cleanup.add(() => each.close());
  });
  afterAll(() => cleanup.run());
  beforeEach(() => {
    people.requests.length = 0;
  });
  const start = (policies: Record<string, PolicyFunction> = {}) =>
    startTestGateway(
      cleanup,
      compose(people),
      { issuers: [{ issuer: issuer.url, audience: AUDIENCE }], policies: { cedar: file } },
      { policies },
    );

  it('what the file denies never reaches a subgraph, whatever the token says', async () => {
    await writeFile(file, `${PERMIT} when { principal == Behalf::Client::"bank-console" };`);
    const gateway = await start();
    const query = '{ a: me { id vip } b: me { vip } }';
    const denied = await gateway.ask(query, { token: await issuer.mint({ policies: ['vip'] }) });
    expect(denied.body.data).toEqual({ a: { id: 'c-000001', vip: null }, b: null });
    expect(people.queries).not.toContain('vip');
    const permitted = await gateway.ask(query, { token: await issuer.mint({ client_id: 'bank-console' }) });
    expect(permitted.body.data).toEqual({ a: { id: 'c-000001', vip: 'gold' }, b: { vip: 'gold' } });
  });

  it('answers never leak between concurrent requests', async () => {
    await writeFile(file, `${PERMIT} when { resource == Behalf::Subject::"s-1" };`);
    const gateway = await start();
    const tokens = await Promise.all(['s-0', 's-1', 's-2'].map((sub) => issuer.mint({ sub })));
    const answers = await Promise.all(
      Array.from({ length: 30 }, (_, index) =>
        gateway.ask('{ me { id vip } }', { token: tokens[index % 3] }),
      ),
    );
    answers.forEach(({ body }, index) => {
      expect((body.data?.me as { vip: unknown }).vip).toBe(index % 3 === 1 ? 'gold' : null);
    });
  });

  it('an unreadable, unfitting or conflicting file stops the start', async () => {
    await writeFile(file, `${PERMIT};`);
    await expect(start({ vip: () => true })).rejects.toThrow(/"vip" is answered by functions and by cedar/);
    await writeFile(file, `${PERMIT.replace('vip', 'nobody')};`);
    await expect(start()).rejects.toThrow(/policies\.cedar: no rule .* "nobody"/);
    await rm(file);
    await expect(start()).rejects.toThrow(
      /policies\.cedar: .*cannot be read: there is no such file \(ENOENT\)/,
    );
  });

  it('an update that no longer uses the file’s policies is refused', async () => {
    await writeFile(file, `${PERMIT};`);
    const gateway = await start();
    await gateway.update(compose(people).replaceAll('["vip"]', '["gold"]'));
    await expect.poll(() => gateway.log.of('SUPERGRAPH_REFUSED')).toHaveLength(1);
    expect(String(gateway.log.of('SUPERGRAPH_REFUSED')[0]?.reason)).toContain('"vip"');
    const answer = await gateway.ask('{ me { vip } }', { token: await issuer.mint() });
    expect(answer.body.data).toEqual({ me: { vip: 'gold' } });
  });
});
