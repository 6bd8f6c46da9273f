import { mkdtemp, readFile, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { isUnrestricted, Links, RuleTable } from '@behalf/directives/internal';
import { parse } from 'graphql';
import { describe, expect, it } from 'vitest';
import { compose, composeSupergraph } from '../../gateway/compose/compose.js';
import { ComposeError } from '../../gateway/compose/errors.js';

const link = (imports: string): string => `
  extend schema
    @link(url: "https://specs.apollo.dev/federation/v2.9", import: ["@key", "@requiresScopes"])
    @link(url: "https://specs.behalf.dev/behalf/v0.1", import: [${imports}])
`;

function composeOne(sdl: string): string {
  return composeSupergraph([{ name: 'one', url: 'http://one', sdl }]);
}

async function failure(run: () => unknown): Promise<ComposeError> {
  try {
    await run();
  } catch (error) {
    if (error instanceof ComposeError) return error;
    throw error;
  }
  throw new Error('it did not fail');
}

describe('composition', () => {
  it('lowers @requiresScope to the standard directive, which any router enforces', () => {
    const sdl = composeOne(`${link('"@requiresScope"')}
      type Query { a: Int @requiresScope(scope: "x") @requiresScope(scope: "y")
                   b: Int @requiresScope(scope: "x") @requiresScopes(scopes: [["p"], ["q"]]) }`);
    expect(sdl).toContain('a: Int @requiresScopes(scopes: [["x", "y"]])');
    expect(sdl).toContain('b: Int @requiresScopes(scopes: [["p", "x"], ["q", "x"]])');
    expect(sdl).toContain('specs.apollo.dev/requiresScopes/v0.1", for: SECURITY');
    expect(sdl).not.toContain('@requiresScope(');
  });

  it('a team need not import the standard directive', () => {
    const only = `
      extend schema @link(url: "https://specs.apollo.dev/federation/v2.9", import: ["@key"])
        @link(url: "https://specs.behalf.dev/behalf/v0.1", import: ["@requiresScope"])
      type Query { a: Int @requiresScope(scope: "x") }`;
    const sdl = composeSupergraph([
      { name: 'one', url: 'http://one', sdl: only },
      {
        name: 'two',
        url: 'http://two',
        sdl: `${link('"@requiresScope"')} type Query { b: Int @requiresScope(scope: "y") }`,
      },
    ]);
    expect(sdl).toContain('@requiresScopes(scopes: [["x"]])');
    expect(sdl).toContain('@requiresScopes(scopes: [["y"]])');
  });

  it('moves an interface’s rule to its implementers', () => {
    const sdl = composeOne(`${link('"@requiresScope"')}
      type Query { n: N }
      interface N @requiresScope(scope: "type") { x: Int @requiresScope(scope: "field") }
      type A implements N { x: Int }
      type B implements N { x: Int y: Int }`);
    const document = parse(sdl);
    expect(document.definitions.length).toBeGreaterThan(0);
    expect(sdl.replace(/\s+/g, ' ')).toMatch(
      /type A implements N @join__implements[^{]*@requiresScopes\(scopes: \[\["type"\]\]\) \{ x: Int @requiresScopes\(scopes: \[\["field"\]\]\)/,
    );
    expect(sdl.replace(/\s+/g, ' ')).toMatch(
      /interface N @join__type\(graph: ONE\) @requiresScopes\(scopes: \[\["type"\]\]\)/,
    );
  });

  it('keeps Behalf’s directives without an explicit @composeDirective', () => {
    const sdl = composeOne(`${link('"@minimize", "@public"')}
      type Query { a: String @minimize(to: MASK, last: 2, showLength: true) b: Int @public }`);
    expect(sdl).toContain('@minimize(to: MASK, last: 2, showLength: true)');
    expect(new Links(parse(sdl)).features.map(({ identity }) => identity)).toContain(
      'https://specs.behalf.dev/behalf',
    );
  });

  it('joins the rules of a shared field by AND (federation pull request 3321)', () => {
    const shared = (scope: string): string => `
      extend schema @link(url: "https://specs.apollo.dev/federation/v2.9", import: ["@shareable", "@requiresScopes"])
      type Query { a: Int @shareable @requiresScopes(scopes: [["${scope}"]]) }`;
    const sdl = composeSupergraph([
      { name: 'one', url: 'http://one', sdl: shared('x') },
      { name: 'two', url: 'http://two', sdl: shared('y') },
    ]);
    expect(sdl).toMatch(/a: Int @requiresScopes\(scopes: \[\["x", "y"\]\]\)/);
  });
});

describe('a rule', () => {
  it('applied by its prefixed name reaches the supergraph, or composition fails', () => {
    const sdl = `
      extend schema @link(url: "https://specs.apollo.dev/federation/v2.9", import: ["@key"])
        @link(url: "https://specs.behalf.dev/behalf/v0.1")
      type Query { a: String @behalf__requiresScope(scope: "x") @behalf__minimize(to: MASK, showLength: true) }`;
    const composed = composeOne(sdl);
    expect(composed).toContain('@requiresScopes(scopes: [["x"]])');
    expect(composed).toContain('@behalf__minimize(to: MASK, showLength: true)');
  });

  it.each(['@requiresScopes(scopes: [])', '@requiresScopes(scopes: []) @requiresScope(scope: "y")'])(
    'that nobody can meet survives beside another subgraph’s (%s)',
    async (rule) => {
      const part = (name: string, own: string) => ({
        name,
        url: `http://${name}`,
        sdl: `${link('"@requiresScope"')}
          type Query { ${name}: T }
          type T @key(fields: "id") { id: ID! ${own} }`,
      });
      // On its own it is kept; joined with a satisfiable rule, composition drops it.
      expect(composeSupergraph([part('one', '@requiresScopes(scopes: [])')])).toContain('(scopes: [])');
      const { details } = await failure(() =>
        composeSupergraph([part('one', rule), part('two', '@requiresScopes(scopes: [["x"]])')]),
      );
      expect(details.join()).toContain('RULE_LOST: [one] T.id');
    },
  );

  it('fails on a rule that composition would drop silently', async () => {
    const sdl = `
      extend schema @link(url: "https://specs.apollo.dev/link/v1.0")
        @link(url: "https://specs.behalf.dev/behalf/v0.1", import: ["@minimize", "@requiresScope"])
      type Query { a: String @minimize(to: MASK, showLength: true) b: Int @requiresScope(scope: "x") }`;
    const error = await failure(() => composeOne(sdl));
    expect(error.code).toBe('COMPOSE_FAILED');
  });
});

describe('renamed root types', () => {
  const root = 'schema { query: Q mutation: M }';
  it.each([
    ['a rule of a field', 'type Q { a: String @requiresScope(scope: "x") } type M { m: String }', 'Query.a'],
    [
      'a rule of a mutation',
      'type Q { a: String } type M { m: String @requiresScope(scope: "x") }',
      'Mutation.m',
    ],
    ['a rule of the type', 'type Q @purpose(of: ["p"]) { a: String } type M { m: String }', 'Query.a'],
    [
      'a minimized field',
      'type Q { a: String @minimize(to: MASK, showLength: true) } type M { m: String }',
      'Query.a',
    ],
    [
      'the type as the type of a field',
      'type Q { a: String self: Q @purpose(of: ["p"]) } type M { m: String }',
      'Query.self',
    ],
  ])('compose, and keep %s', (_name, types, coordinate) => {
    const sdl = composeOne(`${link('"@requiresScope", "@purpose", "@minimize"')} ${root} ${types}`);
    const rules = new RuleTable(parse(sdl), { coverage: 'open' });
    const [type = '', field = ''] = coordinate.split('.');
    const isMinimized = rules.field(type, field)?.minimization !== undefined;
    expect(isMinimized || !isUnrestricted(rules.requirementOf(type, field))).toBe(true);
  });

  it('are refused if another subgraph resolves the field without its rule', async () => {
    const sdl = `${link('"@minimize"')} schema { query: Q } type Q { a: String @shareable @minimize(to: MASK, showLength: true) }`;
    const other = `${link('"@minimize"')} type Query { a: String @shareable }`;
    const federation = [sdl, other].map((text, index) => ({
      name: `s${index}`,
      url: `http://s${index}`,
      sdl: text.replace('"@requiresScopes"', '"@requiresScopes", "@shareable"'),
    }));
    const { details } = await failure(() => composeSupergraph(federation));
    expect(details.join()).toContain('Query.a');
  });
});

it('compose with @inaccessible, which @apollo/gateway hides', () => {
  const sdl = composeOne(`
    extend schema @link(url: "https://specs.apollo.dev/federation/v2.9", import: ["@inaccessible"])
    type Query { a: Int b: Int @inaccessible }`);
  expect(sdl).toContain('b: Int @inaccessible');
});

describe('composition fails', () => {
  it.each([
    ['a misspelt directive', `${link('"@requireScope"')} type Query { a: Int }`, 'UNKNOWN_DIRECTIVE'],
    ['a directive that is not linked', 'type Query { a: Int @requiresScopes(scopes: [["x"]]) }', ''],
    [
      'a custom protective directive',
      'extend schema @link(url: "https://specs.apollo.dev/federation/v2.9") directive @minimize on FIELD_DEFINITION type Query { a: Int @minimize }',
      'UNLINKED_DIRECTIVE',
    ],
    ['a syntax error', 'type Query {', 'SCHEMA_SYNTAX'],
    [
      'a field that reads protected data through @requires (GHSA-m8jr-fxqx-8xx6)',
      `
      extend schema
        @link(url: "https://specs.apollo.dev/federation/v2.9", import: ["@key", "@requires", "@external", "@requiresScopes"])
        @link(url: "https://specs.behalf.dev/behalf/v0.1", import: ["@requiresScope"])
      type Query { p: P }
      type P @key(fields: "id") { id: ID! secret: Int @external leak: Int @requires(fields: "secret") }`,
      'MISSING_TRANSITIVE_AUTH_REQUIREMENTS',
    ],
  ])('%s', async (_name, sdl, code) => {
    const sources = [
      { name: 'one', url: 'http://one', sdl },
      ...(sdl.includes('@external')
        ? [
            {
              name: 'two',
              url: 'http://two',
              sdl: `${link('"@requiresScope"')} type P @key(fields: "id") { id: ID! secret: Int @requiresScope(scope: "s") }`,
            },
          ]
        : []),
    ];
    const error = await failure(() => composeSupergraph(sources));
    expect(error.code).toBe('COMPOSE_FAILED');
    expect(error.details.join('\n')).toContain(code);
    expect(error.details.length).toBeGreaterThan(0);
  });
});

describe('supergraph.yaml', () => {
  it('is read as rover reads it, with paths relative to it', async () => {
    const folder = await mkdtemp(join(tmpdir(), 'behalf-compose-'));
    await writeFile(join(folder, 'a.graphql'), 'type Query { a: Int }');
    await writeFile(
      join(folder, 'supergraph.yaml'),
      'federation_version: =2.9.0\nsubgraphs:\n  a:\n    routing_url: http://a\n    schema:\n      file: ./a.graphql\n',
    );
    const output = join(folder, 'out.graphql');
    expect((await compose(join(folder, 'supergraph.yaml'), output)).subgraphs).toEqual(['a']);
    expect(await readFile(output, 'utf8')).toContain('@join__graph(name: "a", url: "http://a")');
  });

  it.each([
    [
      'an unknown key',
      'subgraphs: {}\nsubgraph: {}\n',
      'subgraph: is not a known key; did you mean subgraphs?',
    ],
    ['no schema', 'subgraphs: { a: { routing_url: "http://a", schema: {} } }', 'subgraphs.a.schema'],
    ['no address', 'subgraphs: { a: { schema: { file: x } } }', 'subgraphs.a.routing_url'],
    ['no YAML', 'subgraphs: [', 'supergraph.yaml'],
    [
      'a missing schema file',
      'subgraphs: { a: { routing_url: "http://a", schema: { file: nowhere } } }',
      'ENOENT',
    ],
  ])('reports a clear error for %s', async (_name, text, message) => {
    const folder = await mkdtemp(join(tmpdir(), 'behalf-compose-'));
    const file = join(folder, 'supergraph.yaml');
    await writeFile(file, text);
    const error = await failure(() => compose(file, join(folder, 'out')));
    expect(error.message).toContain(message);
  });
});
