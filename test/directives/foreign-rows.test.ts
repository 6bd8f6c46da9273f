import { buildProtectedSubgraph } from '@behalf/directives';
import fc from 'fast-check';
import { graphql } from 'graphql';
import { describe, expect, it, vi } from 'vitest';
import { answerText, LINKS, testedSubgraph } from './support.js';
import type { TestedSubgraph } from './support.js';

const SDL = `
  type Query {
    note: Note @authenticated
    needed: Note! @authenticated
    notes: [Note] @authenticated
    neededNotes: [Note!]! @authenticated
    nested: [[Note!]] @authenticated
    any: Any @authenticated
    all: [Any!] @authenticated
    named: [Named!] @authenticated
    folder: Folder @authenticated
  }
  type Mutation { write: Written @authenticated }
  type Written { note: Note @authenticated done: Boolean @authenticated }
  type Folder { first: Note @authenticated notes: [Note!] @authenticated count: Int @authenticated }
  interface Named { name: String }
  union Any = Note | Robot
  type Note implements Named @key(fields: "id") @subject(field: "owner") { id: ID! name: String more: Note }
  type Robot implements Named @authenticated { name: String }
`;
interface Note {
  readonly __typename: 'Note';
  readonly id: string;
  readonly name: string;
  readonly owner: string;
  readonly more?: unknown;
}
const of =
  (owner: string) =>
  (id: string): Note => ({ __typename: 'Note', id, name: `Name of ${id}`, owner });
const own = of('alma');
const foreign = of('noor');
const robot = { __typename: 'Robot', name: 'Rob' };

/** A subgraph whose every field and entity resolves to this. */
function returning(result: () => unknown, more: Parameters<typeof testedSubgraph>[1] = {}): TestedSubgraph {
  const query = ['note', 'needed', 'notes', 'neededNotes', 'nested', 'any', 'all', 'named', 'folder'];
  return testedSubgraph(SDL, {
    Query: Object.fromEntries(query.map((field) => [field, result])),
    Mutation: { write: () => ({ note: result(), done: true }) },
    Note: { __resolveReference: result },
    ...more,
  });
}

const alma = { subject: 'alma' };

describe('a foreign row looks missing', () => {
  const QUERIES = [
    '{ note { __typename id name } }',
    '{ needed { id } }',
    '{ a: note { id } b: note { name more { id } } }',
    '{ any { __typename ... on Note { id } } }',
    'mutation { write { note { id } done } }',
  ];
  const WAYS: Record<string, (row: unknown) => unknown> = {
    'at once': (row) => row,
    'by a promise': (row) => Promise.resolve(row),
    'by a promise of a promise': (row) =>
      new Promise((resolve) => setImmediate(() => resolve(Promise.resolve(row)))),
    'by something that only has a then': (row) => ({ then: (done: (row: unknown) => void) => done(row) }),
  };
  it.each(QUERIES.flatMap((query) => Object.keys(WAYS).map((way) => [query, way] as const)))(
    '%s, %s',
    async (query, way) => {
      const give = WAYS[way] ?? ((row) => row);
      const missing = await returning(() => give(null)).ask(query, alma);
      const denied = await returning(() => give(foreign('n1'))).ask(query, alma);
      expect(answerText(denied)).toBe(answerText(missing));
      expect(answerText(denied)).not.toContain('UNAUTHORIZED');
      expect(denied.facts?.fields).toContainEqual([
        expect.any(String),
        'denied',
        expect.any(Number),
        null,
        '@subject',
      ]);
      expect(missing.facts?.fields?.some(([, decision]) => decision === 'denied')).toBe(false);
    },
  );

  it('at a non-null position is the null error of graphql-js', async () => {
    const { data, errors } = await returning(() => foreign('n1')).ask('{ needed { id } }', alma);
    expect(data).toBeNull();
    expect(JSON.parse(JSON.stringify(errors))).toEqual([
      {
        message: 'Cannot return null for non-nullable field Query.needed.',
        path: ['needed'],
        locations: [{ line: 1, column: 3 }],
      },
    ]);
  });

  it('whatever its owner property holds: nothing, another type, or inherited', async () => {
    const rows = [
      { id: 'a' },
      { id: 'b', owner: null },
      { id: 'c', owner: ['alma'] },
      { id: 'd', owner: Promise.resolve('alma') },
      { id: 'e', owner: () => 'alma' },
      'alma',
      7,
    ];
    for (const row of rows)
      expect((await returning(() => row).ask('{ note { __typename } }', alma)).data).toEqual({ note: null });
  });

  it('for an anonymous caller, before any resolver runs', async () => {
    const resolver = vi.fn(() => own('n1'));
    const { data } = await returning(resolver).ask('{ note { id } }');
    expect(data).toEqual({ note: null });
    expect(resolver).not.toHaveBeenCalled();
  });
});

describe('lists', () => {
  const LISTS: Record<string, () => unknown> = {
    'an array': () => [foreign('f1'), own('n1'), foreign('f2'), own('n2')],
    'a set': () => new Set([own('n1'), foreign('f1'), own('n2')]),
    'a generator': function* () {
      yield own('n1');
      yield foreign('f1');
      yield own('n2');
    },
    'promises in an array': () => [Promise.resolve(foreign('f1')), Promise.resolve(own('n1')), own('n2')],
    'a promise of promises': () =>
      Promise.resolve([own('n1'), Promise.resolve(own('n2')), Promise.resolve(foreign('f1'))]),
  };
  it.each(Object.keys(LISTS))('omit foreign rows: %s', async (kind) => {
    const subgraph = returning(() => LISTS[kind]?.());
    for (const field of ['notes', 'neededNotes', 'all', 'named']) {
      const { data, errors } = await subgraph.ask(`{ ${field} { ... on Note { id } } }`, alma);
      expect(errors).toBeUndefined();
      expect(data?.[field]).toEqual([{ id: 'n1' }, { id: 'n2' }]);
    }
  });

  it('omit them at every depth, and keep lists that become empty', async () => {
    const subgraph = returning(() => [
      [foreign('f1')],
      Promise.resolve(new Set([foreign('f2'), own('n1')])),
      null,
    ]);
    const { data, errors } = await subgraph.ask('{ nested { id } }', alma);
    expect(errors).toBeUndefined();
    expect(data).toEqual({ nested: [[], [{ id: 'n1' }], null] });
  });

  it('keep nulls and errors at the positions they have without foreign rows', async () => {
    const failed = (): unknown[] => [new Error('one'), Promise.reject(new Error('two')), null, own('n1')];
    const without = await returning(failed).ask('{ notes { id } }', alma);
    const amid = await returning(() => [foreign('f1'), ...failed(), Promise.resolve(foreign('f2'))]).ask(
      '{ notes { id } }',
      alma,
    );
    expect(answerText(amid)).toBe(answerText(without));
    expect(without.data).toEqual({ notes: [null, null, null, { id: 'n1' }] });
    expect(without.errors?.map(({ path }) => path?.join('.'))).toEqual(['notes.0', 'notes.1']);
  });

  it('keep rejections that are not errors', async () => {
    const rejected = (): unknown => Promise.reject.call(Promise, 'no reason');
    const { data, errors } = await returning(() => [
      foreign('f1'),
      rejected(),
      Promise.resolve(own('n1')),
    ]).ask('{ notes { id } }', alma);
    expect(data).toEqual({ notes: [null, { id: 'n1' }] });
    expect(errors?.map(({ message }) => message)).toEqual(['Unexpected error value: "no reason"']);
  });

  it('return nothing of a list that fails partway', async () => {
    const failing = function* (): Iterable<unknown> {
      yield foreign('f1');
      // eslint-disable-next-line @typescript-eslint/only-throw-error -- resolvers throw what they like
      throw 'no reason';
    };
    for (const list of [failing(), Promise.resolve(failing())]) {
      const { data, errors } = await returning(() => [[own('n1')], list, Promise.resolve([own('n2')])]).ask(
        '{ nested { id } }',
        alma,
      );
      expect(JSON.stringify(data)).not.toContain('f1');
      expect(errors?.map(({ message }) => message)).toEqual(['Unexpected error value: "no reason"']);
    }
  });

  it('omit them where types resolve late or never', async () => {
    const rows = [foreign('f1'), own('n1'), robot];
    const ask = (resolveType: (row: { __typename: string }) => unknown): ReturnType<TestedSubgraph['ask']> =>
      returning(() => rows, { Any: { __resolveType: resolveType } }).ask('{ all { __typename } }', alma);
    const later = await ask(({ __typename }) => Promise.resolve(__typename));
    expect(later.errors).toBeUndefined();
    expect(later.data).toEqual({ all: [{ __typename: 'Note' }, { __typename: 'Robot' }] });
    // graphql-js refuses the same as without the library, and nothing of the row leaks.
    for (const fail of [() => Promise.reject(new Error('type')), () => undefined, () => 'Nothing']) {
      const { data, errors } = await ask(fail);
      expect(data).toEqual({ all: null });
      expect(JSON.stringify(errors)).not.toContain('f1');
    }
  });

  it('reveal nothing by a single row in place of a list', async () => {
    const missing = await returning(() => null).ask('{ notes { id } }', alma);
    const single = await returning(() => foreign('f1')).ask('{ notes { id } }', alma);
    expect(answerText(single)).toBe(answerText(missing));
  });

  it('answer as if foreign rows had never existed (property)', async () => {
    const entry = fc.oneof(
      { weight: 3, arbitrary: fc.constant('own') },
      { weight: 3, arbitrary: fc.constant('foreign') },
      fc.constantFrom('null', 'robot', 'error'),
    );
    const MAKE: Record<string, (index: number) => unknown> = {
      own: (index) => own(`n${index}`),
      foreign: (index) => foreign(`f${index}`),
      null: () => null,
      robot: () => robot,
      error: (index) => new Error(`error ${index}`),
    };
    const make = (kind: string, index: number): unknown => MAKE[kind]?.(index);
    await fc.assert(
      fc.asyncProperty(fc.array(fc.tuple(entry, fc.boolean()), { maxLength: 6 }), async (kinds) => {
        const rows = kinds.map(([kind, later], index) => ({
          kind,
          row: later ? Promise.resolve(make(kind, index)) : make(kind, index),
        }));
        const query = '{ all { __typename ... on Note { id } } named { name } }';
        const all = await returning(() => rows.map(({ row }) => row)).ask(query, alma);
        const without = await returning(() =>
          rows.filter(({ kind }) => kind !== 'foreign').map(({ row }) => row),
        ).ask(query, alma);
        expect(answerText(all)).toBe(answerText(without));
      }),
      { numRuns: 40 },
    );
  });
});

describe('references', () => {
  const REFERENCES = {
    of: ['n1', 'f1', 'n2', 'f2'].map((id) => ({ __typename: 'Note', id, owner: 'alma' })),
  };
  const QUERY =
    'query ($of: [_Any!]!) { _entities(representations: $of) { __typename ... on Note { id name } } }';
  const loaded = (id: string): unknown => (id.startsWith('f') ? foreign(id) : own(id));

  it.each([
    ['at once', (id: string) => loaded(id), (id: string) => (id.startsWith('f') ? null : own(id))],
    [
      'by a promise',
      (id: string) => Promise.resolve(loaded(id)),
      (id: string) => Promise.resolve(id.startsWith('f') ? null : own(id)),
    ],
  ])('keep positions, with null: %s', async (_, present, absent) => {
    const asked = (load: (id: string) => unknown): ReturnType<TestedSubgraph['ask']> =>
      returning(() => null, { Note: { __resolveReference: ({ id }: { id: string }) => load(id) } }).ask(
        QUERY,
        alma,
        REFERENCES,
      );
    const answer = await asked(present);
    expect(answer.data?._entities).toEqual([
      { __typename: 'Note', id: 'n1', name: 'Name of n1' },
      null,
      { __typename: 'Note', id: 'n2', name: 'Name of n2' },
      null,
    ]);
    expect(answerText(answer)).toBe(answerText(await asked(absent)));
    expect(answer.facts?.fields).toContainEqual(['Note.id', 'denied', 2, null, '@subject']);
  });

  const BY_INTERFACE = `
    type Query { ok: Boolean @public }
    interface Media @key(fields: "id") { id: ID! }
    type Film implements Media @key(fields: "id") @subject(field: "owner") { id: ID! title: String }
    type Book implements Media @key(fields: "id") @public { id: ID! }`;
  const media = (id: string): unknown => ({
    __typename: id.startsWith('b') ? 'Book' : 'Film',
    id,
    title: 'T',
    owner: id.startsWith('f') ? 'noor' : 'alma',
  });
  const byId = ({ id }: { id: string }): unknown => (id === 'none' ? null : media(id));

  it.each([
    ['the interface', { Media: { __resolveReference: byId } }],
    [
      'each type',
      {
        Media: { __resolveType: ({ id }: { id: string }) => (id.startsWith('b') ? 'Book' : 'Film') },
        Film: { __resolveReference: byId },
        Book: { __resolveReference: byId },
      },
    ],
  ])('work through an entity interface, resolved by %s', async (_, resolvers) => {
    const subgraph = testedSubgraph(BY_INTERFACE, { Film: { __resolveReference: byId }, ...resolvers });
    const query =
      'query ($of: [_Any!]!) { _entities(representations: $of) { __typename ... on Film { title } } }';
    // The sender of a reference does not determine the owner.
    const of = ['f1', 'm1', 'b1'].map((id) => ({ __typename: 'Media', id, owner: 'alma' }));
    const { data, errors } = await subgraph.ask(query, alma, { of });
    expect(errors).toBeUndefined();
    expect(data?._entities).toEqual([null, { __typename: 'Film', title: 'T' }, { __typename: 'Book' }]);
  });

  it('give nothing to a context kept longer than its token', async () => {
    const subgraph = testedSubgraph(
      'type Query { ok: Boolean @public } type Thing @key(fields: "id") @authenticated { id: ID! }',
      { Thing: { __resolveReference: ({ id }: { id: string }) => ({ id }) } },
    );
    const contextValue = await subgraph.context(alma);
    const ask = async (): Promise<unknown> => {
      const source = 'query ($of: [_Any!]!) { _entities(representations: $of) { ... on Thing { id } } }';
      const variableValues = { of: [{ __typename: 'Thing', id: '1' }] };
      return (await graphql({ schema: subgraph.schema, source, contextValue, variableValues })).data;
    };
    expect(await ask()).toEqual({ _entities: [{ id: '1' }] });
    subgraph.nowMs += 3_600_000;
    expect(await ask()).toEqual({ _entities: [null] });
  });

  it('need a function per owned type, or the reference would name its own owner', () => {
    const sdl =
      'type Query { ok: Boolean @public } type T @key(fields: "id") @subject(field: "owner") { id: ID! }';
    expect(() => testedSubgraph(sdl)).toThrow('T: an entity with @subject needs a __resolveReference');
    expect(() => testedSubgraph(sdl, { T: { __resolveReference: () => null } })).not.toThrow();
  });

  it('are recorded for a type that its rule denies as well', async () => {
    const subgraph = testedSubgraph(
      'type Query { ok: Boolean @public } type Secret @key(fields: "id") @requiresScope(scope: "s") { id: ID! }',
      { Secret: { __resolveReference: () => ({ id: '1' }) } },
    );
    const of = [{ __typename: 'Secret', id: '1' }];
    const query = 'query ($of: [_Any!]!) { _entities(representations: $of) { __typename } }';
    const { facts } = await subgraph.ask(query, alma, { of });
    expect(facts?.fields).toEqual([['Secret.id', 'denied', 1, null, '@requiresScopes(s)']]);
  });
});

describe('behind a foreign row', () => {
  it('no field is resolved, whatever type leads to it', async () => {
    const name = vi.fn(() => 'read');
    const subgraph = returning(() => [foreign('f1')], {
      Note: { name, __resolveReference: () => foreign('f1') },
    });
    const of = [{ __typename: 'Note', id: 'f1' }];
    await subgraph.ask(
      `query ($of: [_Any!]!) { notes { name } all { ... on Note { name } } named { name }
        _entities(representations: $of) { ... on Note { name } } }`,
      alma,
      { of },
    );
    expect(name).not.toHaveBeenCalled();
  });

  it('nothing is resolved under a server’s own type resolution', async () => {
    const name = vi.fn(() => 'read');
    const schema = returning(() => ({ id: 'f1', owner: 'noor' }), {
      Note: { name, __resolveReference: () => null },
    });
    const contextValue = await schema.context(alma);
    const result = await graphql({
      schema: schema.schema,
      source: '{ any { ... on Note { name } } }',
      contextValue,
      typeResolver: () => 'Note',
    });
    expect(result.data).toEqual({ any: { name: null } });
    expect(name).not.toHaveBeenCalled();
  });
});

describe('the team is warned', () => {
  const TEN = () =>
    Array.from({ length: 10 }, (_, index) => (index < 3 ? own(`n${index}`) : foreign(`f${index}`)));

  it('at most once a minute per coordinate, by count and never by subject', async () => {
    const subgraph = returning(TEN);
    await subgraph.ask('{ notes { id } }', alma);
    const first = {
      code: 'FOREIGN_ROWS',
      facts: { subgraph: 'tested', coordinate: 'Query.notes', count: 7 },
    };
    expect(subgraph.logged).toEqual([first]);
    subgraph.nowMs += 59_000;
    await subgraph.ask('{ notes { id } }', alma);
    await subgraph.ask('{ notes { id } }', alma);
    expect(subgraph.logged).toHaveLength(1);
    await subgraph.ask('{ all { __typename } }', alma);
    expect(subgraph.logged.map(({ facts }) => facts.coordinate)).toEqual(['Query.notes', 'Query.all']);
    subgraph.nowMs += 1_000;
    await subgraph.ask('{ notes { id } }', alma);
    expect(subgraph.logged.at(-1)?.facts).toEqual({ ...first.facts, count: 21 });
    expect(JSON.stringify(subgraph.logged)).not.toMatch(/alma|noor|"f\d/);
  });

  it('about references by their type', async () => {
    const subgraph = returning(() => foreign('f1'));
    const of = [{ __typename: 'Note', id: 'f1' }];
    await subgraph.ask('query ($of: [_Any!]!) { _entities(representations: $of) { __typename } }', alma, {
      of,
    });
    expect(subgraph.logged).toEqual([
      { code: 'FOREIGN_ROWS', facts: { subgraph: 'tested', coordinate: 'Note', count: 1 } },
    ]);
  });

  it('on stderr without a log; a log that throws changes nothing', async () => {
    const write = vi.spyOn(process.stderr, 'write').mockReturnValue(true);
    const ask = (log: (() => never) | undefined): ReturnType<TestedSubgraph['ask']> =>
      testedSubgraph(
        'type Query { note: Note @authenticated } type Note @subject(field: "owner") { id: ID }',
        { Query: { note: () => foreign('f1') } },
        { log },
      ).ask('{ note { id } }', alma);
    try {
      expect((await ask(undefined)).data).toEqual({ note: null });
      expect(write).toHaveBeenCalledOnce();
      expect(JSON.parse(String(write.mock.calls[0]?.[0]))).toMatchObject({
        level: 'warn',
        code: 'FOREIGN_ROWS',
        subgraph: 'tested',
        coordinate: 'Query.note',
        count: 1,
      });
    } finally {
      write.mockRestore();
    }
    const failing = await ask(() => {
      throw new Error('disk full');
    });
    expect(failing.data).toEqual({ note: null });
    expect(failing.errors).toBeUndefined();
  });

  it('neither about the caller’s own rows nor about missing ones', async () => {
    for (const row of [own('n1'), null]) {
      const subgraph = returning(() => row);
      await subgraph.ask('{ note { id } any { __typename } }', alma);
      expect(subgraph.logged).toEqual([]);
    }
  });
});

it('interface rules that implementers would not inherit stop the start', () => {
  const build = (interfaceSdl: string): unknown =>
    buildProtectedSubgraph({
      name: 'tested',
      typeDefs: `${LINKS} type Query { n: N @public } ${interfaceSdl} type T implements N @public { x: Int }`,
      resolvers: {},
      gateway: { issuer: 'https://gateway.example', jwksUri: 'https://gateway.example/jwks' },
    });
  expect(() => build('interface N { x: Int @authenticated }')).toThrow(
    'N.x: put this rule on the implementing types',
  );
  expect(() => build('interface N { x: Int @policy(policies: [["p"]]) }')).toThrow('N.x');
  expect(() => build('interface N @authenticated { x: Int }')).toThrow('N: put this rule');
  expect(() => build('interface N @public { x: Int @requiresScope(scope: "s") }')).not.toThrow();
});

describe('a row whose owner cannot be read', () => {
  /** As of an ORM that loads lazily. */
  const unreadable = (): Note =>
    Object.defineProperty({ ...own('2') }, 'owner', {
      get: () => {
        throw new Error('detached');
      },
    });
  const rows = () => [own('1'), unreadable(), foreign('3'), own('4')];
  const kept = (id: string) => ({ id });

  it.each<[string, () => unknown]>([
    ['a list', rows],
    ['a promise of a list', () => Promise.resolve(rows())],
    ['a list of promises', () => rows().map((row) => Promise.resolve(row))],
  ])('is an error at its place of %s, and loses no other', async (_what, result) => {
    const { data, errors } = await returning(result).ask('{ notes { id } }', alma);
    expect(data).toEqual({ notes: [kept('1'), null, kept('4')] });
    expect(errors?.map(({ path }) => path)).toEqual([['notes', 1]]);
  });

  it('is an error at its place among entities', async () => {
    const byId = new Map(rows().map((row) => [row.id, row]));
    const subgraph = returning(() => null, {
      Note: { __resolveReference: ({ id }: { id: string }) => byId.get(id) },
    });
    const { data, errors } = await subgraph.ask(
      'query ($of: [_Any!]!) { _entities(representations: $of) { ... on Note { id } } }',
      alma,
      { of: ['1', '2', '3', '4'].map((id) => ({ __typename: 'Note', id })) },
    );
    expect(data).toEqual({ _entities: [kept('1'), null, null, kept('4')] });
    expect(errors?.map(({ path }) => path)).toEqual([['_entities', 1]]);
  });

  it('is an error of its field alone', async () => {
    const { data, errors } = await returning(unreadable).ask('{ a: note { id } folder { count } }', alma);
    expect(data).toMatchObject({ a: null });
    expect(errors?.map(({ path }) => path)).toEqual([['a']]);
  });
});
