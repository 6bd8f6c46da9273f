import { Supergraph } from '@apollo/federation-internals';
import fc from 'fast-check';
import { buildSchema, execute, getIntrospectionQuery, Kind, parse } from 'graphql';
import type { OperationDefinitionNode } from 'graphql';
import { describe, expect, it, vi } from 'vitest';
import { composeSupergraph } from '../../gateway/compose/compose.js';
import { createOperationAuthorizer } from '../../gateway/authorize/index.js';
import { CostModel } from '../../gateway/limit/index.js';

const sdl = (imports: string, cost: string, listSize: string) => /* GraphQL */ `
  extend schema @link(url: "https://specs.apollo.dev/federation/v2.9", import: ["@key", ${imports}])
  type Query {
    book(id: ID): Book
    books: [Book]
    shelf(first: Int = 20, last: Int): [Book] ${listSize}(slicingArguments: ["first"])
    either(first: Int, last: Int): [Book]
      ${listSize}(slicingArguments: ["first", "last"], requireOneSlicingArgument: false, assumedSize: 7)
    one(first: Int, last: Int): [Book] ${listSize}(slicingArguments: ["first", "last"])
    assumed: [Book] ${listSize}(assumedSize: 50)
    page(first: Int!): Page ${listSize}(slicingArguments: ["first"], sizedFields: ["edges"])
    slow: String ${cost}(weight: 30)
    heavy: Heavy
    search(by: Filter, deep: Boolean ${cost}(weight: 5)): [Thing]
    things: [Thing] ${listSize}(assumedSize: 2)
    node: Node
    cheap(discount: Int ${cost}(weight: -100)): Book
  }
  type Mutation { write(book: Filter): Book }
  type Book implements Node @key(fields: "id") { id: ID author: Author title: String tags: [Tag] items: [Book] }
  type Author { name: String books: [Book] }
  scalar Tag ${cost}(weight: 2)
  type Heavy implements Node ${cost}(weight: 40) {
    id: ID size: Int items: [Book] ${listSize}(assumedSize: 100)
  }
  interface Node { id: ID items: [Book] }
  union Thing = Book | Heavy
  type Page { edges: [Edge] info: String }
  type Edge { node: Book }
  input Filter { title: String ${cost}(weight: 3) not: Filter any: [Filter] }
`;

function modelOf(imports: string, cost: string, listSize: string): CostModel {
  const supergraph = composeSupergraph([
    { name: 'books', url: 'http://books', sdl: sdl(imports, cost, listSize) },
  ]);
  const { executableSdl } = createOperationAuthorizer(supergraph);
  const schema = Supergraph.build(executableSdl).apiSchema().toGraphQLJSSchema();
  return new CostModel(schema, parse(executableSdl), 10);
}

const plain = modelOf('"@cost", "@listSize"', '@cost', '@listSize');
const renamed = modelOf(
  '{ name: "@cost", as: "@price" }, { name: "@listSize", as: "@howMany" }',
  '@price',
  '@howMany',
);
const prefixed = modelOf('"@shareable"', '@federation__cost', '@federation__listSize');

function measure(model: CostModel, text: string, variables: Record<string, unknown> = {}) {
  const document = parse(text);
  const operation = document.definitions.find((node) => node.kind === Kind.OPERATION_DEFINITION);
  if (operation === undefined) throw new Error('no operation');
  return model.costOf(document, operation, variables);
}

describe.each([
  ['as they are', plain],
  ['under other names', renamed],
  ['with the prefix of the federation', prefixed],
])('@cost and @listSize, imported %s (https://specs.apollo.dev/cost/v0.1)', (_name, model) => {
  it.each<[string, number, Record<string, unknown>?]>([
    ['{ book { title } }', 1],
    ['{ book { title author { name } } }', 2],
    ['{ a: book { id } b: book { id } }', 2],
    ['{ books { id } }', 10],
    ['{ books { author { books { id } } } }', 10 * (1 + 1 + 10)],
    ['{ shelf(first: 3) { id } }', 3],
    ['{ shelf { id } }', 20],
    ['query ($n: Int) { shelf(first: $n) { id } }', 5, { n: 5 }],
    ['query ($n: Int = 8) { shelf(first: $n) { id } }', 8],
    ['query ($n: Int) { shelf(first: $n) { id } }', 20],
    ['{ either(first: 2, last: 9) { id } }', 9],
    ['{ either { id } }', 7],
    ['{ assumed { id } }', 50],
    ['{ page(first: 4) { edges { node { id } } info } }', 1 + 4 * 2],
    ['{ page(first: 4) { ...P } } fragment P on Page { edges { node { id } } }', 1 + 4 * 2],
    ['{ slow }', 30],
    ['{ heavy { size } }', 40],
    ['{ book { tags } }', 1 + 10 * 2],
    ['{ search(by: { title: "x" }, deep: true) { ... on Book { id } } }', 10 * 40 + (1 + 3) + 5],
    [
      'query ($f: Filter) { search(by: $f) { ... on Book { id } } }',
      10 * 40 + (1 + 3) + 2 * (1 + 3),
      { f: { title: 'x', any: [{ title: 'y' }, { title: 'z' }] } },
    ],
    ['{ things { ... on Book { author { name } } ... on Heavy { size } } }', 2 * (40 + 1)],
    ['{ node { items { id } } }', 40 + 100],
    ['mutation { write { id } }', 10 + 1],
    ['{ cheap(discount: 1) { id } book { id } }', 1],
    ['{ __typename }', 0],
  ])('%s costs %i', (text, cost, variables) => {
    expect(measure(model, text, variables)).toEqual({ cost, introspection: 0, unsliced: undefined });
  });

  it.each(['{ one { id } }', '{ one(first: 1, last: 2) { id } }', '{ book { id } one(last: null) { id } }'])(
    'needs exactly one slicing argument: %s',
    (text) => {
      expect(measure(model, text).unsliced).toMatchObject({ limit: 'slicingArguments', at: 'Query.one' });
    },
  );
});

it('a supergraph without costs has the defaults', () => {
  const supergraph = composeSupergraph([
    {
      name: 'a',
      url: 'http://a',
      sdl: 'extend schema @link(url: "https://specs.apollo.dev/federation/v2.9") type Query { a: [A] } type A { b: [A] c: Int }',
    },
  ]);
  const { executableSdl } = createOperationAuthorizer(supergraph);
  const schema = Supergraph.build(executableSdl).apiSchema().toGraphQLJSSchema();
  const model = new CostModel(schema, parse(executableSdl), 10);
  expect(measure(model, '{ a { b { c } } }').cost).toBe(110);
});

it('a cost never overflows, and never falls as more is requested (property)', () => {
  const nested = (depth: number): string =>
    depth === 0 ? 'id' : `author { books { ${nested(depth - 1)} } }`;
  fc.assert(
    fc.property(fc.nat(40), fc.nat(40), (one, other) => {
      const cost = (depth: number): number => measure(plain, `{ books { ${nested(depth)} } }`).cost;
      expect(Number.isSafeInteger(cost(one))).toBe(true);
      expect(cost(Math.max(one, other))).toBeGreaterThanOrEqual(cost(Math.min(one, other)));
    }),
  );
});

describe('introspection', () => {
  it('costs as much as the schema’s own lists', () => {
    const all = measure(plain, getIntrospectionQuery()).introspection;
    expect(all).toBeGreaterThan(100);
    expect(all).toBeLessThanOrEqual(plain.toolIntrospection);
    const names = measure(plain, '{ __schema { types { name } } }').introspection;
    const twice = measure(plain, '{ __schema { types { a: name b: name } } }').introspection;
    expect(twice).toBeGreaterThan(names);
    expect(measure(plain, '{ __typename book { id __typename } }').introspection).toBe(0);
  });

  // A few types are far larger than the average, and the client selects them.
  const fields = (count: number, type: string): string =>
    Array.from({ length: count }, (_, i) => `f${i}(a: Int, b: E0): ${type}`).join(' ');
  const skewed = buildSchema(`
    type Query { ${fields(40, 'Large')} } type Large implements Node { ${fields(30, 'Large')} id: ID }
    interface Node { id: ID } type Small implements Node { id: ID } input In { a: Int b: Int c: Int }
    ${Array.from({ length: 60 }, (_, i) => `enum E${i} { A }`).join(' ')} enum Long { ${Array.from({ length: 50 }, (_, i) => `V${i}`).join(' ')} }
  `);
  it.each([
    '{ __type(name: "Query") { fields { type { fields { name description args { name } } } } } }',
    '{ a: __type(name: "Query") { fields { name } } b: __type(name: "Large") { fields { args { type { name } } } } }',
    '{ __schema { types { fields { type { fields { name } } } } } }',
    '{ __schema { queryType { fields { type { interfaces { possibleTypes { fields { name } } } } } } } }',
    '{ __type(name: "Long") { enumValues { name } } }',
    '{ __type(name: "In") { inputFields { type { name } } } }',
    '{ __type(name: "Node") { possibleTypes { fields { args { type { enumValues { name } } } } } } }',
    '{ __schema { types { ...T } } } fragment T on __Type { fields { type { ...T2 } } } fragment T2 on __Type { fields { name } }',
  ])('costs at least its answer’s size, on an uneven schema: %s', async (text) => {
    const model = new CostModel(skewed, parse('type Query { a: ID }'), 10);
    const { data } = await execute({ schema: skewed, document: parse(text) });
    let held = -1;
    JSON.stringify(data, (key, value: unknown) => {
      // List entries are not fields.
      if (!/^\d+$/.test(key)) held += 1;
      return value;
    });
    expect(held).toBeGreaterThan(1);
    expect(measure(model, text).introspection).toBeGreaterThanOrEqual(held);
  });

  it('costs the same through fragments', () => {
    const written = '{ __schema { types { fields { type { name } } } } }';
    const spread =
      '{ __schema { types { ...T } } } fragment T on __Type { fields { type { ...N } } } fragment N on __Type { name }';
    expect(measure(plain, spread)).toEqual(measure(plain, written));
  });
});

it('of an interface does not cost its implementing types per selection', () => {
  const types = Array.from({ length: 2_000 }, (_, i) => `type T${i} implements Node { id: ID next: Node }`);
  const schema = buildSchema(
    `type Query { node: Node } interface Node { id: ID next: Node } ${types.join(' ')}`,
  );
  const costs = new CostModel(schema, parse('type Query { node: ID }'), 10);
  const document = parse(
    `{ node { ${Array.from({ length: 900 }, (_, i) => `a${i}: next { id }`).join(' ')} } }`,
  );
  const operation = document.definitions[0] as OperationDefinitionNode;
  const looked = vi.spyOn(schema, 'getPossibleTypes');
  expect(costs.costOf(document, operation, {}).cost).toBe(901);
  expect(looked.mock.calls.length).toBeLessThan(10);
});

it('is counted anew for other variables, and for each list containing it', () => {
  const schema = buildSchema('type Query { page(first: Int): [Query] }');
  const stated = parse(
    `schema @link(url: "https://specs.apollo.dev/cost/v0.1", import: ["@listSize"]) { query: Query }
     type Query { page(first: Int): [Query] @listSize(slicingArguments: ["first"]) }`,
  );
  const costs = new CostModel(schema, stated, 10);
  const document = parse('query ($n: Int) { page(first: $n) { __schema { types { name } } } }');
  const operation = document.definitions[0] as OperationDefinitionNode;
  const one = costs.costOf(document, operation, { n: 1 });
  const many = costs.costOf(document, operation, { n: 1_000 });
  expect([one.cost, many.cost]).toEqual([1, 1_000]);
  expect(many.introspection).toBeCloseTo(one.introspection * 1_000);
});
