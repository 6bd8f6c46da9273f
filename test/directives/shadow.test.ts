import { buildProtectedSubgraph, finishProtectedRequest, protectedContext } from '@behalf/directives';
import { buildSubgraphSchema } from '@apollo/subgraph';
import { graphql, parse } from 'graphql';
import { exportJWK, generateKeyPair, SignJWT } from 'jose';
import { beforeAll, describe, expect, it, vi } from 'vitest';

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
    phone: String @requiresScope(scope: "phone") @minimize(to: MASK, unless: [["phone:full"]])
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
    const facts = finishProtectedRequest(schema, contextValue)?.fields.map(
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
