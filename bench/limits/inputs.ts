import { getIntrospectionQuery } from 'graphql';

/** A request to the gateway. */
export interface HostileInput {
  readonly query: string;
  readonly variables?: Readonly<Record<string, unknown>>;
  /** The variables as JSON text: JSON.stringify recurses for each level. */
  readonly variablesJson?: string;
}

/** Makes an input of a size in the family's own unit. `name` names the operation, so that no two texts are equal. */
export type Family = (size: number, name: string) => HostileInput;

function list(size: number, entry: (index: number) => string, separator = ' '): string {
  return Array.from({ length: size }, (_, index) => entry(index)).join(separator);
}

function chain(size: number, name: string, next: (index: number) => string, head = ''): HostileInput {
  const fragments = list(
    size,
    (index) => `fragment F${index} on Customer { ${index + 1 < size ? next(index + 1) : 'name email'} }`,
  );
  return { query: `query ${name}${head} { me { ...F0 } } ${fragments}` };
}

function nested(size: number, inner: string, around: (inner: string) => string): string {
  let text = inner;
  for (let level = 0; level < size && text.length < 1_000_000; level += 1) text = around(text);
  return text;
}

const booleans = (size: number): string => `(${list(size, (index) => `$v${index}: Boolean!`)})`;
const allTrue = (size: number): Record<string, boolean> =>
  Object.fromEntries(Array.from({ length: size }, (_, index) => [`v${index}`, true]));

/** For the example's schema. Each family grows without bound in one way that costs something. */
export const FAMILIES: Readonly<Record<string, Family>> = {
  'fragments that double': (size, name) =>
    chain(
      size,
      name,
      (next) => `a: accounts { holder { ...F${next} } } b: accounts { holder { ...F${next} } }`,
    ),
  'spreads that double': (size, name) => chain(size, name, (next) => `...F${next} ... { ...F${next} }`),
  'conditions that double': (size, name) => ({
    ...chain(
      size,
      name,
      (next) => `...F${next} @include(if: $a) ...F${next} @skip(if: $a)`,
      '($a: Boolean!)',
    ),
    variables: { a: true },
  }),
  'distinct conditions that double': (size, name) => ({
    ...chain(
      size,
      name,
      (next) => `...F${next} @include(if: $v${next}) ...F${next} @skip(if: $v${next})`,
      booleans(size),
    ),
    variables: allTrue(size),
  }),
  'conditions beside each other': (size, name) => ({
    query: `query ${name}${booleans(size)} { me { ${list(size, (i) => `accounts @include(if: $v${i}) { holder { name } payments { edges { cursor } } }`)} } }`,
    variables: allTrue(size),
  }),
  'conditions in each other': (size, name) => ({
    query: `query ${name}${booleans(size)} { me { ${list(size, (i) => nested(size, 'name', (inner) => `... @include(if: $v${(i * 7 + inner.length) % size}) { id ${inner} }`))} } }`,
    variables: allTrue(size),
  }),
  'aliases of a leaf': (size, name) => ({
    query: `query ${name} { me { ${list(size, (i) => `a${i}: name`)} } }`,
  }),
  'aliases at the root': (size, name) => ({
    query: `query ${name} { ${list(size, (i) => `a${i}: account(id: "${i}") { iban }`)} }`,
  }),
  'aliases across subgraphs': (size, name) => ({
    query: `query ${name} { me { ${list(size, (i) => `a${i}: payments(first: 1) { edges { node { account { holder { address { city } accounts { iban } } } } } }`)} } }`,
  }),
  'aliases in fragments': (size, name) => ({
    query: `query ${name} { me { ${list(size, () => 'accounts { holder { ...F } }')} } } fragment F on Customer { ${list(size, (i) => `a${i}: name`)} }`,
  }),
  'depth across subgraphs': (size, name) => ({
    query: `query ${name} { me { ${nested(size, 'name', (inner) => `accounts { payments { edges { node { account { holder { ${inner} } } } } } }`)} } }`,
  }),
  depth: (size, name) => ({
    query: `query ${name} { me { ${nested(size, 'name', (inner) => `accounts { holder { ${inner} } }`)} } }`,
  }),
  'inline fragments in each other': (size, name) => ({
    query: `query ${name} { me { ${nested(size, 'name', (inner) => `... { ${inner} }`)} } }`,
  }),
  variables: (size, name) => ({
    query: `query ${name}(${list(size, (i) => `$v${i}: Int`)}) { me { ${list(size, (i) => `a${i}: payments(first: $v${i}) { edges { cursor } }`)} } }`,
  }),
  'unused variables': (size, name) => ({
    query: `query ${name}(${list(size, (i) => `$v${i}: Int`)}) { me { id } }`,
  }),
  'directives at one place': (size, name) => ({
    query: `query ${name} { me { name ${list(size, () => '@skip(if: false)')} } }`,
  }),
  'directives everywhere': (size, name) => ({
    query: `query ${name} { me { ${list(size, (i) => `a${i}: name @skip(if: false) @include(if: true)`)} } }`,
  }),
  'a field again and again': (size, name) => ({
    query: `query ${name} { me { ${list(size, () => 'name')} } }`,
  }),
  'fields that double': (size, name) => ({
    query: `query ${name} { me { ${nested(Math.min(size, 16), 'name', (inner) => `accounts { holder { ${inner} } } accounts { holder { ${inner} } }`)} } }`,
  }),
  'fragments beside each other': (size, name) => ({
    query: `query ${name} { me { ${list(size, (i) => `...F${i}`)} } } ${list(size, (i) => `fragment F${i} on Customer { a${i}: name }`)}`,
  }),
  'unused fragments': (size, name) => ({
    query: `query ${name} { me { id } } ${list(size, (i) => `fragment F${i} on Customer { name }`)}`,
  }),
  'a circle of fragments': (size, name) => ({
    query: `query ${name} { me { ...F0 } } ${list(size, (i) => `fragment F${i} on Customer { accounts { holder { ...F${(i + 1) % size} } } }`)}`,
  }),
  'operations and a chain of fragments': (size, name) => ({
    query: `query ${name} { me { ...F0 } } ${list(size, (i) => `query Q${i} { me { ...F0 } }`)} ${list(size, (i) => `fragment F${i} on Customer { ${i + 1 < size ? `...F${i + 1}` : 'name'} }`)}`,
  }),
  'a nested list': (size, name) => ({
    query: `query ${name} { account(id: ${'['.repeat(size)}1${']'.repeat(size)}) { id } }`,
  }),
  'a nested object': (size, name) => ({
    query: `query ${name} { account(id: ${'{a:'.repeat(size)}1${'}'.repeat(size)}) { id } }`,
  }),
  'a long list': (size, name) => ({
    query: `query ${name} { account(id: [${list(size, () => '1')}]) { id } }`,
  }),
  'a nested type': (size, name) => ({
    query: `query ${name}($v: ${'['.repeat(size)}Int${']'.repeat(size)}) { me { id } }`,
  }),
  'nested variables': (size, name) => ({
    query: `query ${name}($v: ID!) { account(id: $v) { id } }`,
    variablesJson: `{"v":${'['.repeat(size)}${']'.repeat(size)}}`,
  }),
  'long variables': (size, name) => ({
    query: `query ${name}($v: ID!) { account(id: $v) { id } }`,
    variables: { v: Array.from({ length: size }, () => 1) },
  }),
  comments: (size, name) => ({ query: `query ${name} { me { id } }\n${'#\n'.repeat(size)}` }),
  'a long string': (size, name) => ({
    query: `query ${name} { account(id: "${'x'.repeat(size)}") { iban } }`,
  }),
  'a long block string': (size, name) => ({
    query: `query ${name} { account(id: """${'\n x'.repeat(size)}""") { iban } }`,
  }),
  'a long name': (size, name) => ({ query: `query ${name} { me { ${'x'.repeat(size)} } }` }),
  'unknown fields': (size, name) => ({ query: `query ${name} { me { ${list(size, (i) => `nam${i}`)} } }` }),
  'introspection, aliases': (size, name) => ({
    query: `query ${name} { __schema { types { fields { type { fields { ${list(size, (i) => `a${i}: name`)} } } } } } }`,
  }),
  'introspection, again': (size, name) => ({
    query: getIntrospectionQuery()
      .replace('IntrospectionQuery', name)
      .replace(
        '__schema',
        `${list(size, (i) => `s${i}: __schema { types { fields { args { type { name } } type { fields { name } } } } }`)} __schema`,
      ),
  }),
};
