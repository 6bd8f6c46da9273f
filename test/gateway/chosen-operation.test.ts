import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { peopleSdl } from './domain.js';
import { AUDIENCE, Cleanup, codes, compose, startTestGateway, TestIssuer, TestSubgraph } from './support.js';
import type { Answer, TestGateway } from './support.js';

// GraphQL sections 5.8 and 6.1: a document is validated whole, and one of its operations is executed.

const cleanup = new Cleanup();
let issuer: TestIssuer;
let people: TestSubgraph;
let accounts: TestSubgraph;
let gateway: TestGateway;
let full: string;
let limited: string;

beforeAll(async () => {
  issuer = await TestIssuer.start();
  people = await TestSubgraph.start('people');
  accounts = await TestSubgraph.start('accounts');
  for (const each of [issuer, people, accounts]) cleanup.add(() => each.close());
  gateway = await startTestGateway(cleanup, compose(people, accounts), {
    issuers: [{ issuer: issuer.url, audience: AUDIENCE }],
  });
  full = await issuer.mint({ scope: 'name email accounts accounts:full balance people:write' });
  limited = await issuer.mint({ scope: 'name' });
});
afterAll(() => cleanup.run());
beforeEach(() => {
  people.requests.length = 0;
  accounts.requests.length = 0;
});

const ask = (
  query: string,
  operationName?: string,
  variables: Readonly<Record<string, unknown>> = {},
  token = full,
): Promise<Answer> =>
  gateway.ask(query, { token, variables, ...(operationName !== undefined && { operationName }) });

const NAME = { me: { name: 'Name of c-000001' } };
const EMAIL = { me: { email: 'c-000001@example.org' } };

describe('only the chosen operation is passed on, whether or not something is denied', () => {
  const fragmentOfTheOther = `
    query One { me { name } }
    query Two($hide: Boolean!) { me { ...Rest } }
    fragment Rest on Person { email @skip(if: $hide) }`;
  const sharedFragment = `
    query One { me { ...Name } }
    query Two($hide: Boolean!) { me { ...Name ...Rest } }
    fragment Name on Person { name }
    fragment Rest on Person { ...Deeper }
    fragment Deeper on Person { email @include(if: $hide) }`;
  const otherFirst = `
    fragment Rest on Person { email @skip(if: $hide) }
    query Two($hide: Boolean!) { me { ...Rest } }
    query One { me { name } }`;
  const otherType = `
    query One { me { name } }
    mutation Two($name: String!) { ...Write }
    fragment Write on Mutation { rename(name: $name) { id } }`;
  const variableOfTheSameName = `
    query One($hide: Boolean = false) { me { name @skip(if: $hide) } }
    query Two($hide: Boolean!) { me { ...Rest } }
    fragment Rest on Person { email @skip(if: $hide) }`;

  it.each([
    ['a fragment of the other uses a variable that it lacks', fragmentOfTheOther],
    ['so does a fragment behind one that both could reach', sharedFragment],
    ['the other stands first', otherFirst],
    ['the other has a variable of the same name', variableOfTheSameName],
  ])('if %s', async (_what, document) => {
    for (const token of [full, limited]) {
      const { status, body } = await ask(document, 'One', {}, token);
      expect(body).toEqual({ data: NAME });
      expect(status).toBe(200);
    }
    expect(people.queries).not.toContain('email');
  });

  it('if the other is a mutation', async () => {
    expect((await ask(otherType, 'One')).body).toEqual({ data: NAME });
    expect(people.queries).not.toContain('mutation');
  });

  it('and each has its own plan, in any order', async () => {
    for (const _round of [1, 2]) {
      expect((await ask(fragmentOfTheOther, 'One')).body).toEqual({ data: NAME });
      expect((await ask(fragmentOfTheOther, 'Two', { hide: false })).body).toEqual({ data: EMAIL });
      expect((await ask(fragmentOfTheOther, 'Two', { hide: true })).body).toEqual({ data: { me: {} } });
    }
  });

  it('and an introspection of the other is not refused in its place', async () => {
    const document = 'query One { me { name } } query Two { __schema { queryType { name } } }';
    expect((await ask(document, 'One')).body).toEqual({ data: NAME });
  });
});

describe('a variable that only a directive uses keeps its definition when something is denied', () => {
  let noted: TestGateway;

  beforeAll(async () => {
    const sdl = `${peopleSdl} directive @note(text: String) on QUERY | FRAGMENT_DEFINITION | FRAGMENT_SPREAD | INLINE_FRAGMENT`;
    const alone = await TestSubgraph.start('people', undefined, sdl);
    cleanup.add(() => alone.close());
    noted = await startTestGateway(cleanup, compose(alone), {
      issuers: [{ issuer: issuer.url, audience: AUDIENCE }],
    });
  });

  it.each([
    [
      'on a fragment',
      'query Q($t: String) { me { ...F email } } fragment F on Person @note(text: $t) { name }',
    ],
    [
      'on a fragment within a fragment',
      'query Q($t: String) { me { ...E email } } fragment E on Person { ...F } fragment F on Person @note(text: $t) { name }',
    ],
    ['on the operation', 'query Q($t: String) @note(text: $t) { me { name email } }'],
    [
      'on a spread',
      'query Q($t: String) { me { ...F @note(text: $t) email } } fragment F on Person { name }',
    ],
    ['on an inline fragment', 'query Q($t: String) { me { ... @note(text: $t) { name } email } }'],
    [
      'on a fragment of which nothing is left',
      'query Q($t: String) { me { name ...F } } fragment F on Person @note(text: $t) { email }',
    ],
  ])('%s', async (_where, document) => {
    const answer = await noted.ask(document, { token: limited, variables: { t: 'x' } });
    expect(answer.body).toMatchObject({ data: { me: { name: 'Name of c-000001', email: null } } });
    expect(codes(answer)).toEqual(['UNAUTHORIZED_FIELD_OR_TYPE']);
    expect(answer.status).toBe(200);
  });
});

describe('a request that chooses no operation gets an error of its own, and no internal one', () => {
  const two = 'query One { me { name } } query Two { me { email } }';

  it.each<[string, string, string | undefined]>([
    ['an unknown name', two, 'Three'],
    ['an empty name', two, ''],
    ['no name, of two operations', two, undefined],
    ['the name of a fragment', `${two} query Three { me { ...F } } fragment F on Person { nick }`, 'F'],
    ['an unknown name, of one operation', 'query One { me { name } }', 'Two'],
    ['an empty name, of an anonymous operation', '{ me { name } }', ''],
    ['the name of every object’s property', two, 'constructor'],
  ])('%s', async (_what, document, operationName) => {
    for (const token of [full, undefined]) {
      const answer = await gateway.ask(document, {
        ...(token !== undefined && { token }),
        ...(operationName !== undefined && { operationName }),
      });
      expect(codes(answer)).toEqual(['OPERATION_RESOLUTION_FAILURE']);
      expect(answer.status).toBe(400);
      expect(answer.body).not.toHaveProperty('data');
    }
    expect(gateway.log.of('INTERNAL_SERVER_ERROR')).toEqual([]);
    expect(people.requests).toEqual([]);
  });
});
