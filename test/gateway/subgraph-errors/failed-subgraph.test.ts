import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { LINKS } from '../../conformance/support.js';
import type { TestSubgraph } from '../support.js';
import { answers, cities as citiesPart, leadAlong, people as peoplePart, placed, serve } from './support.js';
import type { Setting } from './support.js';

let setting: Setting;
let people: TestSubgraph;
let cities: TestSubgraph;

beforeAll(async () => {
  // Keys that can be serialized, so that only what a test breaks is broken.
  const rows = ['a', 'b'].map((name, index) => ({ __typename: 'Person', taxNumber: index, name }));
  const works = { __typename: 'Company', vat: 'v', name: 'Works' };
  setting = await serve('server', [
    {
      ...peoplePart,
      resolvers: {
        Query: {
          person: () => rows[0],
          people: () => [rows[0], null, rows[1]],
          parties: () => [works, rows[0]],
          found: () => [works, rows[0], works],
        },
        Mutation: { rename: () => rows[0] },
      },
    },
    citiesPart,
  ]);
  [people, cities] = ['people', 'cities'].map((name) => {
    const subgraph = setting.subgraphs.get(name);
    if (subgraph === undefined) throw new Error(`no ${name}`);
    return subgraph;
  }) as [TestSubgraph, TestSubgraph];
});
afterAll(() => setting.close());
afterEach(() => {
  people.instead = undefined;
  cities.instead = undefined;
});

const DOWN = 'SUBREQUEST_HTTP_ERROR';

describe('a subgraph failure is reported at each place that it made null', () => {
  it.each<[string, string[]]>([
    ['{ person { name city } }', [`person.city ${DOWN}`]],
    ['{ person { name c: city city } }', [`person.c ${DOWN}`, `person.city ${DOWN}`]],
    ['{ people { name city } }', [`people.0.city ${DOWN}`, `people.2.city ${DOWN}`]],
    ['{ ps: people { ...F } } fragment F on Person { x: city }', [`ps.0.x ${DOWN}`, `ps.2.x ${DOWN}`]],
    ['{ person { name } weather }', [`weather ${DOWN}`]],
    ['{ w: weather person { city } }', [`w ${DOWN}`, `person.city ${DOWN}`]],
    [
      '{ parties { name ... on Person { city } ... on Company { c: city } } }',
      [`parties.0.c ${DOWN}`, `parties.1.city ${DOWN}`],
    ],
    ['{ found { ... on Company { name city } } }', [`found.0.city ${DOWN}`, `found.2.city ${DOWN}`]],
    // A null that propagated upward, where its type is unknown.
    ['{ found { ... on Company { name seat } } }', [`found.0 ${DOWN}`, `found.2 ${DOWN}`]],
    ['mutation { rename(name: "x") { name city } }', [`rename.city ${DOWN}`]],
    // The client's response key is the name of a denied key.
    ['{ person { taxNumber: city } }', [`person.taxNumber ${DOWN}`]],
    // Denied fields have their denial; fields of other subgraphs have nothing.
    [
      '{ person { secret city taxNumber } }',
      [
        `person.city ${DOWN}`,
        'person.secret UNAUTHORIZED_FIELD_OR_TYPE',
        'person.taxNumber UNAUTHORIZED_FIELD_OR_TYPE',
      ],
    ],
    ['{ person { secret name } }', ['person.secret UNAUTHORIZED_FIELD_OR_TYPE']],
  ])('%s', async (query, expected) => {
    cities.instead = answers({ message: 'distinctive' }, 500);
    const answer = await setting.ask(query);
    expect(placed(answer).sort()).toEqual([...expected].sort());
    expect(leadAlong(answer)).toBe(true);
    expect(answer.text).not.toMatch(/distinctive|@|_entities/);
    for (const { message, extensions } of answer.body.errors ?? []) {
      if (extensions?.code !== DOWN) continue;
      expect(message).toBe('Subgraph "cities" did not answer');
      expect(extensions).toEqual({ code: DOWN, service: 'cities' });
    }
  });

  it.each<[string, (subgraph: TestSubgraph) => void, string]>([
    ['HTTP 503', (each) => (each.instead = answers({}, 503)), DOWN],
    ['a connection that breaks', (each) => (each.instead = ({ socket }) => socket.destroy()), DOWN],
    [
      'half a JSON',
      (each) =>
        (each.instead = (_, response) =>
          response.setHeader('content-type', 'application/json').end('{"data":')),
      'SUBREQUEST_MALFORMED_RESPONSE',
    ],
    [
      'HTML',
      (each) => (each.instead = (_, response) => response.setHeader('content-type', 'text/html').end('<p>')),
      'SUBREQUEST_MALFORMED_RESPONSE',
    ],
    [
      'errors without a path',
      (each) => (each.instead = answers({ errors: [{ message: 'x' }] })),
      'DOWNSTREAM_SERVICE_ERROR',
    ],
    [
      'null and an error at its root',
      (each) => (each.instead = answers({ data: null, errors: [{ message: 'x', path: [] }] })),
      'DOWNSTREAM_SERVICE_ERROR',
    ],
  ])('whatever the failure: %s', async (_name, fails, code) => {
    fails(cities);
    expect(placed(await setting.ask('{ people { name city } }'))).toEqual([
      `people.0.city ${code}`,
      `people.2.city ${code}`,
    ]);
    cities.instead = undefined;
    fails(people);
    expect(placed(await setting.ask('{ p: person { name city } broken }')).sort()).toEqual([
      `broken ${code}`,
      `p ${code}`,
    ]);
  });

  it.each([
    ['too few', { _entities: [{ city: 'distinctive' }] }],
    ['too many', { _entities: [1, 2, 3].map(() => ({ city: 'distinctive' })) }],
    ['no list', { _entities: { city: 'distinctive' } }],
    ['nothing of the kind', { city: 'distinctive' }],
  ])('also for other entities than requested: %s', async (_name, data) => {
    cities.instead = answers({ data });
    const answer = await setting.ask('{ people { name city } }');
    expect(placed(answer)).toEqual([
      'people.0.city SUBREQUEST_MALFORMED_RESPONSE',
      'people.2.city SUBREQUEST_MALFORMED_RESPONSE',
    ]);
    expect(answer.text).not.toContain('distinctive');
  });

  it('like denials, at a bounded number of places per selection', async () => {
    people.instead = answers({
      data: { people: Array.from({ length: 100 }, (_, taxNumber) => ({ __typename: 'Person', taxNumber })) },
    });
    cities.instead = answers({}, 500);
    const { body } = await setting.ask('{ people { city street } }');
    expect(body.errors).toHaveLength(41);
    expect(body.errors?.filter(({ path }) => path?.[2] === 'city')).toHaveLength(20);
    expect(body.errors?.at(-1)).toEqual({
      message: 'Subgraph "cities" did not answer',
      extensions: { code: DOWN, service: 'cities', omittedPaths: 160 },
    });
  });
});

it('at the non-null root field that removed all data', async () => {
  const own = await serve('server', [
    { name: 'one', sdl: `${LINKS} type Query { needed: Int! other: String }`, resolvers: {} },
    { name: 'two', sdl: `${LINKS} type Query { more: String }`, resolvers: {} },
  ]);
  try {
    const one = own.subgraphs.get('one');
    if (one === undefined) throw new Error('no one');
    one.instead = answers({}, 500);
    const answer = await own.ask('{ needed more }');
    expect(answer.body.data).toBeNull();
    expect(placed(answer)).toEqual([`needed ${DOWN}`]);
  } finally {
    await own.close();
  }
});

it('where nothing is selected of the next fetch', async () => {
  // The first entity fetch only gets the key for the second.
  const key = (fields: string, resolves: object = {}) => ({
    sdl: `${LINKS} ${fields}`,
    resolvers: {
      Item: { __resolveReference: (each: object) => ({ ...each, a: 'a', b: 'b', c: 'c' }), ...resolves },
    },
  });
  const own = await serve('server', [
    {
      name: 'start',
      sdl: `${LINKS} type Query { item: Item } type Item @key(fields: "a") { a: ID }`,
      resolvers: { Query: { item: () => ({ a: 'a' }) } },
    },
    {
      name: 'middle',
      ...key('type Item @key(fields: "a") @key(fields: "b") { a: ID b: ID @requiresScope(scope: "b") }'),
    },
    { name: 'end', ...key('type Item @key(fields: "b") { b: ID @requiresScope(scope: "b") c: String }') },
  ]);
  try {
    expect((await own.ask('{ item { c } }')).body).toEqual({ data: { item: { c: 'c' } } });
    const middle = own.subgraphs.get('middle');
    if (middle === undefined) throw new Error('no middle');
    middle.instead = answers({}, 500);
    const answer = await own.ask('{ item { c } }');
    expect(answer.body.data).toEqual({ item: { c: null } });
    expect(placed(answer)).toEqual([`item ${DOWN}`]);
  } finally {
    await own.close();
  }
});

it('but not at a null list that its nulls do not reach', async () => {
  const own = await serve('server', [
    {
      name: 'one',
      sdl: `${LINKS} type Query { grid: [[Item!]] } type Item @key(fields: "id") { id: ID! }`,
      resolvers: { Query: { grid: () => [[{ id: '1' }], null] } },
    },
    {
      name: 'two',
      sdl: `${LINKS} type Item @key(fields: "id") { id: ID! late: Int needed: Int! }`,
      resolvers: {},
    },
  ]);
  try {
    const two = own.subgraphs.get('two');
    if (two === undefined) throw new Error('no two');
    two.instead = answers({}, 500);
    const answer = await own.ask('{ grid { id late } }');
    expect(answer.body.data).toEqual({ grid: [[{ id: '1', late: null }], null] });
    expect(placed(answer)).toEqual([`grid.0.0.late ${DOWN}`]);
    // Which of the lists was null before is unknown.
    expect(placed(await own.ask('{ grid { id needed } }'))).toEqual([`grid.0 ${DOWN}`, `grid.1 ${DOWN}`]);
  } finally {
    await own.close();
  }
});
