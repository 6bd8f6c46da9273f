import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { composeSupergraph } from '../../gateway/compose/compose.js';
import { createOperationAuthorizer } from '../../gateway/authorize/index.js';
import { RuleTable } from '@behalf/directives/internal';
import { Kind, parse } from 'graphql';
import { denials, federate, LINKS } from './support.js';
import type { Federation } from './support.js';

let federation: Federation;
let closers: (() => Promise<void>)[] = [];
const start = async (...args: Parameters<typeof federate>): Promise<Federation> => {
  federation = await federate(...args);
  closers.push(() => federation.close());
  return federation;
};
afterAll(async () => {
  for (const close of closers) await close();
  closers = [];
});

describe('CVE-2025-64347: renamed directives', () => {
  it.each([
    [
      'renamed',
      'import: ["@key", { name: "@requiresScopes", as: "@needs" }, { name: "@authenticated", as: "@in" }]',
      '@needs',
      '@in',
    ],
    [
      'prefixed by the namespace',
      'import: ["@key"]',
      '@federation__requiresScopes',
      '@federation__authenticated',
    ],
    ['of a renamed namespace', 'as: "fed", import: ["@key"]', '@fed__requiresScopes', '@fed__authenticated'],
  ])('are enforced: %s', async (_how, link, scopes, signedIn) => {
    const { ask, reached } = await start([
      {
        name: 'one',
        sdl: `extend schema @link(url: "https://specs.apollo.dev/federation/v2.9", ${link})
          type Query { open: String a: String ${scopes}(scopes: [["a"]]) b: String ${signedIn} }`,
        resolvers: { Query: { open: () => 'open', a: () => 'a', b: () => 'b' } },
      },
    ]);
    const nobody = await ask('{ open a b }');
    expect(nobody.body.data).toEqual({ open: 'open', a: null, b: null });
    expect(reached()).toEqual(['Query.open']);
    expect((await ask('{ open a b }', { scopes: 'a' })).body.data).toEqual({ open: 'open', a: 'a', b: 'b' });
  });
});

const PARTIES = `${LINKS}
  type Query { party(kind: String): Party parties: [Party] anything: [Thing] deep: Box }
  type Box { party: Party }
  interface Party { id: ID name: String }
  type Person implements Party { id: ID name: String @requiresScope(scope: "person") ssn: String @requiresScope(scope: "ssn") }
  type Firm implements Party { id: ID name: String vat: String }
  type Vault @requiresScope(scope: "vault") { code: String }
  union Thing = Person | Firm | Vault`;
const person = { __typename: 'Person', id: 'p', name: 'Alma', ssn: '1' };
const firm = { __typename: 'Firm', id: 'f', name: 'Acme', vat: '2' };
const partyResolvers = {
  Query: {
    party: (_: unknown, { kind }: { kind?: string }) => (kind === 'firm' ? firm : person),
    parties: () => [person, firm],
    anything: () => [person, firm, { __typename: 'Vault', code: 'c' }],
    deep: () => ({ party: person }),
  },
};
const parties = { name: 'parties', sdl: PARTIES, resolvers: partyResolvers };

describe('CVE-2025-64530: rules on interfaces, bypassed by fragments', () => {
  beforeAll(() => start([parties]));

  it.each([
    '{ party { id name } }',
    '{ party { id ... on Person { name } } }',
    '{ party { id ... on Party { name } } }',
    '{ party { id ... { ... on Person { ... on Party { name } } } } }',
    '{ party { id ...A } } fragment A on Party { ...B } fragment B on Person { name }',
    '{ party { id ...A } } fragment A on Party { ... on Person { ...C } } fragment C on Party { name }',
    '{ deep { party { id ...A } } } fragment A on Party { name }',
  ])('are met on every path to the field: %s', async (query) => {
    const { body } = await federation.ask(query, { scopes: 'other' });
    expect(JSON.stringify(body.data)).not.toContain('Alma');
    expect(JSON.stringify(body.data)).toContain('"id":"p"');
    expect(federation.reached().filter((each) => each.endsWith('.name'))).toEqual([]);
    const granted = await federation.ask(query, { scopes: 'person' });
    expect(JSON.stringify(granted.body.data)).toContain('Alma');
    federation.reached();
  });
});

describe('CVE-2025-64173: an interface field that only some implementers protect', () => {
  beforeAll(() => start([parties]));

  it('requires the rules of all implementers that could answer', async () => {
    const answer = await federation.ask('{ parties { __typename id name } }', { scopes: '' });
    expect(answer.body.data).toEqual({
      parties: [
        { __typename: 'Person', id: 'p', name: null },
        { __typename: 'Firm', id: 'f', name: null },
      ],
    });
    expect(denials(answer)).toEqual(['parties.0.name Party.name', 'parties.1.name Party.name']);
    expect(federation.reached()).not.toContain('Party.name');
    // The field of the unprotected implementer may be selected by itself.
    const firms = await federation.ask('{ parties { ... on Firm { name } } }');
    expect(firms.body.data).toEqual({ parties: [{}, { name: 'Acme' }] });
  });

  it('is protected in a supergraph without rules copied up to it, too', async () => {
    const edited = (supergraph: string): string =>
      supergraph.replace(/(interface Party[^{]*\{[^}]*?name: String)[^\n]*/, '$1');
    const older = await start([parties], {}, edited);
    const answer = await older.ask('{ parties { id name } }');
    expect(JSON.stringify(answer.body.data)).not.toContain('Alma');
    expect(older.reached()).not.toContain('Party.name');
  });
});

describe('Hive #1422, #1423: unions, and fragments that share a response key', () => {
  beforeAll(() => start([parties]));

  it('judge each member by itself, with a free __typename', async () => {
    const answer = await federation.ask(
      '{ anything { __typename ... on Vault { code } ... on Person { name ssn } ... on Firm { vat } } }',
      { scopes: 'person' },
    );
    expect(answer.body.data).toEqual({
      anything: [
        { __typename: 'Person', name: 'Alma', ssn: null },
        { __typename: 'Firm', vat: '2' },
        { __typename: 'Vault', code: null },
      ],
    });
    expect(denials(answer)).toEqual(['anything.0.ssn Person.ssn', 'anything.2.code Vault.code']);
    expect(federation.reached()).not.toContain('Vault.code');
  });

  it('keep an allowed value under the same key as a denied one', async () => {
    const answer = await federation.ask(
      '{ anything { ... on Person { x: name } ... on Firm { x: vat } ... on Vault { x: code } } }',
    );
    expect(answer.body.data).toEqual({ anything: [{ x: null }, { x: '2' }, { x: null }] });
    const both = await federation.ask(
      '{ party { id name ... on Person { ssn } } party { ... on Person { id } } }',
      { scopes: 'person' },
    );
    expect(both.body.data).toEqual({ party: { id: 'p', name: 'Alma', ssn: null } });
  });
});

describe('federation PR 3321: a field shared by subgraphs with different rules', () => {
  it('requires the rules of all subgraphs', async () => {
    const shared = (rule: string): string => `${LINKS}
      type Query { x: String }
      type Item @key(fields: "id") { id: ID! price: String @shareable ${rule} }`;
    const { ask } = await start([
      {
        name: 'one',
        sdl: shared('@requiresScopes(scopes: [["a"], ["b"]])').replace('x: String', 'item: Item'),
        resolvers: { Query: { item: () => ({ id: '1', price: '5' }) } },
      },
      {
        name: 'two',
        sdl: shared('@requiresScopes(scopes: [["c"]])'),
        resolvers: { Item: { __resolveReference: ({ id }: { id: string }) => ({ id, price: '5' }) } },
      },
    ]);
    const price = async (scopes: string): Promise<unknown> =>
      (await ask('{ item { id price } }', { scopes })).body.data?.item;
    for (const scopes of ['', 'a', 'b', 'c', 'a b'])
      expect(await price(scopes)).toEqual({ id: '1', price: null });
    for (const scopes of ['a c', 'b c']) expect(await price(scopes)).toEqual({ id: '1', price: '5' });
  });
});

describe('GHSA-m8jr-fxqx-8xx6: protected data through @requires', () => {
  const one = `${LINKS} type Query { item: Item } type Item @key(fields: "id") { id: ID! weight: Int @requiresScope(scope: "weight") }`;
  const two = (rule: string): string => `${LINKS}
    type Item @key(fields: "id") { id: ID! weight: Int @external shipping: Int @requires(fields: "weight") ${rule} }`;

  it('does not compose unless the reading field requires as much', () => {
    const compose = (rule: string): string =>
      composeSupergraph([
        { name: 'one', url: 'http://one', sdl: one },
        { name: 'two', url: 'http://two', sdl: two(rule) },
      ]);
    expect(() => compose('')).toThrow(/do not compose/);
    expect(() => compose('@authenticated')).toThrow(/do not compose/);
    expect(compose('@requiresScope(scope: "weight")')).toContain('shipping');
  });

  it('a required field is fetched, but returned only to permitted callers', async () => {
    const { ask, reached } = await start([
      {
        name: 'one',
        sdl: one,
        resolvers: {
          Query: { item: () => ({ id: '1', weight: 3 }) },
          Item: { __resolveReference: ({ id }: { id: string }) => ({ id, weight: 3 }) },
        },
      },
      {
        name: 'two',
        sdl: two('@requiresScope(scope: "weight")'),
        resolvers: { Item: { shipping: ({ weight }: { weight: number }) => weight * 2 } },
      },
    ]);
    expect((await ask('{ item { id shipping } }', { scopes: 'weight' })).body.data).toEqual({
      item: { id: '1', shipping: 6 },
    });
    reached();
    expect((await ask('{ item { id shipping } }', { scopes: '' })).body.data).toEqual({
      item: { id: '1', shipping: null },
    });
    expect(reached()).toEqual(['Item.id', 'Query.item']);
  });
});

describe('CVE-2026-32621: names of Object.prototype', () => {
  it('are ordinary names: aliases, variables, fragments, operations, in lists and at the root', async () => {
    const { ask } = await start([parties]);
    const names = ['__proto__', 'constructor', 'hasOwnProperty', 'toString', 'valueOf', '__defineGetter__'];
    for (const name of names) {
      const answer = await ask(
        `query ${name}($${name}: String) { ${name}: party(kind: $${name}) { ${name}: id ...${name} } list: parties { ${name}: id ... on Person { ssn } } }
         fragment ${name} on Firm { vat ${name}: id }`,
        {
          scopes: '',
          variables: JSON.parse(
            `{"${name}":"firm","${name === '__proto__' ? 'x' : '__proto__'}":{"polluted":1}}`,
          ) as Record<string, unknown>,
        },
      );
      expect(answer.text).toContain(
        `"data":{"${name}":{"${name}":"f","vat":"2"},"list":[{"${name}":"p","ssn":null},{"${name}":"f"}]}`,
      );
      expect(denials(answer)).toEqual(['list.0.ssn Person.ssn']);
      expect(({} as { polluted?: unknown }).polluted).toBeUndefined();
    }
  });
});

describe('CVE-2025-32031 and others: fragments that double at each level', () => {
  it('cost look-ups linear in the document, and are not expanded', () => {
    const supergraph = composeSupergraph([{ name: 'parties', url: 'http://parties', sdl: PARTIES }]);
    const authorizer = createOperationAuthorizer(supergraph);
    // Every look-up of a coordinate goes through the table.
    const table = Object.getOwnPropertyDescriptor(RuleTable.prototype, 'requirementOf');
    const lookUp = table?.value as RuleTable['requirementOf'];
    for (const size of [50, 100, 200]) {
      let lookUps = 0;
      RuleTable.prototype.requirementOf = function (type, field) {
        lookUps += 1;
        return lookUp.call(this, type, field);
      };
      try {
        const source = [
          '{ parties { ...F0 } }',
          ...Array.from(
            { length: size },
            (_, index) =>
              `fragment F${index} on Party { id name ${index + 1 < size ? `...F${index + 1} ... on Person { ssn ...F${index + 1} }` : '__typename'} }`,
          ),
        ].join('\n');
        const document = parse(source);
        const operation = document.definitions.find((node) => node.kind === Kind.OPERATION_DEFINITION);
        if (operation === undefined) throw new Error('no operation');
        const authorization = authorizer.authorize({ document, operation, queryHash: source }, undefined, {});
        expect(lookUps).toBeLessThanOrEqual(3 * size + 3);
        expect(authorization.denials.length).toBeLessThanOrEqual(2 * size);
        expect(JSON.stringify(authorization.execute?.document).length).toBeLessThan(
          JSON.stringify(document).length * 2,
        );
        const key = '__behalf_typename';
        const { data, errors } = authorization.complete({
          data: { parties: [{ id: 'p', [key]: 'Person', __typename: 'Person' }] },
        });
        expect(JSON.stringify(data)).toBe(
          '{"parties":[{"id":"p","name":null,"__typename":"Person","ssn":null}]}',
        );
        expect(errors).toHaveLength(2);
      } finally {
        if (table !== undefined) Object.defineProperty(RuleTable.prototype, 'requirementOf', table);
      }
    }
  });

  it('are refused before any are read if they form a cycle', async () => {
    const { ask, reached } = await start([parties]);
    const answer = await ask(
      '{ parties { ...A } } fragment A on Party { ...B } fragment B on Party { id ...A }',
    );
    expect(answer.status).toBe(400);
    expect(reached()).toEqual([]);
  });
});

describe('GHSA-hff2-gcpx-8f4p: a GET that another site can send', () => {
  it.each(['text/plain', 'message/http', 'application/json, text/plain', 'application/graphql'])(
    'with the content type %s is refused, whether GET is on or off',
    async (type) => {
      for (const get of [false, true]) {
        const { gateway, reached } = await start([parties], { http: { get } });
        const response = await fetch(
          `${gateway.url}/graphql?query=${encodeURIComponent('{ parties { id } }')}`,
          {
            headers: { 'content-type': type },
          },
        );
        expect([400, 405, 415]).toContain(response.status);
        expect(reached()).toEqual([]);
      }
    },
  );
});

describe('identity headers, and requests with claims of their own', () => {
  it('client headers and extensions reach neither subgraphs nor decisions', async () => {
    const { ask, subgraphs, reached } = await start([parties]);
    const answer = await ask('{ party { id name } }', {
      headers: {
        'txn-token': 'a.b.c',
        'x-user-id': 'admin',
        'x-scopes': 'person',
        'x-hasura-role': 'admin',
        cookie: 'a=b',
      },
    });
    expect(answer.body.data).toEqual({ party: { id: 'p', name: null } });
    const sent = subgraphs.get('parties')?.requests[0]?.text ?? '';
    expect(sent).not.toMatch(/admin|x-scopes|a\.b\.c|a=b/);
    reached();
  });
});
