import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { LINKS } from '../../conformance/support.js';
import { leadAlong, placed, serve } from '../subgraph-errors/support.js';
import type { Setting } from '../subgraph-errors/support.js';
import type { Answer, TestSubgraph } from '../support.js';
import { send } from './answers.js';

// GraphQL sections 6.4.3 and 7.1: a value that its field cannot have, and a null that it must not have, are errors at its position.

const MALFORMED = 'SUBREQUEST_MALFORMED_RESPONSE';
const SECRET = 'SECRET';

describe.each(['server', 'protectGateway'] as const)('inside of data (%s)', (serving) => {
  let setting: Setting;
  let one: TestSubgraph;
  let two: TestSubgraph;

  beforeAll(async () => {
    setting = await serve(serving, [
      {
        name: 'one',
        sdl: `${LINKS}
          type Query {
            a: String n: Int f: Float b: Boolean i: ID is: [ID] e: Level l: [String] ll: [[Int!]] any: Any
            needed: Int! all: [Int!]! t: T ts: [T!] party: Party me: Person people: [Person] kin: Person!
          }
          enum Level { LOW HIGH }
          scalar Any
          type T { x: String! y: String inner: T }
          interface Party { name: String }
          type Firm implements Party { name: String vat: String! }
          type Club implements Party { name: String members: Int }
          type Person @key(fields: "id") { id: ID birthday: String }`,
        resolvers: {},
      },
      {
        name: 'two',
        sdl: `${LINKS}
          type Query { c: String }
          type Person @key(fields: "id") { id: ID city: String pets: [Pet] home: Home must: Int! }
          type Pet { n: String } type Home { zip: String }`,
        resolvers: { Query: { c: () => 'c' } },
      },
    ]);
    one = setting.subgraphs.get('one') as TestSubgraph;
    two = setting.subgraphs.get('two') as TestSubgraph;
  });
  afterAll(() => setting.close());
  beforeEach(() => {
    one.instead = undefined;
    two.instead = undefined;
    setting.log.entries.length = 0;
  });

  function expectSafe(answer: Answer, subgraph: string): void {
    expect(answer.status).toBe(200);
    expect(leadAlong(answer)).toBe(true);
    expect(answer.text + setting.log.text).not.toContain(SECRET);
    expect(setting.log.of('INTERNAL_SERVER_ERROR')).toEqual([]);
    for (const line of setting.log.of('SUBGRAPH_ERROR'))
      expect(line).toMatchObject({ subgraph, code: MALFORMED });
    expect(setting.log.of('SUBGRAPH_ERROR').length).toBeGreaterThan(0);
  }

  it.each<[string, unknown, unknown, readonly string[]]>([
    // Of the wrong kind.
    ['l', { l: SECRET }, { l: null }, ['l']],
    ['l', { l: {} }, { l: null }, ['l']],
    ['l', { l: [SECRET.length] }, { l: [null] }, ['l.0']],
    ['l', { l: ['x', [SECRET], 'y'] }, { l: ['x', null, 'y'] }, ['l.1']],
    ['ll', { ll: [[1], SECRET, [2, null]] }, { ll: [[1], null, null] }, ['ll.1', 'll.2.1']],
    ['n', { n: SECRET }, { n: null }, ['n']],
    ['n', { n: 1.5 }, { n: null }, ['n']],
    ['n', { n: true }, { n: null }, ['n']],
    // Beyond 32 bits (GraphQL section 3.5.1).
    ['n', { n: 2_147_483_648 }, { n: null }, ['n']],
    ['n', { n: -2_147_483_649 }, { n: null }, ['n']],
    ['n', { n: Number.MAX_SAFE_INTEGER }, { n: null }, ['n']],
    ['ll', { ll: [[1, 3e9], [2]] }, { ll: [null, [2]] }, ['ll.0.1']],
    [
      'party { ... on Club { members } }',
      { party: { __typename: 'Club', members: 3e9 } },
      { party: { members: null } },
      ['party.members'],
    ],
    ['f', { f: '1' }, { f: null }, ['f']],
    ['b', { b: 1 }, { b: null }, ['b']],
    ['i', { i: 1.5 }, { i: null }, ['i']],
    ['i', { i: true }, { i: null }, ['i']],
    ['i', { i: [5] }, { i: null }, ['i']],
    ['e', { e: SECRET }, { e: null }, ['e']],
    ['e', { e: ['LOW'] }, { e: null }, ['e']],
    ['a', { a: { s: SECRET } }, { a: null }, ['a']],
    ['a', { a: [SECRET] }, { a: null }, ['a']],
    ['me { birthday }', { me: SECRET }, { me: null }, ['me']],
    ['me { birthday }', { me: [{ birthday: SECRET }] }, { me: null }, ['me']],
    ['me { birthday }', { me: false }, { me: null }, ['me']],
    ['people { birthday }', { people: { birthday: SECRET } }, { people: null }, ['people']],
    [
      'people { birthday }',
      { people: [{ birthday: 'x' }, SECRET, null] },
      { people: [{ birthday: 'x' }, null, null] },
      ['people.1'],
    ],
    ['t { inner { y } }', { t: { inner: { y: {} } } }, { t: { inner: { y: null } } }, ['t.inner.y']],
    // Of the wrong type, or of none.
    ['party { name }', { party: { __typename: 'T', name: SECRET } }, { party: null }, ['party']],
    ['party { name }', { party: { __typename: 5, name: SECRET } }, { party: null }, ['party']],
    ['party { name }', { party: { __typename: SECRET, name: 'x' } }, { party: null }, ['party']],
    ['party { name }', { party: { name: SECRET } }, { party: null }, ['party']],
    ['me { __typename birthday }', { me: { __typename: 'T', birthday: SECRET } }, { me: null }, ['me']],
    // Missing.
    ['a', {}, { a: null }, ['a']],
    ['x: a y: a', { x: 'x' }, { x: 'x', y: null }, ['y']],
    ['l', {}, { l: null }, ['l']],
    ['t { y }', { t: {} }, { t: { y: null } }, ['t.y']],
    ['a @include(if: true)', {}, { a: null }, ['a']],
    [
      'party { name ... on Club { members } }',
      { party: { __typename: 'Club', name: 'x' } },
      { party: { name: 'x', members: null } },
      ['party.members'],
    ],
    // Null, where the schema has none.
    ['t { x }', { t: { x: null } }, { t: null }, ['t.x']],
    ['t { y x }', { t: { y: 'y' } }, { t: null }, ['t.x']],
    ['t { inner { x } }', { t: { inner: { x: SECRET.length } } }, { t: { inner: null } }, ['t.inner.x']],
    ['ts { x }', { ts: [{ x: 'x' }, null] }, { ts: null }, ['ts.1']],
    [
      'party { ... on Firm { vat } }',
      { party: { __typename: 'Firm', vat: null } },
      { party: null },
      // Which type it had cannot be said of a null.
      ['party'],
    ],
  ])('{ %s c } with %j', async (selection, data, expected, paths) => {
    one.instead = send(200, JSON.stringify({ data }));
    const answer = await setting.ask(`{ ${selection} c }`);
    expect(answer.body.data).toEqual({ ...(expected as object), c: 'c' });
    expect(placed(answer)).toEqual(paths.map((path) => `${path} ${MALFORMED}`));
    expectSafe(answer, 'one');
  });

  it.each<[string, unknown, readonly string[]]>([
    ['needed', {}, ['needed']],
    ['needed', { needed: null }, ['needed']],
    ['needed', { needed: SECRET }, ['needed']],
    ['all', { all: [1, null] }, ['all.1']],
    ['all', { all: {} }, ['all']],
    ['kin { birthday }', { kin: SECRET }, ['kin']],
  ])('{ %s c } with %j has no data, and an error', async (selection, data, paths) => {
    one.instead = send(200, JSON.stringify({ data }));
    const answer = await setting.ask(`{ ${selection} c }`);
    expect(answer.body.data).toBeNull();
    expect(placed(answer)).toEqual(paths.map((path) => `${path} ${MALFORMED}`));
    expectSafe(answer, 'one');
  });

  it.each<[string, unknown, unknown, readonly string[]]>([
    ['city', 'x', { city: null }, ['city']],
    ['city home { zip }', 5, { city: null, home: null }, ['city', 'home']],
    ['city', [], { city: null }, ['city']],
    ['city', {}, { city: null }, ['city']],
    ['city', { city: [SECRET] }, { city: null }, ['city']],
    ['pets { n }', { pets: SECRET }, { pets: null }, ['pets']],
    ['pets { n }', { pets: { n: SECRET } }, { pets: null }, ['pets']],
    ['pets { n }', { pets: [{ n: 'Rex' }, {}] }, { pets: [{ n: 'Rex' }, { n: null }] }, ['pets.1.n']],
    ['city home { zip }', { city: 'Graz' }, { city: 'Graz', home: null }, ['home']],
  ])('{ me { %s } a } with the entity %j', async (selection, entity, expected, paths) => {
    one.instead = send(200, '{"data":{"a":"a","me":{"__typename":"Person","id":"1","birthday":"b"}}}');
    two.instead = send(200, JSON.stringify({ data: { _entities: [entity] } }));
    const answer = await setting.ask(`{ me { birthday ${selection} } a }`);
    expect(answer.body.data).toEqual({ me: { birthday: 'b', ...(expected as object) }, a: 'a' });
    expect(placed(answer).sort()).toEqual(paths.map((path) => `me.${path} ${MALFORMED}`));
    expectSafe(answer, 'two');
  });

  it('of several entities, each error is at its own', async () => {
    const person = (id: string): object => ({ __typename: 'Person', id });
    one.instead = send(
      200,
      JSON.stringify({ data: { people: [person('1'), null, person('2'), person('3')] } }),
    );
    two.instead = send(200, `{"data":{"_entities":[{"city":"Graz"},"${SECRET}",{}]}}`);
    const answer = await setting.ask('{ people { city } }');
    expect(answer.body.data).toEqual({ people: [{ city: 'Graz' }, null, { city: null }, { city: null }] });
    expect(placed(answer)).toEqual([`people.2.city ${MALFORMED}`, `people.3.city ${MALFORMED}`]);
    expectSafe(answer, 'two');
  });

  it('an entity that was not found is null without an error, unless a field of it must not be', async () => {
    one.instead = send(200, '{"data":{"me":{"__typename":"Person","id":"1"}}}');
    two.instead = send(200, '{"data":{"_entities":[null]}}');
    expect((await setting.ask('{ me { id city } }')).body).toEqual({ data: { me: { id: '1', city: null } } });
    const answer = await setting.ask('{ me { id must } }');
    expect(answer.body.data).toEqual({ me: null });
    expect(placed(answer)).toEqual([`me.must ${MALFORMED}`]);
  });

  it.each<[string, string, unknown, unknown]>([
    ['a null that the schema permits', 'a l t { y }', { a: null, l: [null], t: null }, undefined],
    ['any JSON for a scalar of its own', 'any', { any: { a: [1, {}] } }, undefined],
    ['an Int of 32 bits', 'n', { n: 2_147_483_647 }, undefined],
    ['an Int of 32 bits, below zero', 'n', { n: -2_147_483_648 }, undefined],
    ['a Float beyond 32 bits', 'f', { f: 3e9 }, undefined],
    ['a number beyond 32 bits for a scalar of its own', 'any', { any: 3e9 }, undefined],
    [
      'an object type without its name',
      '... on Query { me { birthday } }',
      { me: { birthday: 'b' } },
      undefined,
    ],
    ['a field that is skipped', 'a n @skip(if: true) f @include(if: false)', { a: 'x' }, { a: 'x' }],
    [
      'a fragment that does not apply',
      'party { name ... on Firm { vat } }',
      { party: { __typename: 'Club', name: 'x' } },
      { party: { name: 'x' } },
    ],
  ])('is used as it is: %s', async (_what, selection, data, expected) => {
    one.instead = send(200, JSON.stringify({ data }));
    const answer = await setting.ask(`{ ${selection} }`);
    expect(answer.body).toEqual({ data: expected ?? data });
    expect(setting.log.of('SUBGRAPH_ERROR')).toEqual([]);
  });

  it.each<[string, unknown, unknown]>([
    ['i', { i: 5 }, { i: '5' }],
    ['i', { i: -1 }, { i: '-1' }],
    ['i', { i: 1e3 }, { i: '1000' }],
    ['is', { is: [1, '2', null] }, { is: ['1', '2', null] }],
    ['x: i', { x: 0 }, { x: '0' }],
    ['me { id birthday }', { me: { id: 7, birthday: 'b' } }, { me: { id: '7', birthday: 'b' } }],
    ['people { id }', { people: [{ id: 7 }, { id: 'x' }] }, { people: [{ id: '7' }, { id: 'x' }] }],
    ['any', { any: { id: 7 } }, { any: { id: 7 } }],
  ])('a number for an ID arrives as text: { %s } with %j', async (selection, data, expected) => {
    one.instead = send(200, JSON.stringify({ data }));
    expect((await setting.ask(`{ ${selection} }`)).body).toEqual({ data: expected });
    expect(setting.log.of('SUBGRAPH_ERROR')).toEqual([]);
  });

  it.each<[string, unknown, unknown, readonly string[]]>([
    [
      'me { birthday city }',
      { me: { __typename: 'Person', birthday: 'x' } },
      { me: { birthday: 'x', city: null } },
      ['me.city'],
    ],
    [
      'me { birthday town: city home { zip } }',
      { me: { __typename: 'Person', birthday: null, id: { a: 1 } } },
      { me: { birthday: null, town: null, home: null } },
      ['me.town', 'me.home'],
    ],
    [
      'people { birthday city }',
      { people: [{ __typename: 'Person', birthday: 'x' }] },
      { people: [{ birthday: 'x', city: null }] },
      ['people.0.city'],
    ],
    // Nothing depends on the key.
    ['me { id birthday }', { me: { birthday: 'x' } }, { me: { id: null, birthday: 'x' } }, ['me.id']],
  ])(
    '{ %s c } without the key, in %j, has errors where the joined fields are',
    async (selection, data, expected, paths) => {
      one.instead = send(200, JSON.stringify({ data }));
      const answer = await setting.ask(`{ ${selection} c }`);
      expect(answer.body.data).toEqual({ ...(expected as object), c: 'c' });
      expect(placed(answer)).toEqual(paths.map((path) => `${path} ${MALFORMED}`));
      expectSafe(answer, 'one');
    },
  );

  it.each([5, true, 1.5, null, {}, [], 'Person', 'Mutation', 'Zzz'])(
    'the root is what it is, whatever __typename says: %j',
    async (typename) => {
      one.instead = send(200, JSON.stringify({ data: { __typename: typename, a: 'x' } }));
      const query = '{ ... on Query @include(if: true) { __typename a } c }';
      expect((await setting.ask(query)).body).toEqual({ data: { __typename: 'Query', a: 'x', c: 'c' } });
      const other = 'query ($i: Boolean = true) { ... on Query @include(if: $i) { __typename a } c }';
      expect((await setting.ask(other)).body).toEqual({ data: { __typename: 'Query', a: 'x', c: 'c' } });
    },
  );

  it.each([5, { a: 1 }, [], 'Zzz', 'Club', null])(
    'an object has one type, whatever an alias of __typename says: %j',
    async (typename) => {
      one.instead = send(
        200,
        JSON.stringify({ data: { party: { __typename: 'Firm', tn: typename, name: 'n', id: '1' } } }),
      );
      const query = `query ($s: Boolean = false) { party { ...F name } c }
        fragment F on Firm { ...G } fragment G on Party { name tn: __typename @skip(if: $s) }`;
      expect((await setting.ask(query)).body).toEqual({ data: { party: { tn: 'Firm', name: 'n' }, c: 'c' } });
      const plain = '{ party { tn: __typename name } c }';
      const { data } = (await setting.ask(plain)).body;
      expect([{ tn: 'Firm', name: 'n' }, null]).toContainEqual(data?.party);
      expect(data?.c).toBe('c');
    },
  );

  it.each([
    ['an object', {}],
    ['a value of the wrong type', { city: 5 }],
  ])(
    'an error of %s is where its field is null, if it cannot be told which entity it was',
    async (_what, entity) => {
      const people = [
        { __typename: 'Person', birthday: 'x' },
        { __typename: 'Person', id: '2', birthday: 'y' },
      ];
      one.instead = send(200, JSON.stringify({ data: { people } }));
      two.instead = send(200, JSON.stringify({ data: { _entities: [entity] } }));
      const answer = await setting.ask('{ people { birthday city } }');
      expect(answer.body.data).toEqual({
        people: [
          { birthday: 'x', city: null },
          { birthday: 'y', city: null },
        ],
      });
      // The first one has two reasons.
      expect([...new Set(placed(answer))]).toEqual([
        `people.0.city ${MALFORMED}`,
        `people.1.city ${MALFORMED}`,
      ]);
    },
  );

  it.each([
    ['lists', '['.repeat(5_000) + ']'.repeat(5_000)],
    ['objects', '{"a":'.repeat(20_000) + '5' + '}'.repeat(20_000)],
    ['lists of objects', '[{"a":'.repeat(3_000) + '1.5e400' + '}]'.repeat(3_000)],
  ])('a custom scalar of too many levels of %s is an error at its position', async (_what, value) => {
    one.instead = send(200, `{"data":{"any":${value}}}`);
    const answer = await setting.ask('{ any c }');
    expect(answer.body.data).toEqual({ any: null, c: 'c' });
    expect(answer.body.errors).toMatchObject([{ path: ['any'] }]);
    expect(answer.status).toBe(200);
  });

  it('a custom scalar may have a hundred levels', async () => {
    const value = '['.repeat(100) + ']'.repeat(100);
    one.instead = send(200, `{"data":{"any":${value}}}`);
    expect((await setting.ask('{ any c }')).body).toEqual({
      data: { any: JSON.parse(value) as unknown, c: 'c' },
    });
  });

  it('a key that is a number joins subgraphs as text', async () => {
    one.instead = send(200, '{"data":{"me":{"__typename":"Person","id":7}}}');
    two.instead = send(200, '{"data":{"_entities":[{"city":"Graz"}]}}');
    two.requests.length = 0;
    expect((await setting.ask('{ me { id city } }')).body.data).toEqual({ me: { id: '7', city: 'Graz' } });
    expect(two.requests[0]?.variables).toEqual({ representations: [{ __typename: 'Person', id: '7' }] });
  });

  it('a variable decides what is expected', async () => {
    one.instead = send(200, '{"data":{"t":{"__typename":"T"}}}');
    const query = 'query ($y: Boolean = true) { t { __typename y @include(if: $y) } }';
    const ask = (variables: Record<string, unknown>): Promise<Answer> =>
      setting.ask(query, undefined, { variables });
    expect(placed(await ask({ y: true }))).toEqual([`t.y ${MALFORMED}`]);
    expect(placed(await ask({}))).toEqual([`t.y ${MALFORMED}`]);
    expect((await ask({ y: false })).body).toEqual({ data: { t: { __typename: 'T' } } });
  });

  it('a member that was not requested never replaces another subgraph’s', async () => {
    one.instead = send(200, '{"data":{"l":["x"],"me":{"__typename":"Person","id":"1","birthday":"b"}}}');
    two.instead = send(
      200,
      `{"data":{"_entities":[{"city":"Graz","birthday":"${SECRET}","id":"2","__proto__":{"a":1}}],"l":"${SECRET}"}}`,
    );
    const query = '{ l me { id birthday city } }';
    expect((await setting.ask(query)).body).toEqual({
      data: { l: ['x'], me: { id: '1', birthday: 'b', city: 'Graz' } },
    });
    two.instead = send(200, `{"data":{"c":"c","l":"${SECRET}","me":5}}`);
    expect((await setting.ask('{ l c }')).body).toEqual({ data: { l: ['x'], c: 'c' } });
  });

  it('an error of the subgraph explains what is missing at, above and below it', async () => {
    const errors = (...paths: readonly unknown[][]): object[] =>
      paths.map((path) => ({ message: SECRET, path, extensions: { code: 'OWN' } }));
    one.instead = send(
      200,
      JSON.stringify({
        data: { t: { y: 'y' }, l: [5], n: SECRET },
        errors: errors(['t', 'x'], ['l'], ['a']),
      }),
    );
    const answer = await setting.ask('{ t { x y } l n a c }');
    expect(answer.body.data).toEqual({ t: null, l: [null], n: null, a: null, c: 'c' });
    expect(placed(answer).sort()).toEqual(['a OWN', 'l OWN', `n ${MALFORMED}`, 't.x OWN']);
    one.instead = send(200, JSON.stringify({ data: {}, errors: [{ message: SECRET }] }));
    expect(placed(await setting.ask('{ a n }')).sort()).toEqual([
      'a DOWNSTREAM_SERVICE_ERROR',
      'n DOWNSTREAM_SERVICE_ERROR',
    ]);
  });

  it('a great many errors are bounded, and the time grows with the data', async () => {
    const rows = Array.from({ length: 100_000 }, () => ({}));
    one.instead = send(200, JSON.stringify({ data: { people: rows } }));
    const answer = await setting.ask('{ people { birthday } c }');
    expect((answer.body.data as { people: unknown[] }).people).toHaveLength(100_000);
    expect(answer.body.errors?.length).toBeLessThanOrEqual(1_001);
    expect(setting.log.of('SUBGRAPH_ERROR').length).toBeLessThanOrEqual(21);
  });
});

it('shadow leaves the answer as it is without Behalf', async () => {
  const setting = await serve(
    'server',
    [{ name: 'one', sdl: `${LINKS} type Query { a: String b: String }`, resolvers: {} }],
    { authorization: { mode: 'shadow' } },
  );
  const subgraph = setting.subgraphs.get('one') as TestSubgraph;
  subgraph.instead = send(200, '{"data":{"a":"x"}}');
  expect((await setting.ask('{ a b }')).body).toEqual({ data: { a: 'x', b: null } });
  await setting.close();
});
