import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { holdsOne } from '@behalf/directives/internal';
import fc from 'fast-check';
import type { GraphQLSchema } from 'graphql';
import { SignJWT } from 'jose';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { composeSupergraph } from '../../gateway/compose/compose.js';
import { createOperationAuthorizer } from '../../gateway/authorize/index.js';
import type { Explanation } from '../../gateway/authorize/index.js';
import { sufficientSets } from '../../gateway/authorize/sufficient.js';
import { explainOperation, supposedDelegation } from '../../gateway/inspect/explain.js';
import { OperationLimiter } from '../../gateway/limit/index.js';
import { apiSchemaOf } from '../../gateway/inspect/supergraph.js';
import { checkPolicy } from '../../policy/index.js';
import type { Policy } from '../../policy/index.js';
import { behalf } from './support.js';

const SDL = `
extend schema
  @link(url: "https://specs.apollo.dev/federation/v2.9", import: ["@key", "@authenticated", "@requiresScopes", "@policy"])
  @link(url: "https://specs.behalf.dev/behalf/v0.1", import: ["@requiresScope", "@minimize", "@personalData", "@public", "@purpose", "@subject"])
type Query { me: Person either: Int @requiresScopes(scopes: [["a"], ["b", "c"]]) never: Int @requiresScopes(scopes: [])
  open: Int @public city: String @personalData(category: "location") @minimize(level: "city", to: KEEP) @minimize(to: TRUNCATE, keep: 2, unless: [["city"]]) @minimize(level: "country", to: REDACT) mine: Int @authenticated party: Party node: Node @public }
type Person @key(fields: "id") @subject(field: "id") @authenticated { id: ID! name: String @requiresScope(scope: "a") @requiresScope(scope: "name")
  mail: String @minimize(to: MASK, last: 4, showLength: true, unless: [["mail"]]) score: Int @purpose(of: ["credit", "tax"]) vip: Int @policy(policies: [["vip"]]) }
interface Party { x: String } type A implements Party { x: String @requiresScope(scope: "a") } type B implements Party { x: String @minimize(to: REDACT) }
union Node = A | Person
`;

const SUPERGRAPH = composeSupergraph([{ name: 'one', url: 'http://one', sdl: SDL }]);
const authorizer = createOperationAuthorizer(SUPERGRAPH);
const schema: GraphQLSchema = apiSchemaOf(authorizer.executableSdl);

function explain(query: string, held?: Parameters<typeof supposedDelegation>[0]): Explanation {
  const delegation = held === undefined ? undefined : supposedDelegation(held);
  const result = explainOperation({ query, delegation }, authorizer, schema);
  if (result.errors !== undefined) throw new Error(result.errors.join('\n'));
  return result.explanation;
}

function decisions({ selections }: Explanation): Record<string, string> {
  return Object.fromEntries(selections.map(({ path, decision }) => [path.join('.'), decision]));
}

/** Each fragment spreads the next one twice. */
function bomb(size: number): string {
  const levels = Array.from(
    { length: size },
    (_, level) => `fragment F${level} on Person { ...F${level + 1} ...F${level + 1} }`,
  );
  return `{ me { ...F0 } } ${levels.join(' ')} fragment F${size} on Person { name }`;
}

describe('each selection', () => {
  it('is allowed, minimized, denied, lost with its parent, emptied or left out', () => {
    const query = `query($yes: Boolean = true) { open me { n: name mail score id @skip(if: $yes) } either @skip(if: true)
      all: me { vip } party { x } __schema { queryType { name } } }`;
    expect(decisions(explain(query, { scopes: ['a'], purposes: ['tax'] }))).toEqual({
      open: 'allowed',
      me: 'allowed',
      'me.n': 'denied',
      'me.mail': 'minimized',
      'me.score': 'allowed',
      'me.id': 'skipped',
      either: 'skipped',
      all: 'emptied',
      'all.vip': 'denied',
      party: 'allowed',
      'party.x': 'minimized',
      __schema: 'introspection',
    });
    expect(decisions(explain('{ me { mail } }'))).toEqual({ me: 'denied', 'me.mail': 'lost' });
  });

  it('names the rule, its source, and the part that is not met', () => {
    const [me, name] = explain('{ me { name } }', { scopes: ['name'] }).selections;
    expect(me).toMatchObject({ perRow: [{ type: 'Person', property: 'id' }] });
    expect(name?.rules).toEqual([
      { at: 'Person', rule: '@authenticated', met: true },
      { at: 'Person.name', rule: '@requiresScopes(a & name)', met: false, missing: { scopes: [[['a']]] } },
    ]);
    const [, x] = explain('{ party { x } }', { scopes: [] }).selections;
    expect(x?.rules.map(({ at }) => at)).toContain('A.x');
    expect(x?.minimization).toEqual([{ at: 'B.x', strategy: 'REDACT', wholeWith: [], whole: false }]);
  });

  it('a selection in a fragment is listed where it is spread, in bounded number', () => {
    const spread = explain('{ one: me { ...F } two: me { ...F } } fragment F on Person { mail }', {
      scopes: [],
    });
    expect(Object.keys(decisions(spread))).toEqual(['one', 'one.mail', 'two', 'two.mail']);
    const result = explainOperation({ query: bomb(11), delegation: undefined }, authorizer, schema, {
      limiter: new OperationLimiter({ selections: 10_000, overlaps: 10_000_000 }),
    });
    expect(result.explanation?.truncated).toBe(true);
    expect(result.explanation?.selections).toHaveLength(1_000);
    expect(result.explanation?.needs.scopes.sets).toEqual([['a', 'name']]);
  });

  it.each([
    ['selections', bomb(30)],
    ['tokens', `{ me { ${'name '.repeat(6_000)} } }`],
    ['nesting', `{ me { ${'... { '.repeat(500)} name ${'} '.repeat(500)} } }`],
  ])('is not explained if the gateway would refuse the operation: %s', (limit, query) => {
    const { errors } = explainOperation({ query, delegation: undefined }, authorizer, schema);
    expect(errors?.map(({ extensions }) => [extensions.code, extensions.limit])).toEqual([
      ['OPERATION_LIMIT_EXCEEDED', limit],
    ]);
  });

  it('is decided as the gateway decides it', () => {
    const names = ['a', 'b', 'c', 'name', 'mail'];
    const query =
      '{ open either mine me { id name mail score vip } party { x } node { ... on A { x } ... on Person { name } } }';
    const operation = (() => {
      const result = explainOperation({ query, delegation: undefined }, authorizer, schema);
      if (result.errors !== undefined) throw new Error('not valid');
      return result.operation;
    })();
    fc.assert(
      fc.property(
        fc.subarray(names),
        fc.subarray(['credit']),
        fc.subarray(['vip']),
        (scopes, purposes, policies) => {
          const held = { scopes, purposes, policies };
          const denied = explain(query, held).selections.filter(({ decision }) => decision === 'denied');
          const { denials } = authorizer.authorize(operation, supposedDelegation(held), {});
          const counted = denials.map(({ coordinate, selections }) => [coordinate, selections]);
          expect(Object.fromEntries(counted)).toEqual(countBy(denied.map(({ coordinate }) => coordinate)));
        },
      ),
    );
  });
});

function countBy(names: readonly string[]): Readonly<Record<string, number>> {
  const counts: Record<string, number> = {};
  for (const name of names) counts[name] = (counts[name] ?? 0) + 1;
  return counts;
}

describe('what an operation needs', () => {
  it('is every smallest set of scopes, with those the caller lacks', () => {
    const { needs, lacks } = explain('{ either me { name score vip } }', { scopes: ['b'] });
    expect(needs).toEqual({
      authenticated: true,
      scopes: { sets: [['a', 'name']], exhaustive: true },
      policies: [[['vip']]],
      purposes: [['credit', 'tax']],
      impossible: [],
    });
    expect(lacks?.scopes.sets).toEqual([['a', 'name']]);
    expect(explain('{ either }', { scopes: ['b'] }).lacks?.scopes.sets).toEqual([['a'], ['c']]);
    expect(explain('{ either }', { scopes: ['b', 'c'] }).lacks).toBeUndefined();
    expect(explain('{ never }', { scopes: ['a'] }).lacks?.impossible).toEqual(['Query.never']);
    expect(explain('{ mine }').lacks?.authenticated).toBe(true);
  });

  it('is complete, minimal and sufficient for any rules (property)', () => {
    const names = ['a', 'b', 'c', 'd', 'e'];
    const entry = fc.array(fc.uniqueArray(fc.constantFrom(...names), { maxLength: 3 }), {
      minLength: 1,
      maxLength: 3,
    });
    fc.assert(
      fc.property(fc.array(entry, { maxLength: 5 }), fc.constantFrom(1, 2, 64), (entries, max) => {
        const isEnough = (set: readonly string[]) => entries.every((each) => holdsOne(each, new Set(set)));
        const { sets, exhaustive } = sufficientSets(entries, max);
        for (const set of sets) {
          expect(isEnough(set)).toBe(true);
          for (const name of set) expect(isEnough(set.filter((other) => other !== name))).toBe(false);
        }
        if (exhaustive) {
          const all = names.reduce<string[][]>(
            (known, name) => [...known, ...known.map((set) => [...set, name])],
            [[]],
          );
          for (const set of all.filter(isEnough)) {
            expect(sets.some((smaller) => smaller.every((name) => set.includes(name)))).toBe(true);
          }
        }
      }),
      { numRuns: 1_000 },
    );
  });

  it('is found at a bounded cost, and marked if incomplete', () => {
    const { sets, exhaustive } = sufficientSets(
      Array.from({ length: 40 }, (_, index) => [[`l${index}`], [`r${index}`]]),
    );
    expect([sets.length, exhaustive]).toEqual([64, false]);
  });
});

describe('the detail in force', () => {
  const minimizationOf = (held: Parameters<typeof supposedDelegation>[0], policy?: Policy): unknown => {
    const delegation = supposedDelegation(held);
    const result = explainOperation({ query: '{ city }', delegation }, authorizer, schema, { policy });
    return result.explanation?.selections[0]?.minimization;
  };
  const words = { sentence: 'Words' };
  const policy = checkPolicy({
    scopes: { city: { ...words, access: 'read', sensitivity: 'low' } },
    categories: { location: { ...words, sensitivity: 'low', levels: { city: words, country: words } } },
    minimize: [
      { when: { clients: ['strict'] }, levels: { location: 'country' } },
      { when: { purposes: ['fraud'] }, nothingLifts: true },
    ],
    purposes: { fraud: words },
  });

  it('is what the person chose, by the policy’s order of levels', () => {
    expect(minimizationOf({ levels: { location: ['country'] } }, policy)).toEqual([
      { at: 'Query.city', strategy: 'REDACT', level: 'country', wholeWith: [], whole: false },
    ]);
    expect(minimizationOf({ levels: { location: ['city'] } }, policy)).toMatchObject([
      { strategy: 'TRUNCATE, keep 2', wholeWith: [['city']] },
    ]);
    // Without a policy the order is unknown, as in a gateway.
    expect(minimizationOf({ levels: { location: ['city'] } })).toMatchObject([{ level: 'country' }]);
  });

  it('is limited by the rules of the policy', () => {
    expect(minimizationOf({ scopes: ['city'] }, policy)).toMatchObject([{ whole: true }]);
    expect(minimizationOf({ scopes: ['city'], client: 'strict' }, policy)).toMatchObject([
      { level: 'country' },
    ]);
    expect(minimizationOf({ scopes: ['city'], purposes: ['fraud'] }, policy)).toEqual([
      { at: 'Query.city', strategy: 'TRUNCATE, keep 2', wholeWith: [], whole: false },
    ]);
  });
});

describe('the command', () => {
  let folder: string;
  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), 'behalf-explain-'));
    await writeFile(join(folder, 'me.graphql'), 'query Me { me { name email } }');
  });
  afterAll(() => rm(folder, { recursive: true, force: true }));

  it('exits with 0 if everything is allowed, 1 if something is denied', async () => {
    const file = join(folder, 'me.graphql');
    const allowed = await behalf(['explain', file, '--scopes', 'profile:read']);
    expect(allowed.code).toBe(0);
    expect(allowed.stdout).toContain('MASK, first 1, form EMAIL; whole with profile:contact');
    const denied = await behalf(['explain', '-', '--format', 'json'], '{ me { name } }');
    expect(denied.code).toBe(1);
    expect(JSON.parse(denied.stdout)).toMatchObject({
      decidedFor: 'a caller without a token',
      allowed: false,
    });
  });

  it('applies chosen levels and the rules of a policy', async () => {
    const supergraph = join(folder, 'supergraph.graphql');
    await writeFile(supergraph, SUPERGRAPH);
    const policy = join(folder, 'policy.yaml');
    await writeFile(
      policy,
      JSON.stringify({
        scopes: { city: { sentence: 'City', access: 'read', sensitivity: 'low' } },
        minimize: [{ when: { clients: ['strict'] }, nothingLifts: true }],
      }),
    );
    const at = (...more: string[]) =>
      behalf(['explain', '-', '--supergraph', supergraph, ...more], '{ city }');
    const chosen = await at('--levels', 'location=country Query.other=x', '--scopes', 'city');
    expect(chosen.stdout).toContain(
      'decided for a token with scopes city, levels location=country Query.other=x',
    );
    expect(chosen.stdout).toContain('REDACT, at level country; never whole');
    expect((await at('--client', 'strict', '--policy', policy, '--scopes', 'city')).stdout).toContain(
      'TRUNCATE, keep 2; never whole',
    );
    expect((await at('--levels', 'location')).stderr).toContain('location=city');
    expect((await at('--levels', 'a=b', '--anonymous')).stderr).toContain('USAGE');
  });

  it('evaluates a token’s claims, warns that it is unverified, never prints it', async () => {
    const token = await new SignJWT({ client_id: 'app', scope: 'profile:read' })
      .setProtectedHeader({ alg: 'HS256' })
      .setSubject('somebody')
      .sign(new Uint8Array(32));
    for (const format of ['human', 'json']) {
      const { code, stdout, stderr } = await behalf([
        'explain',
        join(folder, 'me.graphql'),
        '--token',
        token,
        '--format',
        format,
      ]);
      expect(code).toBe(0);
      expect(stdout).toMatch(/^!! NOT VERIFIED|"tokenVerified": false/m);
      for (const part of token.split('.')) expect(stdout + stderr).not.toContain(part);
    }
    const bad = await behalf(['explain', join(folder, 'me.graphql'), '--token', 'distinctive']);
    expect([bad.code, bad.stderr]).toEqual([2, expect.stringContaining('TOKEN_UNREADABLE')]);
    expect(bad.stderr).not.toContain('distinctive');
  });

  it('exits with 2 for an invalid operation, and locates the mistake', async () => {
    const invalid = await behalf(['explain', '-'], '{ me {\n  nothing } }');
    expect(invalid.code).toBe(2);
    expect(invalid.stderr).toContain('stdin:2:3');
    expect((await behalf(['explain', join(folder, 'nowhere')])).code).toBe(2);
    expect(
      (await behalf(['explain', join(folder, 'me.graphql'), '--anonymous', '--scopes', 'a'])).stderr,
    ).toContain('USAGE');
    expect((await behalf(['explain'])).code).toBe(2);
  });
});
