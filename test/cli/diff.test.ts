import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { isMet, NO_REQUIREMENT, requirementParts } from '@behalf/directives/internal';
import type { Delegation } from '@behalf/directives';
import type { Requirement } from '@behalf/directives/internal';
import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { composeSupergraph } from '../../gateway/compose/compose.js';
import { supposedDelegation } from '../../gateway/inspect/explain.js';
import { diffSupergraphs } from '../../gateway/inspect/diff.js';
import { compareRequirements, implies } from '../../gateway/inspect/implication.js';
import { inspectSupergraph } from '../../gateway/inspect/supergraph.js';
import { behalf } from './support.js';

const HEAD = `
extend schema
  @link(url: "https://specs.apollo.dev/federation/v2.9", import: ["@key", "@inaccessible", "@authenticated", "@requiresScopes", "@policy"])
  @link(url: "https://specs.behalf.dev/behalf/v0.1", import: ["@requiresScope", "@minimize", "@public", "@purpose", "@subject", "@filters"])
`;

function composed(sdl: string): string {
  return composeSupergraph([{ name: 'one', url: 'http://one', sdl: HEAD + sdl }]);
}

/** `kind coordinate`, openings first. */
function diff(before: string, after: string, coverage: 'required' | 'open' = 'open'): string[] {
  const inspected = [before, after].map((sdl) => inspectSupergraph(composed(sdl), coverage));
  const [one, two] = inspected;
  if (one === undefined || two === undefined) throw new Error('two were given');
  return diffSupergraphs(one, two).map(({ kind, coordinate }) => `${kind} ${coordinate}`);
}

const field = (rule: string): string => `type Query { a: String ${rule} }`;
const scopes = (or: readonly (readonly string[])[]): string =>
  `@requiresScopes(scopes: ${JSON.stringify(or)})`;

describe('@filters', () => {
  const sdl = (argument: string, input = argument, value = argument, more = ''): string => `
    type Query {
      a(x: Int ${argument}, in: In, order: Order): Int @public
      b: Int @requiresScope(scope: "b") c: Int @requiresScope(scope: "b") d: Int @public ${more} }
    input In { x: Int ${input} } enum Order { A B ${value} }`;
  const B = '@filters(field: "Query.b")';
  const C = '@filters(field: "Query.c")';

  it.each([
    ['removed', sdl(B), sdl(''), ['filter-lost In.x', 'filter-lost Order.B', 'filter-lost Query.a(x:)']],
    ['added', sdl(''), sdl(B), ['filter-gained In.x', 'filter-gained Order.B', 'filter-gained Query.a(x:)']],
    ['of a field that requires the same', sdl(B), sdl(C), []],
    ['repeated', sdl(B), sdl(`${B} ${C}`), []],
    ['with its argument', sdl(B), sdl(B).replace(`x: Int ${B}, `, ''), []],
    [
      'with its field',
      sdl(B),
      sdl('').replace('b: Int @requiresScope(scope: "b") c', 'c'),
      ['filter-lost In.x', 'filter-lost Order.B', 'filter-lost Query.a(x:)', 'removed Query.b'],
    ],
    [
      'of another field',
      sdl(B, '', '', 'e: Int @requiresScope(scope: "e")'),
      sdl('@filters(field: "Query.e")', '', '', 'e: Int @requiresScope(scope: "e")'),
      ['filter-lost Query.a(x:)', 'filter-gained Query.a(x:)'],
    ],
  ])('%s', (_change, before, after, expected) => {
    expect(diff(before, after)).toEqual(expected);
  });
});

describe('a rule that changes', () => {
  it.each([
    ['is removed', '@authenticated', '', ['opened Query.a']],
    ['is added', '', '@authenticated', ['closed Query.a']],
    ['gains an alternative', scopes([['x']]), scopes([['x'], ['y']]), ['opened Query.a']],
    ['loses one', scopes([['x'], ['y']]), scopes([['y']]), ['closed Query.a']],
    ['asks for less of one', scopes([['x', 'y']]), scopes([['x']]), ['opened Query.a']],
    ['asks for another', scopes([['x']]), scopes([['y']]), ['changed Query.a']],
    ['can no longer be met', scopes([['x']]), scopes([]), ['closed Query.a']],
    ['is met by anybody from now on', scopes([['x']]), scopes([[]]), ['opened Query.a']],
    ['asks for a token where a scope was', scopes([['x']]), '@authenticated', ['opened Query.a']],
    ['takes more purposes', '@purpose(of: ["p"])', '@purpose(of: ["p", "q"])', ['opened Query.a']],
    ['asks for a policy as well', '', '@policy(policies: [["p"]])', ['closed Query.a']],
    ['is written otherwise', scopes([['x'], ['x', 'y']]), '@requiresScope(scope: "x") @authenticated', []],
  ])('%s', (_name, before, after, changes) => {
    expect(diff(field(before), field(after))).toEqual(changes);
  });

  it('moving a rule from a field to its type changes nothing', () => {
    const onField = 'type Query { t: T @authenticated } type T { x: Int @authenticated }';
    const onType = 'type Query { t: T } type T @authenticated { x: Int }';
    expect(diff(onField, onType)).toEqual([]);
  });

  it('of an implementer changes the interface that it answers for', () => {
    const sdl = (rule: string): string =>
      `type Query { n: N } interface N { x: Int } type A implements N { x: Int ${rule} } type B implements N { x: Int }`;
    expect(diff(sdl('@authenticated'), sdl(''))).toEqual(['opened A.x', 'opened N.x']);
  });
});

describe('a field', () => {
  it('reports new fields as open or protected, and removed ones', () => {
    expect(diff('type Query { a: Int }', 'type Query { a: Int b: Int c: Int @authenticated }')).toEqual([
      'added-open Query.b',
      'added-protected Query.c',
    ]);
    expect(diff('type Query { a: Int b: Int }', 'type Query { a: Int }')).toEqual(['removed Query.b']);
    const hidden = 'type Query { a: Int b: Int @inaccessible }';
    expect(diff(hidden, 'type Query { a: Int b: Int }')).toEqual(['added-open Query.b']);
  });

  it('a field without a rule follows the gateway’s coverage', () => {
    expect(diff('type Query { a: Int @public }', 'type Query { a: Int @public b: Int }', 'required')).toEqual(
      ['added-protected Query.b'],
    );
    expect(diff('type Query { a: Int }', 'type Query { a: Int @public }', 'required')).toEqual([
      'opened Query.a',
    ]);
  });
});

describe('minimization', () => {
  it.each([
    ['@minimize(to: MASK, last: 2, showLength: true)', '', 'minimization-weakened'],
    ['', '@minimize(to: MASK, last: 2, showLength: true)', 'minimization-strengthened'],
    [
      '@minimize(to: MASK, last: 2, showLength: true)',
      '@minimize(to: MASK, last: 4, showLength: true)',
      'minimization-weakened',
    ],
    [
      '@minimize(to: MASK, last: 2, showLength: true)',
      '@minimize(to: MASK, last: 2, showLength: true, unless: [["x"]])',
      'minimization-weakened',
    ],
    [
      '@minimize(to: MASK, showLength: true, unless: [["x"]])',
      '@minimize(to: MASK, showLength: true, unless: [["y"]])',
      'minimization-changed',
    ],
    [
      '@minimize(to: MASK, showLength: true, unless: [["x"]])',
      '@minimize(to: REDACT, unless: [["x"], ["y"]])',
      'minimization-changed',
    ],
    ['@minimize(to: MASK, showLength: true)', '@minimize(to: REDACT)', 'minimization-strengthened'],
    ['@minimize(to: REDACT)', '@minimize(to: TRUNCATE)', 'minimization-weakened'],
    ['@minimize(to: MASK, showLength: true)', '@minimize(to: TRUNCATE)', 'minimization-changed'],
    [
      '@minimize(to: GENERALIZE, unit: DAY)',
      '@minimize(to: GENERALIZE, unit: YEAR)',
      'minimization-strengthened',
    ],
    ['@minimize(to: GENERALIZE, step: 100)', '@minimize(to: GENERALIZE, step: 50)', 'minimization-weakened'],
    ['@minimize(to: GENERALIZE, step: 30)', '@minimize(to: GENERALIZE, step: 20)', 'minimization-changed'],
    [
      '@minimize(to: NOISE, spread: 10, step: 1)',
      '@minimize(to: NOISE, spread: 20, step: 1)',
      'minimization-strengthened',
    ],
    // Without a step, the grid grows with the spread.
    ['@minimize(to: NOISE, spread: 1000)', '@minimize(to: NOISE, spread: 1500)', 'minimization-changed'],
    ['@minimize(to: NOISE, spread: 2)', '@minimize(to: NOISE, spread: 1)', 'minimization-weakened'],
  ])('%s → %s', (before, after, kind) => {
    const type = `${before}${after}`.includes('NOISE') ? 'Float' : 'String';
    const [old, now] = [before, after].map((rule) => `type Query { a: ${type} ${rule} }`);
    expect(diff(old ?? '', now ?? '')).toEqual([`${kind} Query.a`]);
  });
});

it('reports a type that gains or loses its subject', () => {
  const sdl = (rule: string): string =>
    `type Query { t: T @authenticated } type T ${rule} @authenticated { id: ID owner: ID }`;
  expect(diff(sdl(''), sdl('@subject(field: "id")'))).toEqual(['subject-gained T']);
  expect(diff(sdl('@subject(field: "id")'), sdl(''))).toEqual(['subject-lost T']);
  expect(diff(sdl('@subject(field: "id")'), sdl('@subject(field: "owner")'))).toEqual(['subject-changed T']);
});

describe('who reads the rows of every subject', () => {
  const sdl = (unless: string): string =>
    `type Query { t: T @authenticated } type T @subject(field: "id"${unless === '' ? '' : `, unless: ${unless}`}) @authenticated { id: ID }`;

  it.each([
    ['', '[["a"]]', ['subject-weakened T']],
    ['[["a"]]', '', ['subject-strengthened T']],
    ['[["a"], ["b"]]', '[["a"]]', ['subject-strengthened T']],
    ['[["a", "b"]]', '[["b"]]', ['subject-weakened T']],
    ['[["a"]]', '[["b"]]', ['subject-changed T']],
    ['[["a", "b"], ["c"]]', '[["c"], ["b", "a", "b"]]', []],
    ['', '[]', []],
  ])('%s → %s', (before, after, changes) => {
    expect(diff(sdl(before), sdl(after))).toEqual(changes);
  });
});

it('reports only rules that become bypassable', () => {
  const sdl = (graphs: string) =>
    composed('type Query { a: String @minimize(to: MASK, showLength: true) b: Int }').replace(
      /(subgraphs: )\["one"\]/,
      `$1${graphs}`,
    );
  const changes = (before: string, after: string): string[] =>
    diffSupergraphs(inspectSupergraph(before, 'open'), inspectSupergraph(after, 'open')).map(
      ({ kind, coordinate, opens }) => `${kind} ${coordinate} ${opens}`,
    );
  expect(changes(sdl('["one"]'), sdl('[]'))).toEqual(['bypassed Query.a true']);
  expect(changes(sdl('[]'), sdl('[]'))).toEqual([]);
  expect(changes(sdl('[]'), sdl('["one"]'))).toEqual([]);
});

describe('implication', () => {
  const alternatives = (names: readonly string[]) =>
    fc.array(fc.uniqueArray(fc.constantFrom(...names), { maxLength: 3 }), { maxLength: 3 });
  const requirement: fc.Arbitrary<Requirement> = fc.record({
    authenticated: fc.boolean(),
    uncovered: fc.integer({ min: 0, max: 19 }).map((number) => number === 0),
    scopes: fc.array(alternatives(['a', 'b', 'c']), { maxLength: 3 }),
    policies: fc.array(alternatives(['p', 'q']), { maxLength: 2 }),
    purposes: fc.array(fc.uniqueArray(fc.constantFrom('u', 'v'), { maxLength: 2 }), { maxLength: 2 }),
  });
  const everybody: readonly (Delegation | undefined)[] = [
    undefined,
    ...subsets(['a', 'b', 'c']).flatMap((held) =>
      subsets(['p', 'q']).flatMap((policies) =>
        subsets(['u', 'v']).map((purposes) => supposedDelegation({ scopes: held, policies, purposes })),
      ),
    ),
  ];

  it('agrees with brute force for each pair of rules', () => {
    fc.assert(
      fc.property(requirement, requirement, (one, two) => {
        const truth = everybody.every((who) => !isMet(one, who) || isMet(two, who));
        expect(implies(one, two)).toBe(truth ? 'yes' : 'no');
      }),
      { numRuns: 3_000 },
    );
  });

  it('splits a rule into parts equivalent to the whole', () => {
    fc.assert(
      fc.property(requirement, fc.constantFrom(...everybody), (rule, who) => {
        expect(requirementParts(rule).every((part) => isMet(part, who))).toBe(isMet(rule, who));
      }),
      { numRuns: 2_000 },
    );
  });

  it('never claims a false implication, however few steps it has', () => {
    fc.assert(
      fc.property(requirement, requirement, fc.integer({ min: 1, max: 6 }), (one, two, steps) => {
        const truth = everybody.every((who) => !isMet(one, who) || isMet(two, who));
        const answer = implies(one, two, steps);
        if (answer !== 'unknown') expect(answer).toBe(truth ? 'yes' : 'no');
      }),
      { numRuns: 3_000 },
    );
  });

  it('gives up on exponential comparisons, and reports a change', () => {
    const pairs = Array.from({ length: 40 }, (_, index) => [[`l${index}`], [`r${index}`]]);
    const before: Requirement = { ...NO_REQUIREMENT, scopes: pairs };
    // Met by every choice, though not obviously by any: the second names of two pairs together, or one of the first.
    const after: Requirement = {
      ...NO_REQUIREMENT,
      scopes: [[...pairs.map(([left]) => left ?? []), pairs.map(([, right]) => right?.[0] ?? ''), ['never']]],
    };
    expect(implies(before, after)).toBe('yes');
    expect(implies(before, after, 10)).toBe('unknown');
    expect(compareRequirements(before, after)).toBe('weaker');
  });
});

function subsets(names: readonly string[]): string[][] {
  return names.reduce<string[][]>((sets, name) => [...sets, ...sets.map((set) => [...set, name])], [[]]);
}

describe('the command', () => {
  let folder: string;
  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), 'behalf-diff-'));
    await writeFile(join(folder, 'shut.graphql'), composed(field('@requiresScope(scope: "x")')));
    await writeFile(join(folder, 'open.graphql'), composed(field('')));
  });
  afterAll(() => rm(folder, { recursive: true, force: true }));

  it('exits with 1 if something opens, 0 if not, 2 if incomparable', async () => {
    const [shut, open] = [join(folder, 'shut.graphql'), join(folder, 'open.graphql')];
    const opened = await behalf(['diff', shut, open]);
    expect(opened.code).toBe(1);
    expect(opened.stdout).toBe(
      'Opens (1)\n  ! Query.a  opened\n      - @requiresScopes(x)\n      + (nothing)\n',
    );
    const closed = await behalf(['diff', open, shut, '--format', 'json']);
    expect(closed.code).toBe(0);
    expect(JSON.parse(closed.stdout)).toEqual({
      opens: false,
      changes: [
        { kind: 'closed', coordinate: 'Query.a', before: '', after: '@requiresScopes(x)', opens: false },
      ],
    });
    expect((await behalf(['diff', 'supergraph.yaml', 'supergraph.yaml'])).code).toBe(0);
    expect((await behalf(['diff', shut, join(folder, 'nowhere')])).code).toBe(2);
    expect((await behalf(['diff', shut])).code).toBe(2);
  });
});
