import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { ComposeError } from '../../gateway/compose/errors.js';
import { composeSupergraph } from '../../gateway/compose/compose.js';
import { FINDINGS, lint } from '../../gateway/inspect/lint/index.js';
import type { Finding, LintInput } from '../../gateway/inspect/lint/index.js';
import { checkPolicy } from '../../policy/index.js';
import { behalf } from './support.js';

const TODAY = '2026-11-24';
const HEAD = `
extend schema
  @link(url: "https://specs.apollo.dev/federation/v2.9", import: ["@key", "@shareable", "@external", "@requires", "@context", "@fromContext", "@authenticated", "@requiresScopes", "@policy"])
  @link(url: "https://specs.behalf.dev/behalf/v0.1", import: ["@requiresScope", "@minimize", "@public", "@purpose", "@subject", "@personalData"])
`;

const policy = checkPolicy({
  scopes: {
    a: scope(),
    b: scope(),
    old: { ...scope(), deprecated: { since: '2026-01-01', replacedBy: ['a'] } },
    gone: { ...scope(), deprecated: { since: '2025-01-01', until: '2026-11-23', replacedBy: ['a'] } },
  },
  purposes: { budgeting: { sentence: 'To plan' } },
});

function scope() {
  return { sentence: 'See it', access: 'read', sensitivity: 'low' };
}

function run(schemas: Readonly<Record<string, string>>, more: Partial<LintInput> = {}): readonly Finding[] {
  const subgraphs = Object.entries(schemas).map(([name, sdl]) => ({
    name,
    url: `http://${name}`,
    file: `${name}.graphql`,
    sdl: HEAD + sdl,
  }));
  let supergraph: LintInput['supergraph'];
  try {
    supergraph = composeSupergraph(subgraphs);
  } catch (error) {
    if (!(error instanceof ComposeError)) throw error;
    supergraph = error.refusedSdl ?? { failures: error.details };
  }
  return lint({ subgraphs, supergraph, policy: undefined, today: TODAY, ...more });
}

/** `CODE coordinate`, in order. */
function codes(findings: readonly Finding[]): string[] {
  return findings.map(({ code, coordinate }) => [code, coordinate].filter(Boolean).join(' '));
}

describe('a single rule', () => {
  it('reports missing rules by file and line; inherited rules and @public count', () => {
    const findings = run({
      one: `type Query { open: Int
        shut: T mine: Int @public }
        type T @authenticated { x: Int }`,
    });
    expect(codes(findings)).toEqual(['COVERAGE_MISSING Query.open']);
    expect(findings[0]).toMatchObject({ severity: 'error', subgraph: 'one', file: 'one.graphql', line: 5 });
  });

  it('is reported if nobody can meet it, or everybody', () => {
    const findings = run({
      one: `type Query {
        a: Int @requiresScopes(scopes: [])
        b: Int @requiresScopes(scopes: [[]])
        c: Int @requiresScopes(scopes: [["x"], []]) @requiresScope(scope: "y")
        d: Int @purpose(of: [])
        e: Int @policy(policies: [["p"], []])
        f: T
        fine: Int @requiresScopes(scopes: [["x", "y"]]) }
        type T @requiresScopes(scopes: []) { x: Int }`,
    });
    expect(codes(findings)).toEqual([
      'RULE_NEVER_MET Query.a',
      'RULE_ASKS_NOTHING Query.b',
      'RULE_ASKS_NOTHING Query.c',
      'RULE_NEVER_MET Query.d',
      'RULE_ASKS_NOTHING Query.e',
      'RULE_NEVER_MET T',
    ]);
  });

  it('is reported for scopes that no token can hold (RFC 6749 section 3.3), unless another alternative helps', () => {
    const findings = run({
      one: `type Query {
        a: Int @requiresScope(scope: "has space")
        b: Int @requiresScopes(scopes: [["x", "quote\\""], ["émile"]])
        c: Int @requiresScopes(scopes: [["back\\\\slash"], ["x"]])
        e: Int @policy(policies: [["has space"]])
        f: Int @requiresScope(scope: "a:b/c.d~e!") }`,
    });
    expect(codes(findings)).toEqual(['a', 'b'].map((field) => `RULE_NEVER_MET Query.${field}`));
    expect(findings[0]?.message).toContain('"has space"');
  });

  it('is reported beside @public, which opens nothing', () => {
    const findings = run({
      one: `type Query { a: Int @public @authenticated b: T @public c: Open }
        type T @authenticated { x: Int }
        type Open @public { x: Int y: Int @authenticated }`,
    });
    expect(codes(findings)).toEqual(['PUBLIC_WITH_RULE Query.a', 'PUBLIC_WITH_RULE Query.b']);
    expect(findings[1]?.message).toContain('what it returns (T)');
  });

  it('is reported if its subject names nobody', () => {
    const sdl = (field: string): string => `type Query { t: T }
      type T @subject(field: "owner") { x: Int ${field} }`;
    expect(codes(run({ one: sdl('owner: T') }))).toEqual(['SUBJECT_FIELD_SHAPE T']);
    expect(codes(run({ one: sdl('owner: Boolean') }))).toEqual(['SUBJECT_FIELD_SHAPE T']);
    expect(codes(run({ one: sdl('owner: ID') }))).toEqual([]);
    // A property of the row need not be a field.
    expect(codes(run({ one: sdl('') }))).toEqual([]);
  });
});

describe('a key with a rule', () => {
  const federation = (rule: string, joined: string) => ({
    one: `type Query { t: T @public }
      type T @key(fields: "id") { id: ID! ${rule} name: Int @requiresScope(scope: "a") }`,
    two: `type T @key(fields: "id") { id: ID! ${rule} more: Int ${joined} }`,
  });

  it('is reported if stricter than the fields it joins', () => {
    const findings = run(federation('@requiresScope(scope: "b")', '@public'));
    expect(codes(findings)).toContain('KEY_PROTECTED T.id');
    const found = findings.find(({ code }) => code === 'KEY_PROTECTED');
    expect(found?.severity).toBe('warning');
    expect(found?.message).toContain('name, more can be read without it');
  });

  it('is fine if every reader may also read the key', () => {
    expect(codes(run(federation('@requiresScope(scope: "a")', '@requiresScope(scope: "a")')))).toEqual([]);
    expect(codes(run(federation('@public', '@requiresScope(scope: "b")')))).toEqual([]);
    const alone = { one: federation('@requiresScope(scope: "b")', '@public').one };
    expect(codes(run(alone))).toEqual([]);
  });
});

function named(name: string): { readonly name: string; readonly sentence: string } {
  return { name, sentence: 'Words' };
}

describe('a schema with its policy', () => {
  it('reports names that only one of them has', () => {
    const findings = run(
      {
        one: `type Query {
          a: Int @requiresScopes(scopes: [["a"], ["mispelt"]])
          m: String @requiresScope(scope: "a") @minimize(to: MASK, showLength: true, unless: [["fuller"]])
          p: Int @purpose(of: ["tax"]) }`,
      },
      { policy },
    );
    expect(codes(findings).sort()).toEqual([
      'MINIMIZE_SCOPE_UNKNOWN Query.m',
      'PURPOSE_UNKNOWN Query.p',
      'PURPOSE_UNUSED',
      'SCOPE_UNKNOWN Query.a',
      'SCOPE_UNUSED',
    ]);
    expect(findings.find(({ code }) => code === 'SCOPE_UNUSED')?.message).toContain('"b"');
  });

  it('reports levels that do not fit the categories of the policy', () => {
    const sentence = 'Words';
    const location = { sentence, sensitivity: 'low' as const };
    const findings = run(
      {
        one: `type Query {
          a: String @requiresScope(scope: "a") @personalData(category: "location") @minimize(level: "city", to: MASK)
            @minimize(level: "region", to: TRUNCATE) @minimize(level: "country", to: REDACT)
          b: String @requiresScope(scope: "b") @personalData(category: "location") }`,
      },
      {
        policy: {
          ...policy,
          categories: new Map([
            ['location', { ...location, name: 'location', levels: ['city', 'country'].map(named) }],
            ['diet', { name: 'diet', sentence, sensitivity: 'low' as const, levels: [] }],
          ]),
          minimize: [
            { when: {}, nothingLifts: false, levels: new Map([['Query.b', 'city']]), strictest: [] },
          ],
        },
      },
    );
    expect(codes(findings).sort()).toEqual([
      'CATEGORY_UNUSED',
      'FIELD_WITHOUT_LEVEL Query.b',
      'LEVELS_NOT_COMPARABLE Query.a',
      'LEVEL_NOT_IN_POLICY Query.a',
      'LEVEL_UNKNOWN',
      'PURPOSE_UNUSED',
    ]);
  });

  it('reports a deprecated scope only if no alternative avoids it', () => {
    const findings = run(
      {
        one: `type Query {
          a: Int @requiresScope(scope: "old")
          b: Int @requiresScopes(scopes: [["old"], ["a"]])
          c: Int @requiresScopes(scopes: [["gone", "b"]])
          d: Int @purpose(of: ["budgeting"]) }`,
      },
      { policy },
    );
    expect(codes(findings)).toEqual(['SCOPE_DEPRECATED Query.a', 'SCOPE_EXPIRED Query.c']);
    expect(findings[0]?.message).toContain('replaced by a');
    expect(
      codes(
        run({ one: 'type Query { c: Int @requiresScope(scope: "gone") }' }, { policy, today: '2026-11-23' }),
      ),
    ).toContain('SCOPE_DEPRECATED Query.c');
  });
});

describe('another field reads protected data (GHSA-m8jr-fxqx-8xx6)', () => {
  const owner = (rule: string): string =>
    `type Query { p: P @public } type P @key(fields: "id") { id: ID! @public secret: String ${rule} }`;
  const reader = (rule: string): string =>
    `type P @key(fields: "id") { id: ID! @public secret: String @external leak: String @requires(fields: "secret") ${rule} }`;

  it.each([
    ['a purpose', '@purpose(of: ["tax"])', '@authenticated', 'REQUIRES_PROTECTED'],
    ['a purpose among more', '@purpose(of: ["tax"])', '@purpose(of: ["tax", "ads"])', 'REQUIRES_PROTECTED'],
    [
      'a value that is minimized',
      '@authenticated @minimize(to: MASK, showLength: true, unless: [["full"]])',
      '@authenticated',
      'REQUIRES_MINIMIZED',
    ],
  ])('through @requires: %s', (_name, rule, own, code) => {
    expect(codes(run({ one: owner(rule), two: reader(own) }))).toEqual([`${code} P.leak`]);
  });

  it.each([
    ['repeats it', '@purpose(of: ["tax"])', '@purpose(of: ["tax"])'],
    ['asks for more', '@purpose(of: ["tax", "ads"])', '@purpose(of: ["tax"]) @authenticated'],
    [
      'asks for the whole value',
      '@authenticated @minimize(to: MASK, showLength: true, unless: [["full"]])',
      '@requiresScope(scope: "full") @authenticated',
    ],
    [
      'is minimized as well',
      '@authenticated @minimize(to: MASK, showLength: true)',
      '@authenticated @minimize(to: REDACT)',
    ],
  ])('without a finding, because the reader %s', (_name, rule, own) => {
    expect(codes(run({ one: owner(rule), two: reader(own) }))).toEqual([]);
  });

  it('through @requires, as composition reports it for the standard rules', () => {
    const findings = run({ one: owner('@requiresScope(scope: "s")'), two: reader('@authenticated') });
    expect(codes(findings)).toEqual(['COMPOSITION_FAILED']);
    expect(findings[0]?.message).toContain('MISSING_TRANSITIVE_AUTH_REQUIREMENTS');
  });

  it('through @fromContext: the supergraph is refused', () => {
    const sdl = `type Query { t: T @public }
      type T @key(fields: "id") @context(name: "t") { id: ID! @public secret: String @purpose(of: ["tax"]) u: U @public }
      type U @key(fields: "id") { id: ID! @public leak(s: String @fromContext(field: "$t { secret }")): String @authenticated }`;
    // While the gateway does not know the feature, it refuses the whole supergraph.
    expect(run({ one: sdl }).find(({ code }) => code === 'COMPOSITION_FAILED')?.message).toContain(
      'specs.apollo.dev/context',
    );
  });
});

describe('fields that several subgraphs share', () => {
  it('are reported unless all protect them alike', () => {
    const findings = run({
      one: `type Query { s: S @public } type S @key(fields: "id") @subject(field: "id") {
        id: ID! @authenticated x: String @shareable @authenticated @requiresScope(scope: "a")
        m: String @shareable @authenticated @minimize(to: MASK, showLength: true) }`,
      two: `type S @key(fields: "id") { id: ID! @public x: String @shareable @public m: String @shareable @authenticated }`,
    });
    expect(
      findings.map(({ code, coordinate, subgraph }) => `${subgraph ?? ''} ${code} ${coordinate ?? ''}`),
    ).toEqual([
      'one PUBLIC_WITH_RULE Query.s',
      'two SHARED_MINIMIZATION_DIFFERS S.m',
      'two SHARED_RULE_DIFFERS S.id',
      'two SHARED_RULE_DIFFERS S.x',
      'two SHARED_SUBJECT_DIFFERS S',
    ]);
  });

  it('are compared by meaning, not by words', () => {
    const findings = run({
      one: `type Query { s: S } type S @shareable @authenticated { x: Int @requiresScopes(scopes: [["a"], ["a", "b"]]) }`,
      two: `type Query { t: S @authenticated } type S @shareable @authenticated { x: Int @requiresScope(scope: "a") }`,
    });
    expect(codes(findings)).toEqual([]);
  });
});

describe('interfaces', () => {
  it('are reported if their implementers have different rules', () => {
    const findings = run({
      one: `type Query { n: N @authenticated } interface N @public { x: Int }
        type A implements N { x: Int @requiresScope(scope: "a") } type B implements N { x: Int @authenticated }`,
    });
    expect(codes(findings)).toEqual(['INTERFACE_RULES_DIFFER N.x']);
  });

  it('are reported if another subgraph’s implementer lacks their rule', () => {
    const findings = run({
      one: `type Query { n: N @authenticated } interface N { x: Int @requiresScope(scope: "a") }
        type A implements N @key(fields: "x") { x: Int @shareable }`,
      two: `interface N { x: Int } type B implements N @key(fields: "x") { x: Int @authenticated }`,
    });
    expect(codes(findings)).toContain('INTERFACE_RULE_PARTIAL B.x');
  });
});

describe('the command', () => {
  let folder: string;
  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), 'behalf-lint-'));
  });
  afterAll(() => rm(folder, { recursive: true, force: true }));

  it('reports nothing in the example', async () => {
    const result = await behalf(['lint', '--policy', 'policy.yaml']);
    expect(result.stdout).toBe('Nothing found.\n');
    expect(result.code).toBe(0);
  });

  it('exits with 1 for an error, and reports it as JSON', async () => {
    const file = join(folder, 'open.graphql');
    await writeFile(
      file,
      composeSupergraph([{ name: 'one', url: 'http://one', sdl: `${HEAD} type Query { a: Int }` }]),
    );
    const result = await behalf(['lint', '--supergraph', file, '--format', 'json']);
    expect(result.code).toBe(1);
    const { findings } = JSON.parse(result.stdout) as { findings: Finding[] };
    expect(findings).toMatchObject([
      { code: 'COVERAGE_MISSING', coordinate: 'Query.a', hint: FINDINGS.COVERAGE_MISSING.hint },
    ]);
  });

  it('exits with 2 for unreadable input', async () => {
    expect((await behalf(['lint', '--config', join(folder, 'nowhere.yaml')])).code).toBe(2);
    expect((await behalf(['lint', '--supergraph', join(folder, 'nowhere')])).stderr).toContain(
      'FILE_UNREADABLE',
    );
    expect((await behalf(['lint', '--format', 'xml'])).code).toBe(2);
    expect((await behalf(['lint', '--unknown'])).code).toBe(2);
  });
});

describe('a supergraph that composes', () => {
  it.each([
    ['cacheTag', 'federation/v2.12', '@cacheTag', 'type Query { a: Int @public @cacheTag(format: "a") }'],
    [
      'connect',
      'federation/v2.10',
      '@key',
      `extend schema @link(url: "https://specs.apollo.dev/connect/v0.1", import: ["@connect", "@source"])
         @source(name: "api", http: { baseURL: "https://api.example" })
       type Query { a: Int @public @connect(source: "api", http: { GET: "/a" }, selection: "$") }`,
    ],
  ])('is reported if the gateway does not start with it: @%s', (name, federation, imported, types) => {
    const sdl = `extend schema @link(url: "https://specs.apollo.dev/${federation}", import: ["${imported}"])
      @link(url: "https://specs.behalf.dev/behalf/v0.1", import: ["@public"])
      ${types}`;
    const source = { name: 'one', url: 'http://one', file: 'one.graphql', sdl };
    const supergraph = composeSupergraph([source]);
    for (const subgraphs of [[source], []]) {
      const findings = lint({ subgraphs, supergraph, policy: undefined, today: TODAY });
      expect(codes(findings)).toEqual(['SUPERGRAPH_NOT_SERVED']);
      expect(findings[0]?.message).toContain(name);
    }
  });
});
