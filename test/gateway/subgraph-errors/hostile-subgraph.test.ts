import fc from 'fast-check';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import type { TestSubgraph } from '../support.js';
import { answers, leadAlong, people as peoplePart, placed, SECRET, serve } from './support.js';
import type { Setting } from './support.js';

// A compromised or careless subgraph chooses every part of an error. Only a plain code reaches a client, and the text of a
// denial comes from the gateway's own rules.

let setting: Setting;
let people: TestSubgraph;

beforeAll(async () => {
  setting = await serve('protectGateway', [peoplePart]);
  const subgraph = setting.subgraphs.get('people');
  if (subgraph === undefined) throw new Error('no people');
  people = subgraph;
});
afterAll(() => setting.close());
beforeEach(() => {
  setting.log.entries.length = 0;
});

const rows = [{ name: 'Alma' }, { name: 'Emil' }];

/** Answers `{ people { name } broken }` with one error. */
function says(error: object, data: object = { people: rows, broken: null }): void {
  people.instead = answers({ data, errors: [error] });
}
const QUERY = '{ people { name } broken }';

describe('a path', () => {
  it.each<[string, unknown, string]>([
    ['with an index that the list does not have', ['people', 7, 'name'], 'people'],
    ['with an index that is a value', ['people', 4_123_456_789], 'people'],
    ['with a negative index', ['people', -1, 'name'], 'people'],
    ['with a fraction', ['people', 0.5, 'name'], 'people'],
    ['that forgets the index', ['people', 'name'], 'people'],
    ['with an index outside of a list', ['broken', 3], 'broken'],
    ['that continues below a leaf', ['people', 0, 'name', `${SECRET}x`, 4], 'people.0.name'],
    ['with a field that is not selected', ['people', 1, 'taxNumber'], 'people.1'],
    ['with a field that does not exist', ['people', 1, `${SECRET}x`], 'people.1'],
    ['with __proto__', ['people', 1, '__proto__', 'constructor'], 'people.1'],
    ['with constructor at its root', ['constructor', 'prototype'], 'broken'],
    ['with null in it', ['people', null, 'name'], 'people'],
    ['with an object in it', ['people', { toString: 'x' }], 'people'],
    ['of entities, where none were requested', ['_entities', 0, 'name'], 'broken'],
    ['in plan syntax', ['people', '@', 'name'], 'people'],
    ['that is text', 'people.0.name', 'broken'],
    ['that is empty', [], 'broken'],
    ['of 10,000 steps', ['people', 1, ...Array<string>(10_000).fill('name')], 'people.1.name'],
  ])('%s ends where it leaves the client’s selection', async (_name, path, expected) => {
    says({ message: `${SECRET}message`, path, extensions: { code: 'BAD_USER_INPUT' } });
    const answer = await setting.ask(QUERY);
    expect(answer.body.data).toEqual({ people: rows, broken: null });
    expect(placed(answer)).toEqual([`${expected} BAD_USER_INPUT`]);
    expect(leadAlong(answer)).toBe(true);
    expect(answer.text).not.toMatch(/secret-|4123456789/);
    expect(setting.log.text).not.toMatch(/secret-|4123456789/);
  });

  it('of any steps follows the answer, with no unplaced message', async () => {
    const step = fc.oneof(
      fc.constantFrom('people', 'name', 'broken', '@', '_entities', '__proto__', 'taxNumber', 'constructor'),
      fc.integer({ min: -2, max: 4 }),
      fc.string(),
      fc.jsonValue(),
    );
    await fc.assert(
      fc.asyncProperty(fc.array(step, { maxLength: 6 }), fc.boolean(), async (path, hasRows) => {
        const data = { people: hasRows ? rows : null, broken: null };
        says({ message: `${SECRET}message`, path, extensions: { code: 'LOST' } }, data);
        const answer = await setting.ask(QUERY);
        expect(answer.body.data).toEqual(data);
        expect(answer.body.errors).toHaveLength(hasRows || (answer.body.errors ?? []).length === 1 ? 1 : 2);
        expect(leadAlong(answer)).toBe(true);
        expect(answer.text).not.toMatch(/secret-|@|_entities|__proto__|taxNumber/);
      }),
      { numRuns: 150 },
    );
  });
});

describe('a code', () => {
  it.each<[unknown, string]>([
    ['LOST_2', 'LOST_2'],
    [`${SECRET}code`, 'DOWNSTREAM_SERVICE_ERROR'],
    ['SE45 5000', 'DOWNSTREAM_SERVICE_ERROR'],
    ['A'.repeat(65), 'DOWNSTREAM_SERVICE_ERROR'],
    ['\u001b[31mRED', 'DOWNSTREAM_SERVICE_ERROR'],
    [4_123_456_789, 'DOWNSTREAM_SERVICE_ERROR'],
    [{ code: SECRET }, 'DOWNSTREAM_SERVICE_ERROR'],
    [undefined, 'DOWNSTREAM_SERVICE_ERROR'],
  ])('%j passes only if it is plain', async (code, expected) => {
    says({ message: `${SECRET}message`, path: ['broken'], extensions: { code } });
    const answer = await setting.ask(QUERY);
    expect(answer.body.errors).toEqual([
      {
        message: 'Subgraph "people" reported an error',
        path: ['broken'],
        extensions: { code: expected, service: 'people' },
      },
    ]);
    expect(setting.log.of('SUBGRAPH_ERROR')).toMatchObject([
      { subgraph: 'people', code: expected, path: 'broken' },
    ]);
  });
});

describe('extensions', () => {
  it('never pass, whatever their names', async () => {
    const extensions = {
      code: 'BAD_USER_INPUT',
      http: { status: 418, headers: { 'set-cookie': SECRET } },
      stacktrace: [SECRET],
      exception: { stacktrace: [SECRET] },
      service: SECRET,
      serviceName: SECRET,
      requires: SECRET,
      omittedPaths: SECRET,
      valueCompletion: SECRET,
    };
    says({
      message: 'it is too short',
      path: ['broken'],
      locations: [{ line: 7, column: 7 }],
      stack: SECRET,
      name: SECRET,
      originalError: SECRET,
      extensions,
    });
    const answer = await setting.ask(QUERY);
    expect(answer.status).toBe(200);
    expect(answer.body.errors).toEqual([
      {
        message: 'it is too short',
        path: ['broken'],
        extensions: { code: 'BAD_USER_INPUT', service: 'people' },
      },
    ]);
  });

  it('keep a permitted message within bounds', async () => {
    says({ message: 'x'.repeat(1_000_000), path: ['broken'], extensions: { code: 'BAD_USER_INPUT' } });
    const answer = await setting.ask(QUERY);
    expect(answer.body.errors?.[0]?.message).toBe(`${'x'.repeat(500)}…`);
  });
});

describe('a denial', () => {
  const denied = (coordinate: unknown, path: unknown): object => ({
    message: `${SECRET}message`,
    path,
    extensions: {
      code: 'UNAUTHORIZED_FIELD_OR_TYPE',
      coordinate,
      requires: { scopes: [[[`${SECRET}scope`]]] },
      held: SECRET,
    },
  });
  const asked = '{ person { level name } found { ... on Person { l: level } } }';
  const data = {
    person: { level: null, name: 'Alma' },
    found: [{ __typename: 'Person', level: null, l: null }],
  };

  it.each<[string, unknown, string, object]>([
    ['Person.level', ['person', 'level'], 'person.level', {}],
    ['Person.level', ['found', 0, 'l'], 'found.0.l', {}],
    ['Person', ['person'], 'person', {}],
  ])('of %s at %j is reported in the gateway’s own words', async (coordinate, path, at, requires) => {
    says(denied(coordinate, path), data);
    const answer = await setting.ask(asked, 'level');
    expect(answer.body.errors).toEqual([
      {
        message: 'Unauthorized field or type',
        path: at.split('.').map((step) => (/^\d+$/.test(step) ? Number(step) : step)),
        extensions: { code: 'UNAUTHORIZED_FIELD_OR_TYPE', coordinate, requires },
      },
    ]);
  });

  it.each<[unknown, unknown, string]>([
    ['Person.taxNumber', ['person', 'level'], 'person.level'],
    ['Company.name', ['person', 'name'], 'person.name'],
    ['Company', ['person'], 'person'],
    ['Person.taxNumber', ['person', 'taxNumber'], 'person'],
    // The coordinate is the place where the path leaves the selection, not what the error concerns.
    ['Person.level', ['person', 'level', `${SECRET}x`], 'person.level'],
    ['Person', ['person', 'taxNumber'], 'person'],
    ['Nothing.level', ['person', 'level'], 'person.level'],
    [`${SECRET}.level`, ['person', 'level'], 'person.level'],
    ['Person.level(nothing:)', ['person', 'level'], 'person.level'],
    ['__proto__.constructor', ['person', 'level'], 'person.level'],
    ['Person.level'.repeat(1_000), ['person', 'level'], 'person.level'],
    [{ toString: 'Person.level' }, ['person', 'level'], 'person.level'],
    [undefined, ['person', 'level'], 'person.level'],
  ])('of %j at %j is an ordinary error', async (coordinate, path, at) => {
    says(denied(coordinate, path), data);
    const answer = await setting.ask(asked, 'level');
    expect(placed(answer)).toEqual([`${at} DOWNSTREAM_SERVICE_ERROR`]);
    expect(answer.text).not.toMatch(/secret-|taxNumber|Company|Nothing/);
    expect(setting.log.of('SUBGRAPH_ERROR')).toMatchObject([{ code: 'UNAUTHORIZED_FIELD_OR_TYPE' }]);
  });
});

it('of the wrong shape is reported without a value', async () => {
  for (const [data, at] of [
    [{ people: 4_123_456_789 }, 'people'],
    [{ people: [`${SECRET}row`] }, 'people.0'],
    [{ people: { name: SECRET } }, 'people'],
  ] as const) {
    people.instead = answers({ data: { ...data, broken: null } });
    const answer = await setting.ask(QUERY);
    expect(answer.text).not.toMatch(/4123456789|secret-/);
    expect(placed(answer)).toEqual([`${at} SUBREQUEST_MALFORMED_RESPONSE`]);
    expect(setting.log.text).not.toMatch(/4123456789|secret-/);
  }
});
