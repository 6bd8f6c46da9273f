import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { federate, LINKS } from './support.js';
import type { Federation } from './support.js';

// @apollo/gateway keeps the keys by which it joins subgraphs in the response, beside the client's selections and possibly under
// the same response keys. Found by test/properties/federation.test.ts.

let federation: Federation;
let fails = false;

beforeAll(async () => {
  federation = await federate([
    {
      name: 'one',
      sdl: `${LINKS}
        type Query { user: User users: [User] }
        type User @key(fields: "id org { code }") { id: ID! @requiresScope(scope: "id") org: Org @requiresScope(scope: "id") }
        type Org @shareable { code: String @requiresScope(scope: "id") }`,
      resolvers: {
        Query: {
          user: () => ({ id: 'secret-1', org: { code: 'secret-2' } }),
          users: () => [{ id: 'secret-3', org: null }],
        },
      },
    },
    {
      name: 'two',
      sdl: `${LINKS}
        type User @key(fields: "id org { code }") {
          id: ID! @requiresScope(scope: "id")
          org: Org @requiresScope(scope: "id")
          city: String
          name: String @requiresScope(scope: "name")
          broken: String
          friend: User
        }
        type Org @shareable { code: String @requiresScope(scope: "id") }`,
      resolvers: {
        User: {
          __resolveReference: (reference: object) => {
            if (fails) throw new Error('down');
            return { ...reference, friend: reference };
          },
          city: () => 'Graz',
          name: () => 'Alma',
          broken: () => {
            throw new Error('broken');
          },
        },
      },
    },
  ]);
});
afterAll(() => federation.close());

describe('a response key with the name of a denied @key', () => {
  it.each([
    ['{ user { id: city } }', { user: { id: 'Graz' } }, { user: { id: null } }],
    ['{ user { org: city } }', { user: { org: 'Graz' } }, { user: { org: null } }],
    ['{ users { id: city } }', { users: [{ id: 'Graz' }] }, { users: [{ id: null }] }],
    ['{ user { id: friend { id: city } } }', { user: { id: { id: 'Graz' } } }, { user: { id: null } }],
    ['{ user { ...F } } fragment F on User { id: city }', { user: { id: 'Graz' } }, { user: { id: null } }],
    [
      '{ user { id: name org: city } }',
      { user: { id: null, org: 'Graz' } },
      { user: { id: null, org: null } },
    ],
    ['{ user { __typename: city } }', { user: { __typename: 'Graz' } }, { user: { __typename: null } }],
    [
      '{ user { __behalf_key_id: city id: city } }',
      { user: { __behalf_key_id: 'Graz', id: 'Graz' } },
      { user: { __behalf_key_id: null, id: null } },
    ],
  ])('has the selection, never the key, even with the subgraph down: %s', async (query, up, down) => {
    for (fails of [false, true]) {
      const { body, text } = await federation.ask(query, { scopes: '' });
      expect(body.data).toEqual(fails ? down : up);
      expect(text).not.toContain('secret');
    }
  });

  it('is the key that errors name', async () => {
    fails = false;
    const { body } = await federation.ask('{ user { id: broken } }', { scopes: '' });
    expect(body.data).toEqual({ user: { id: null } });
    expect(body.errors?.map(({ path }) => path)).toEqual([['user', 'id']]);
  });
});
