import { RuleTable } from '@behalf/directives/internal';
import { parse } from 'graphql';
import { describe, expect, it } from 'vitest';
import { JoinMetadata } from '../../../gateway/supergraph/join.js';
import { PossibleTypes } from '../../../gateway/supergraph/possible-types.js';
import { Resolvers } from '../../../gateway/supergraph/resolvers.js';
import { composedElsewhere } from './composed-elsewhere.js';

function read(types: string): { readonly resolvers: Resolvers; readonly possible: PossibleTypes } {
  const document = parse(composedElsewhere(`type Query { a: Int } ${types}`));
  const rules = new RuleTable(document, { coverage: 'open' });
  const possible = new PossibleTypes(rules);
  return { resolvers: new Resolvers(new JoinMetadata(document), rules, possible), possible };
}

const BOTH = '@join__type(graph: ONE, key: "id") @join__type(graph: TWO, key: "id")';
const ONE = '@join__field(graph: ONE)';
const TWO = '@join__field(graph: TWO)';
const EXTERNAL = '@join__field(graph: TWO, external: true)';

function ofField(types: string, coordinate: string = 'T.f'): string[] {
  const [type = '', field = ''] = coordinate.split('.');
  return [...read(types).resolvers.ofField(type, field)].sort();
}

const ofType = (types: string): Readonly<Record<string, readonly string[]>> =>
  Object.fromEntries(read(types).resolvers.ofType('T'));

describe('the types that a value can be of', () => {
  const { possible } = read(`
    interface I { id: ID! }
    interface J implements I { id: ID! }
    type A implements I & J { id: ID! }
    type B implements I { id: ID! }
    union U = A | B`);

  it.each([
    ['A', ['A']],
    ['I', ['A', 'B']],
    ['J', ['A']],
    ['U', ['A', 'B']],
    ['Int', []],
    ['Gone', []],
  ])('%s', (name, types) => {
    expect(possible.of(name)).toEqual(types);
  });
});

describe('the subgraphs that resolve a field', () => {
  it.each<[string, string, readonly string[]]>([
    [
      'all that have the type, where composition says nothing',
      `type T ${BOTH} { id: ID! f: Int }`,
      ['one', 'two'],
    ],
    ['the one that has the type', 'type T @join__type(graph: ONE, key: "id") { id: ID! f: Int }', ['one']],
    ['the one that has the field', `type T ${BOTH} { id: ID! f: Int ${TWO} }`, ['two']],
    ['every subgraph, for a type without any', 'type T { id: ID! f: Int }', ['one', 'two']],
    ['one that has the field and not the type', `type T @join__type(graph: ONE) { f: Int ${TWO} }`, ['two']],
    ['not the one where it is external', `type T ${BOTH} { id: ID! f: Int ${ONE} ${EXTERNAL} }`, ['one']],
    [
      'not the one where it is overridden',
      `type T ${BOTH} { id: ID! f: Int @join__field(graph: ONE, usedOverridden: true) ${TWO} }`,
      ['two'],
    ],
    ['nobody, for a field that is not there', `type T ${BOTH} { id: ID! }`, []],
    ['nobody, for a type that is not there', '', []],
  ])('%s', (_name, types, expected) => {
    expect(ofField(types)).toEqual(expected);
  });

  it('are those of an interface object too, and not those of the interface', () => {
    const types = (joins: string): string => `
      interface I @join__type(graph: ONE, key: "id") @join__type(graph: TWO, key: "id" ${joins}) { id: ID! f: Int ${TWO} g: Int }
      type T implements I & Gone @join__type(graph: ONE, key: "id") { id: ID! f: Int @join__field g: Int @join__field }`;
    expect(ofField(types(', isInterfaceObject: true'))).toEqual(['two']);
    expect(ofField(types(', isInterfaceObject: true'), 'T.g')).toEqual(['two']);
    expect(ofField(types(''))).toEqual([]);
  });

  it('are those of an extension that has it in a key', () => {
    const types = (join: string): string =>
      `type T @join__type(graph: ONE, key: "f") @join__type(graph: TWO${join}) { f: Int ${ONE} ${EXTERNAL} }`;
    expect(ofField(types(', key: "f", extension: true'))).toEqual(['one', 'two']);
    expect(ofField(types(', key: "f"'))).toEqual(['one']);
    expect(ofField(types(', extension: true'))).toEqual(['one']);
  });

  it.each([
    ['provides it', 'o: T @join__field(graph: TWO, provides: "f")', ['one', 'two']],
    ['provides another field', 'o: T @join__field(graph: TWO, provides: "id")', ['one']],
    ['provides it on a list', 'o: [T!]! @join__field(graph: TWO, provides: "f")', ['one', 'two']],
    ['provides it further down', 'o: Other @join__field(graph: TWO, provides: "t { f }")', ['one', 'two']],
    ['provides it on an interface', 'o: I @join__field(graph: TWO, provides: "f")', ['one', 'two']],
    [
      'provides it in a fragment',
      'o: I @join__field(graph: TWO, provides: "... on T { f }")',
      ['one', 'two'],
    ],
    ['provides it nowhere in particular', 'o: T @join__field(provides: "f")', ['one']],
  ])('are those where a field %s', (_name, field, expected) => {
    const types = `
      interface I ${BOTH} { id: ID! f: Int }
      type T implements I ${BOTH} { id: ID! f: Int ${ONE} ${EXTERNAL} }
      type Other ${BOTH} { t: T }
      type Away ${BOTH} { ${field} }`;
    expect(ofField(types)).toEqual(expected);
  });
});

describe('the subgraphs that a field is taken from', () => {
  const from = (joins: string): string[] => [
    ...read(`type T ${BOTH} { id: ID! f: Int ${joins} }`).resolvers.overriddenOf('T', 'f'),
  ];

  it.each([
    ['none', ONE, []],
    ['one that is overridden', '@join__field(graph: TWO, override: "one")', ['one']],
    ['one that is still used', `@join__field(graph: ONE, usedOverridden: true) ${TWO}`, ['one']],
    ['none, when it is not there any more', '@join__field(graph: TWO, override: "legacy")', []],
  ])('%s', (_name, joins, expected) => {
    expect(from(joins)).toEqual(expected);
  });

  it('none, for what is not there', () => {
    const { resolvers } = read(`type T ${BOTH} { id: ID! }`);
    expect([...resolvers.overriddenOf('T', 'gone'), ...resolvers.overriddenOf('Gone', 'id')]).toEqual([]);
  });
});

describe('the subgraphs that make rows of a type, each with the fields that show it', () => {
  it.each<[string, string, Readonly<Record<string, readonly string[]>>]>([
    ['not one that only refers to them', `type T ${BOTH} { id: ID! f: Int ${ONE} }`, { one: ['f'] }],
    [
      'two that have fields beside the key',
      `type T ${BOTH} { id: ID! f: Int ${ONE} g: Int ${TWO} }`,
      { one: ['f'], two: ['g'] },
    ],
    ['none, where all have only the key', `type T ${BOTH} { id: ID! }`, {}],
    [
      'each, where they have no key in common',
      `type T @join__type(graph: ONE, key: "f") @join__type(graph: TWO, key: "g") { f: Int ${ONE} g: Int ${TWO} }`,
      { one: ['f'], two: ['g'] },
    ],
    [
      'one with a key that no other joins by',
      `type T ${BOTH} @join__type(graph: TWO, key: "f") { id: ID! f: Int ${TWO} g: Int ${ONE} }`,
      { one: ['g'], two: ['f'] },
    ],
    [
      'not by a key of another that makes rows of it',
      `type T ${BOTH} @join__type(graph: TWO, key: "f") { id: ID! f: Int ${TWO} g: Int ${TWO} h: Int ${ONE} }`,
      { one: ['h'], two: ['g'] },
    ],
    [
      'not one with both keys of another',
      `type T ${BOTH} @join__type(graph: ONE, key: "f") @join__type(graph: TWO, key: "f") { id: ID! f: Int g: Int ${ONE} }`,
      { one: ['g'] },
    ],
    [
      'each, where there is no key',
      'type T @join__type(graph: ONE) @join__type(graph: TWO) { id: ID! }',
      { one: ['id'], two: ['id'] },
    ],
    ['none, for a type that is not there', '', {}],
  ])('%s', (_name, types, expected) => {
    expect(ofType(types)).toEqual(expected);
  });

  const nested = (key: string, unit: string): string => `
    type T @join__type(graph: ONE, key: "${key}") @join__type(graph: TWO, key: "${key}") { org: Org f: Int ${ONE} }
    type Org @join__type(graph: ONE) @join__type(graph: TWO) { id: ID! unit: Unit ${ONE} ${unit} }
    type Unit @join__type(graph: ONE) @join__type(graph: TWO) { id: ID! name: String ${ONE} }`;

  it.each<[string, string, string, readonly string[] | undefined]>([
    ['the key alone', 'org { id }', '', undefined],
    ['a field beside the key', 'org { id }', TWO, ['org']],
    ['the key further down', 'org { id unit { id } }', TWO, undefined],
    ['an object of which the key selects nothing', 'org', '', ['org']],
  ])('below a key: %s', (_name, key, unit, expected) => {
    expect(ofType(nested(key, unit)).two).toEqual(expected);
  });

  it('one that resolves more than the key selects two objects down', () => {
    const types = nested('org { id unit { id } }', TWO).replace(`name: String ${ONE}`, 'name: String');
    expect(ofType(types).two).toEqual(['org']);
  });
});

describe('a field that a subgraph is given', () => {
  const REQUIRES = '@join__field(graph: TWO, requires: "owner { id }")';
  const isGiven = (joins: string, more = ''): boolean =>
    read(`type T ${more} ${BOTH} { id: ID! owner: T ${ONE} f: Int ${joins} }`).resolvers.isGivenFor(
      'T',
      'two',
      'owner',
      'f',
    );

  it.each([
    [true, 'it is required', REQUIRES],
    [true, 'it is required, whatever another subgraph does', `${ONE} ${REQUIRES}`],
    [false, 'another field is required', '@join__field(graph: TWO, requires: "id")'],
    [false, 'it is required below another field', '@join__field(graph: TWO, requires: "other { owner }")'],
    [false, 'nothing is required', TWO],
    [false, 'another subgraph requires it', `@join__field(graph: ONE, requires: "owner { id }") ${TWO}`],
    [false, 'composition says nothing', ''],
    [false, 'it is required for one of two', `${REQUIRES} ${TWO}`],
  ])('%s, when %s', (expected, _name, joins) => {
    expect(isGiven(joins)).toBe(expected);
  });

  it('is not given when an interface object resolves the same without it', () => {
    const party = (
      join: string,
    ): string => `type T implements I ${BOTH} { id: ID! owner: ID ${ONE} f: Int ${REQUIRES} }
      interface I @join__type(graph: TWO, key: "id", isInterfaceObject: true) { id: ID! f: Int ${join} }`;
    expect(read(party(REQUIRES)).resolvers.isGivenFor('T', 'two', 'owner', 'f')).toBe(true);
    expect(read(party(TWO)).resolvers.isGivenFor('T', 'two', 'owner', 'f')).toBe(false);
  });
});

it('the keys of a type are those of one subgraph, on its interfaces too', () => {
  const { resolvers } = read(`
    interface I @join__type(graph: TWO, key: "code", isInterfaceObject: true) { code: ID! }
    type T implements I @join__type(graph: ONE, key: "id") @join__type(graph: ONE, key: "a b { c }") @join__type(graph: TWO) { id: ID! }`);
  expect([...resolvers.keysOf('T', 'one')]).toEqual(['id', 'a', 'b']);
  expect([...resolvers.keysOf('T', 'two')]).toEqual(['code']);
});
