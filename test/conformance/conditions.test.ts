import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { denials, federate, LINKS } from './support.js';
import type { Federation } from './support.js';

let federation: Federation;
const ran: string[] = [];

beforeAll(async () => {
  federation = await federate([
    {
      name: 'users',
      sdl: `${LINKS}
        type Query { user: User open: String }
        type Mutation { pay(amount: Int): Payment close: Payment }
        type Payment { ok: Boolean receipt: String @requiresScope(scope: "receipt") user: User }
        type User @key(fields: "id") { id: ID! name: String ssn: String @requiresScope(scope: "ssn") }`,
      resolvers: {
        Query: { user: () => ({ id: '1', name: 'Alma', ssn: '0000' }), open: () => 'open' },
        Mutation: Object.fromEntries(
          ['pay', 'close'].map((name) => [
            name,
            () => {
              ran.push(name);
              return { ok: true, receipt: 'r', user: { id: '1', name: 'Alma', ssn: '0000' } };
            },
          ]),
        ),
      },
    },
  ]);
});
afterAll(() => federation.close());
beforeEach(() => {
  federation.reached();
  ran.length = 0;
});

describe('router #9891, #9859: a denied field under @skip and @include', () => {
  it.each([
    ['missing, without a default', 'query ($b: Boolean!) { user { name ssn @skip(if: $b) } }', {}],
    ['null, where it may not be', 'query ($b: Boolean!) { user { name ssn @include(if: $b) } }', { b: null }],
    ['that may be null', 'query ($b: Boolean) { user { name ssn @include(if: $b) } }', { b: true }],
    ['of another type', 'query ($b: String!) { user { name ssn @include(if: $b) } }', { b: 'true' }],
    ['a number', 'query ($b: Boolean!) { user { name ssn @skip(if: $b) } }', { b: 0 }],
    ['a text', 'query ($b: Boolean!) { user { name ssn @skip(if: $b) } }', { b: 'false' }],
    ['not defined', '{ user { name ssn @skip(if: $b) } }', { b: false }],
    ['a default that is null', 'query ($b: Boolean = null) { user { name ssn @skip(if: $b) } }', {}],
  ])('is not executed if its variable is not a condition: %s', async (_how, query, variables) => {
    const { status, body } = await federation.ask(query, { scopes: '', variables });
    expect(body.data ?? null).toBeNull();
    expect(body.errors?.length).toBeGreaterThan(0);
    expect(federation.reached()).toEqual([]);
    // The same answer as for a caller who may read it.
    const granted = await federation.ask(query, { scopes: 'ssn', variables });
    expect({ status, body }).toEqual({ status: granted.status, body: granted.body });
  });

  it('with an invalid variable stops the whole operation', async () => {
    const query = 'mutation ($amount: Int!) { pay(amount: $amount) { receipt } close { ok } }';
    for (const variables of [{}, { amount: 'much' }, { amount: null }]) {
      const { body } = await federation.ask(query, { scopes: '', variables });
      expect(body.data ?? null).toBeNull();
    }
    expect(ran).toEqual([]);
    await federation.ask(query, { scopes: '', variables: { amount: 5 } });
    expect(ran).toEqual(['close']);
  });

  it('with null for a default never sends null to a subgraph', async () => {
    for (const directive of ['skip', 'include']) {
      const { text } = await federation.ask(
        `query ($b: Boolean = true) { user { name ssn @${directive}(if: $b) } }`,
        { scopes: '', variables: { b: null } },
      );
      expect(text).not.toContain('0000');
      expect(federation.reached()).not.toContain('User.ssn');
    }
  });

  it.each([
    ['@skip(if: false)', true],
    ['@skip(if: true)', false],
    ['@include(if: true)', true],
    ['@include(if: false)', false],
    ['@skip(if: false) @include(if: true)', true],
    ['@skip(if: true) @include(if: true)', false],
    ['@skip(if: $yes) @include(if: $yes)', false],
    ['@skip(if: $no) @include(if: $yes)', true],
    ['@skip(if: $default)', false],
    ['@include(if: $default)', true],
  ])('is not executed, and is an error only if it was selected: %s', async (condition, isSelected) => {
    const header = 'query ($yes: Boolean!, $no: Boolean!, $default: Boolean = true)';
    const use = 'a: open @include(if: $yes) b: open @skip(if: $no) c: open @include(if: $default)';
    for (const selection of [
      `ssn ${condition}`,
      `... ${condition} { ssn }`,
      `... on User ${condition} { ... { ssn } }`,
      `...S ${condition}`,
    ]) {
      const fragment = selection.startsWith('...S') ? 'fragment S on User { ssn }' : '';
      const answer = await federation.ask(`${header} { ${use} user { name ${selection} } } ${fragment}`, {
        scopes: '',
        variables: { yes: true, no: false },
      });
      expect(answer.body.data?.user).toEqual(isSelected ? { name: 'Alma', ssn: null } : { name: 'Alma' });
      expect(denials(answer)).toEqual(isSelected ? ['user.ssn User.ssn'] : []);
      expect(federation.reached()).toEqual(['Query.open', 'Query.user', 'User.name']);
    }
  });
});

// Found by test/properties/federation.test.ts: skipped selections kept a field, or a mutation, whose other selections were
// denied.
describe('a field whose whole selection is denied or skipped', () => {
  it.each([
    'mutation { pay { receipt ok @skip(if: true) } close { ok } }',
    'mutation ($b: Boolean = true) { pay { receipt ok @skip(if: $b) } close { ok } }',
    'mutation ($b: Boolean = true) { pay { receipt ... @skip(if: $b) { ok } } close { ok } }',
    'mutation ($b: Boolean = true) { pay { receipt ...P @skip(if: $b) } close { ok } } fragment P on Payment { ok }',
    'mutation ($b: Boolean = true) { pay { user { ssn name @skip(if: $b) } } close { ok } }',
  ])('is null, and does not run: %s', async (query) => {
    const { body } = await federation.ask(query, { scopes: '' });
    expect(ran).toEqual(['close']);
    expect(body.data).toEqual({ pay: null, close: { ok: true } });
    expect(body.errors).toHaveLength(1);
  });

  it('runs if any selection remains', async () => {
    const query = 'mutation ($b: Boolean!) { pay { receipt ok @skip(if: $b) } }';
    expect((await federation.ask(query, { scopes: '', variables: { b: false } })).body.data).toEqual({
      pay: { receipt: null, ok: true },
    });
    expect(ran).toEqual(['pay']);
    await federation.ask(query, { scopes: '', variables: { b: true } });
    expect(ran).toEqual(['pay']);
  });
});

describe('envelop #892: an operation that also requests the schema', () => {
  it('is authorized as without it', async () => {
    for (const schema of [
      '__schema { __typename }',
      '__type(name: "User") { name }',
      'user: __schema { __typename }',
    ]) {
      const { text } = await federation.ask(`{ ${schema} mine: user { name ssn } }`, { scopes: '' });
      expect(text).not.toContain('0000');
      expect(federation.reached()).not.toContain('User.ssn');
    }
  });
});

describe('CVE-2026-32621: a subgraph that sends names of Object.prototype', () => {
  it('changes no prototype and no decision', async () => {
    const users = federation.subgraphs.get('users');
    if (users === undefined) throw new Error('no subgraph');
    users.instead = (_request, response) => {
      response.writeHead(200, { 'content-type': 'application/json' });
      response.end(
        '{"data":{"__proto__":{"polluted":1},"user":{"__proto__":{"ssn":"0000"},"constructor":{"prototype":{"polluted":1}},"name":"Alma","ssn":"0000"}}}',
      );
    };
    try {
      const { body, text } = await federation.ask('{ user { name ssn } }', { scopes: '' });
      expect(body.data).toEqual({ user: { name: 'Alma', ssn: null } });
      expect(text).not.toContain('0000');
      expect(({} as { polluted?: unknown }).polluted).toBeUndefined();
    } finally {
      users.instead = undefined;
    }
  });
});
