import { parse } from 'graphql';
import { describe, expect, it } from 'vitest';
import { JoinMetadata } from '../../../gateway/supergraph/join.js';

const LINKED = 'schema @link(url: "https://specs.apollo.dev/join/v0.5") { query: Query }';
const GRAPHS =
  'enum join__Graph { ONE @join__graph(name: "one", url: "") TWO @other @join__graph(name: "two", url: "") }';

const read = (types: string, head = `${LINKED} ${GRAPHS}`): JoinMetadata =>
  new JoinMetadata(parse(`${head} ${types}`));
const fieldJoin = (args: string) => read(`type T { f: Int ${args} }`).types.get('T')?.fields.get('f');

describe('the subgraphs of a supergraph', () => {
  it('go by the names that its enumeration gives them', () => {
    const join = read('enum Other { ONE @other(name: "three") THREE @join__graph(name: 3) }');
    expect([...join.graphNames]).toEqual([
      ['ONE', 'one'],
      ['TWO', 'two'],
    ]);
    expect(join.graphs).toEqual(['one', 'two']);
  });

  it('are found when the schema gives the join directives another prefix', () => {
    const join = read(
      'type T @j__type(graph: ONE) @join__type(graph: TWO) { f: Int @j__field(graph: ONE) }',
      `schema @link(url: "https://specs.apollo.dev/join/v0.5", as: "j") { query: Query }
       enum j__Graph { ONE @j__graph(name: "one", url: "") }`,
    );
    expect(join.graphs).toEqual(['one']);
    expect(join.types.get('T')?.joins.map(({ graph }) => graph)).toEqual(['one']);
    expect(join.types.get('T')?.fields.get('f')).toMatchObject([{ graph: 'one' }]);
  });

  it('are not read from a schema that was not composed', () => {
    const join = read('type T @join__type(graph: ONE) { f: Int }', `schema { query: Query } ${GRAPHS}`);
    expect(join.graphs).toEqual([]);
    expect(join.types).toEqual(new Map());
  });
});

describe('the types of a supergraph', () => {
  it('are its objects and interfaces, each with its interfaces', () => {
    const { types } = read(
      'interface I { f: Int } type T implements I { f: Int } input In { f: Int } enum E { A } scalar S union U = T',
    );
    expect(
      [...types.values()].map(({ name, isInterface, interfaces }) => ({ name, isInterface, interfaces })),
    ).toEqual([
      { name: 'I', isInterface: true, interfaces: [] },
      { name: 'T', isInterface: false, interfaces: ['I'] },
    ]);
    expect(types.get('T')?.joins).toEqual([]);
    expect([...(types.get('T')?.fields ?? [])]).toEqual([['f', []]]);
  });

  it('tell by which keys each subgraph has them', () => {
    const { types } = read(`
      type T @key @join__type(graph: ONE) @join__type(graph: TWO, key: "id", extension: true) { id: ID! }
      interface I @join__type(graph: TWO, key: "id", isInterfaceObject: true, resolvable: false) { id: ID! }
      type U @join__type(graph: GONE, key: 1) @join__type { id: ID! }`);
    const plain = { key: undefined, isExtension: false, isInterfaceObject: false };
    expect(types.get('T')?.joins).toEqual([
      { ...plain, graph: 'one' },
      { ...plain, graph: 'two', key: 'id', isExtension: true },
    ]);
    expect(types.get('I')?.joins).toEqual([{ ...plain, graph: 'two', key: 'id', isInterfaceObject: true }]);
    expect(types.get('U')?.joins).toEqual([
      { ...plain, graph: 'GONE' },
      { ...plain, graph: '' },
    ]);
  });
});

describe('what a subgraph has of a field', () => {
  const none = {
    graph: undefined,
    isExternal: false,
    isOverridden: false,
    overrides: undefined,
    requires: undefined,
    provides: undefined,
    contextArguments: [],
  };

  it('is each application in its order', () => {
    expect(
      fieldJoin(
        '@other(graph: TWO) @join__field(graph: ONE, external: true) @join__field(graph: TWO, requires: "a", provides: "b")',
      ),
    ).toEqual([
      { ...none, graph: 'one', isExternal: true },
      { ...none, graph: 'two', requires: 'a', provides: 'b' },
    ]);
    expect(fieldJoin('@join__field')).toEqual([none]);
    expect(fieldJoin('')).toEqual([]);
  });

  it('is overridden only for all requests', () => {
    expect(fieldJoin('@join__field(graph: ONE, usedOverridden: true)')).toMatchObject([
      { isOverridden: true },
    ]);
    expect(
      fieldJoin('@join__field(graph: ONE, usedOverridden: true, overrideLabel: "percent(1)")'),
    ).toMatchObject([{ isOverridden: false }]);
    expect(fieldJoin('@join__field(graph: TWO, override: "one")')).toMatchObject([
      { isOverridden: false, overrides: 'one' },
    ]);
  });

  it('keeps a context argument that it cannot read, so that it does not go unnoticed', () => {
    const given =
      '[{ context: "two__up", name: "a", selection: "{ id }" }, {}, null, "text", { context: 1, selection: 2 }]';
    const unreadable = { context: '', selection: '' };
    expect(fieldJoin(`@join__field(contextArguments: ${given})`)).toMatchObject([
      {
        contextArguments: [
          { context: 'two__up', selection: '{ id }' },
          unreadable,
          unreadable,
          unreadable,
          unreadable,
        ],
      },
    ]);
    expect(fieldJoin('@join__field(contextArguments: "none")')).toEqual([none]);
  });
});
