import { buildProtectedSubgraph, finishProtectedRequest, protectedContext } from '@behalf/directives';
import { buildSubgraphSchema } from '@apollo/subgraph';
import { graphql, parse } from 'graphql';
import { exportJWK, generateKeyPair, SignJWT } from 'jose';
import { beforeAll, describe, expect, it, vi } from 'vitest';
import { testedSubgraph } from './support.js';
import type { Asked } from './support.js';

const typeDefs = /* GraphQL */ `
  extend schema
    @link(url: "https://specs.apollo.dev/federation/v2.9", import: ["@key", "@requiresScopes"])
    @link(
      url: "https://specs.behalf.dev/behalf/v0.1"
      import: ["@requiresScope", "@minimize", "@public", "@subject"]
    )
  type Query {
    people: [Person]
    later: [Person]
    uncovered: String
  }
  type Person @key(fields: "id") @subject(field: "id") {
    id: ID!
    phone: String
      @requiresScope(scope: "phone")
      @minimize(to: MASK, showLength: true, unless: [["phone:full"]])
  }
`;
const rows = [{ id: 'alma', phone: '123' }, { id: 'bo', phone: '456' }, null, new Error('not found')];
const resolvers = {
  Query: {
    people: () => rows,
    later: async () => rows,
    uncovered: () => 'open',
  },
  Person: {
    __resolveReference: ({ id }: { id: string }) =>
      rows.find((row) => row instanceof Object && 'id' in row && row.id === id),
  },
};
const query = `query ($r: [_Any!]!) {
  people { id phone } later { phone } uncovered
  _entities(representations: $r) { ... on Person { id phone } }
}`;
const variableValues = { r: [{ __typename: 'Person', id: 'bo' }] };
let token: string;
let schema: ReturnType<typeof buildProtectedSubgraph>;
const warned = vi.spyOn(process, 'emitWarning').mockImplementation(() => undefined);

beforeAll(async () => {
  const { privateKey, publicKey } = await generateKeyPair('EdDSA', { extractable: true });
  const key = { ...(await exportJWK(publicKey)), kid: 'k', alg: 'EdDSA' };
  schema = buildProtectedSubgraph({
    name: 'people',
    typeDefs,
    resolvers,
    gateway: { issuer: 'https://gateway.example', keys: [key] },
    enforcement: 'shadow',
  });
  token = await new SignJWT({
    scope: 'phone',
    txn: 't',
    tctx: {},
    rctx: { client_id: 'app' },
    req_wl: 'gateway',
  })
    .setProtectedHeader({ alg: 'EdDSA', kid: 'k', typ: 'txntoken+jwt' })
    .setIssuer('https://gateway.example')
    .setAudience('people')
    .setSubject('alma')
    .setIssuedAt()
    .setExpirationTime('15s')
    .sign(privateKey);
});

describe('a subgraph in shadow mode', () => {
  it('answers as without the library: for anonymous callers, with foreign rows', async () => {
    // An unprotected subgraph would have to define the directives itself.
    const plain = buildSubgraphSchema([
      {
        typeDefs: parse(
          typeDefs
            .replaceAll(/@(requiresScope|minimize|subject)\([^)]*\)( |$)/gm, '')
            .replace(/@link\(\s*url: "https:\/\/specs\.behalf[^)]*\)/, ''),
        ),
        resolvers,
      },
    ]);
    const expected = JSON.stringify(await graphql({ schema: plain, source: query, variableValues }));
    expect(expected).toContain('456');
    for (const headers of [{}, { 'txn-token': token }, { 'txn-token': 'a.b.c' }]) {
      const contextValue = await protectedContext(schema, headers);
      const result = await graphql({ schema, source: query, contextValue, variableValues });
      expect(JSON.stringify(result)).toBe(expected);
    }
  });

  it('records what would have been denied or minimized', async () => {
    const contextValue = await protectedContext(schema, { 'txn-token': token });
    await graphql({ schema, source: query, contextValue, variableValues });
    const facts = finishProtectedRequest(schema, contextValue)?.fields?.map(
      ([coordinate, decision, count, strategy, rule]) =>
        [coordinate, decision, count, strategy ?? rule].join(' '),
    );
    expect(facts?.sort()).toEqual([
      'Person.id allowed 1 @authenticated',
      'Person.id would-deny 2 @subject',
      'Person.phone would-deny 3 @subject',
      'Person.phone would-minimize 2 MASK',
      'Query.later allowed 1 @authenticated',
      'Query.later would-deny 1 @subject',
      'Query.people allowed 1 @authenticated',
      'Query.people would-deny 1 @subject',
      'Query.uncovered would-deny 1 no rule',
    ]);
  });

  it('warns when it is built', () => {
    expect(warned).toHaveBeenCalledWith(expect.stringContaining('"people" is in shadow'), {
      code: 'BEHALF_SHADOW',
    });
  });
});

describe('in shadow, what would become of a field is counted', () => {
  const SDL = `
    type Query { note: Note @authenticated notes: [Note!]! @authenticated secret: Note @requiresScope(scope: "s") plain: Plain @public }
    type Plain @public { id: ID }
    type Note @subject(field: "owner") {
      id: ID!
      phone: String @minimize(to: MASK, showLength: true, unless: [["phone:full"]])
    }`;
  const foreign = { id: 'f', owner: 'noor', phone: '123' };
  const own = { id: 'o', owner: 'alma', phone: '123' };

  async function ask(query: string, row: unknown, scope = ''): Promise<Asked> {
    const resolve = (): unknown => (isResolver(row) ? row() : row);
    const resolvers = { Query: { note: resolve, notes: resolve, secret: resolve, plain: resolve } };
    return testedSubgraph(SDL, resolvers, { enforcement: 'shadow' }).ask(query, { scope });
  }

  function isResolver(row: unknown): row is () => unknown {
    return typeof row === 'function';
  }

  const counted = ({ facts }: Asked): string[] =>
    (facts?.fields ?? []).map(([coordinate, decision, count]) => `${coordinate} ${decision} ${count}`);

  it.each([
    ['one row', '{ note { __typename } }', foreign, 'Query.note would-deny 1'],
    ['a promise of one', '{ note { __typename } }', Promise.resolve(foreign), 'Query.note would-deny 1'],
    ['a list', '{ notes { __typename } }', [foreign, own, foreign], 'Query.notes would-deny 2'],
    [
      'promises in a list',
      '{ notes { __typename } }',
      [Promise.resolve(foreign)],
      'Query.notes would-deny 1',
    ],
  ])('of foreign rows: %s', async (_, query, row, expected) => {
    expect(counted(await ask(query, row))).toContain(expected);
  });

  it.each([
    ['no row', '{ note { __typename } }', null],
    ['an error', '{ note { __typename } }', new Error('not found')],
    ['what is no row', '{ note { __typename } }', 'text'],
    ['rows of nobody', '{ plain { __typename } }', { id: 'p' }],
    ['a row of their own', '{ note { __typename } }', own],
  ])('and not of %s', async (_, query, row) => {
    expect(counted(await ask(query, row)).filter((fact) => fact.includes('would-deny'))).toEqual([]);
  });

  it('and a list that can be read once only reaches graphql-js unread', async () => {
    const rows = (function* () {
      yield foreign;
    })();
    const answer = await ask('{ notes { id } }', rows);
    expect(answer.data).toEqual({ notes: [{ id: 'f' }] });
    expect(counted(answer)).toEqual(['Query.notes allowed 1', 'Note.id would-deny 1']);
  });

  it('and a promise that is rejected is the error that it would be', async () => {
    const answer = await ask('{ note { id } }', () => Promise.reject(new Error('lost')));
    expect(answer.errors?.map(({ message }) => message)).toEqual(['lost']);
  });

  it('and references are resolved as they would be', async () => {
    const subgraph = testedSubgraph(
      'type Query { ok: Boolean @public } type Thing @key(fields: "id") @requiresScope(scope: "s") { id: ID! }',
      { Thing: { __resolveReference: () => ({ id: 'loaded' }) } },
      { enforcement: 'shadow' },
    );
    const { data } = await subgraph.ask(
      'query ($of: [_Any!]!) { _entities(representations: $of) { ... on Thing { id } } }',
      undefined,
      { of: [{ __typename: 'Thing', id: '1' }] },
    );
    expect(data).toEqual({ _entities: [{ id: 'loaded' }] });
  });

  it('by the first rule that would have decided', async () => {
    expect(counted(await ask('{ secret { id phone } }', own))).toEqual([
      'Query.secret would-deny 1',
      'Note.id allowed 1',
      'Note.phone would-minimize 1',
    ]);
    expect(counted(await ask('{ secret { phone } }', own, 's phone:full'))).toEqual([
      'Query.secret allowed 1',
      'Note.phone allowed 1',
    ]);
  });
});
