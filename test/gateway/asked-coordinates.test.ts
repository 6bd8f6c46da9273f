import { buildSchema } from 'graphql';
import { expect, it } from 'vitest';
import { SentOperation } from '../../gateway/subgraph-errors/sent-operation.js';
import { askedCoordinates } from '../../gateway/propagate/asked.js';

const schema = buildSchema(`
  type Query { me: Person node: Node things: [Thing!]! search: [Found!]! }
  type Mutation { rename(name: String): Person }
  interface Node { id: ID! }
  type Person implements Node { id: ID! name: String friend: Person }
  type Company implements Node { id: ID! name: String }
  type Thing { size: Int }
  union Found = Person | Company`);

const asked = (query: string, variables: Record<string, unknown> = {}): readonly string[] =>
  askedCoordinates(new SentOperation(query), variables, schema);

it.each([
  ['fields, each once', '{ me { name friend { name } } }', ['Query.me', 'Person.name', 'Person.friend']],
  ['the schema’s names, not the client’s', '{ secret: me { iban: name } }', ['Query.me', 'Person.name']],
  [
    'entities by their types',
    'query ($r: [_Any!]!) { _entities(representations: $r) { __typename ... on Person { name } ... on Company { id } } }',
    ['Person.name', 'Company.id'],
  ],
  [
    'a field of an interface as the interface’s',
    '{ node { id ... on Person { name } } }',
    ['Query.node', 'Node.id', 'Person.name'],
  ],
  ['members of a union', '{ search { ... on Company { name } } }', ['Query.search', 'Company.name']],
  ['lists', '{ things { size } }', ['Query.things', 'Thing.size']],
  ['mutations', 'mutation { rename(name: "a value") { id } }', ['Mutation.rename', 'Person.id']],
  [
    'fragments, also in fragments, and circular ones',
    '{ me { ...A } } fragment A on Person { name ...B } fragment B on Person { id ...A }',
    ['Query.me', 'Person.name', 'Person.id'],
  ],
  ['an inline fragment without a type', '{ me { ... { name } } }', ['Query.me', 'Person.name']],
  [
    'nothing that the schema does not have',
    '{ me { constructor toString unknown { name } } __proto__ }',
    ['Query.me'],
  ],
  ['nothing of what does not parse', '{ me {', []],
  ['nothing of an operation that is not there', '', []],
])('are %s', (_what, query, expected) => {
  expect(asked(query)).toEqual(expected);
});

it.each([
  [true, ['Query.me']],
  [false, ['Query.me', 'Person.name']],
])('follow @skip and @include: %s', (isSkipped, expected) => {
  const query = 'query ($s: Boolean!) { me { name @skip(if: $s) ... @skip(if: $s) { name } } }';
  expect(asked(query, { s: isSkipped })).toEqual(expected);
  const included = query.replaceAll('@skip', '@include');
  expect(asked(included, { s: !isSkipped })).toEqual(expected);
});

it('follow the defaults of variables that were not sent', () => {
  const query =
    'query ($s: Boolean = true, $i: Boolean! = false) { me { name @skip(if: $s) id @include(if: $i) } }';
  expect(asked(query)).toEqual(['Query.me']);
  expect(asked(query, { s: false, i: true })).toEqual(['Query.me', 'Person.name', 'Person.id']);
});

it.each(['@skip(if: $none)', '@include(if: "x")', '@skip'])(
  'count as asked for under a condition that cannot be read: %s',
  (condition) => {
    expect(asked(`{ me { name ${condition} } }`)).toEqual(['Query.me', 'Person.name']);
  },
);

it('take time that grows with the operation, not with what its fragments spread', () => {
  const fragments = Array.from(
    { length: 200 },
    (_, at) => `fragment F${at} on Person { name ...F${at + 1} ...F${at + 1} }`,
  );
  const query = `{ me { ...F0 } } ${fragments.join(' ')} fragment F200 on Person { id }`;
  expect(asked(query)).toEqual(['Query.me', 'Person.name', 'Person.id']);
});
