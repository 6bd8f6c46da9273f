import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { send } from '../support.js';
import type { Answer } from '../support.js';
import { answers, leadAlong, placed, SECRET, serve, TAX_NUMBER } from './support.js';
import type { Serving, Setting } from './support.js';

// An error of a subgraph contains what its resolvers, scalars and database put into it. GraphQL servers quote the value that
// cannot be serialized, so an error at a key that only joins subgraphs reveals the key.

const both: readonly Serving[] = ['server', 'protectGateway'];
const settings = new Map<Serving, Setting>();

beforeAll(async () => {
  for (const serving of both) settings.set(serving, await serve(serving));
});
afterAll(async () => {
  for (const setting of settings.values()) await setting.close();
});

function at(serving: Serving): Setting {
  const setting = settings.get(serving);
  if (setting === undefined) throw new Error(`${serving} was not started`);
  return setting;
}

const FIXED = /^Subgraph "(people|cities)" reported an error$|^Unauthorized field or type$/;

describe.each(both)('an error of a subgraph, through %s', (serving) => {
  it.each<[string, string | undefined, string[]]>([
    // The example: nothing is denied, and a key that nobody selected cannot be serialized.
    ['{ person { name city } }', undefined, ['person INTERNAL_SERVER_ERROR']],
    ['{ person { name city } }', 'tax', ['person INTERNAL_SERVER_ERROR']],
    ['{ p: person { n: name c: city } }', undefined, ['p INTERNAL_SERVER_ERROR']],
    [
      '{ ...Q } fragment Q on Query { person { ... on Party { name } city } }',
      undefined,
      ['person INTERNAL_SERVER_ERROR'],
    ],
    [
      '{ people { name city } }',
      undefined,
      ['people.0 INTERNAL_SERVER_ERROR', 'people.2 INTERNAL_SERVER_ERROR'],
    ],
    ['{ parties { name ... on Person { city } } }', undefined, ['parties.1 INTERNAL_SERVER_ERROR']],
    ['mutation { rename(name: "x") { name city } }', undefined, ['rename INTERNAL_SERVER_ERROR']],
    // The response key has the key's name, but is another field.
    ['{ person { taxNumber: name city } }', undefined, ['person INTERNAL_SERVER_ERROR']],
    // Nobody selected an input of `@requires` that cannot be serialized.
    ['{ person { fit } }', undefined, ['person INTERNAL_SERVER_ERROR']],
    [
      '{ person { fit weight } }',
      undefined,
      ['person INTERNAL_SERVER_ERROR', 'person.weight INTERNAL_SERVER_ERROR'],
    ],
    // Denied: the denial is already reported.
    ['{ person { name taxNumber city } }', undefined, ['person.taxNumber UNAUTHORIZED_FIELD_OR_TYPE']],
    [
      '{ person { t: taxNumber city } }',
      undefined,
      ['person INTERNAL_SERVER_ERROR', 'person.t UNAUTHORIZED_FIELD_OR_TYPE'],
    ],
    // A different field is denied.
    [
      '{ person { secret name city } }',
      undefined,
      ['person INTERNAL_SERVER_ERROR', 'person.secret UNAUTHORIZED_FIELD_OR_TYPE'],
    ],
    // Selected and permitted: the path is kept, the message removed.
    ['{ person { name taxNumber } }', 'tax', ['person.taxNumber INTERNAL_SERVER_ERROR']],
    ['{ person { level } }', 'level', ['person.level INTERNAL_SERVER_ERROR']],
    ['{ person { weight } }', undefined, ['person.weight INTERNAL_SERVER_ERROR']],
    ['{ person { leaking } }', undefined, ['person.leaking LOCKED']],
    ['{ broken }', undefined, ['broken BROKEN']],
    [
      '{ person { pets { name fails } } }',
      undefined,
      ['person.pets.0.fails INTERNAL_SERVER_ERROR', 'person.pets.1.fails INTERNAL_SERVER_ERROR'],
    ],
    // From an entity fetch, in lists of several types.
    [
      '{ person { weight street } }',
      undefined,
      ['person INTERNAL_SERVER_ERROR', 'person.street BAD_USER_INPUT', 'person.weight INTERNAL_SERVER_ERROR'],
    ],
    ['{ found { ... on Company { city } } }', undefined, ['found.0.city LOST', 'found.2.city LOST']],
    [
      '{ found { ... on Company { c: city } ... on Person { name } } }',
      undefined,
      ['found.0.c LOST', 'found.2.c LOST'],
    ],
  ])('reveals nothing the caller may not see: %s (%s)', async (query, scopes, expected) => {
    const answer = await at(serving).ask(query, scopes);
    expect(answer.status).toBe(200);
    expect(answer.body.data).toBeTruthy();
    expect(placed(answer).sort()).toEqual([...expected].sort());
    expect(leadAlong(answer)).toBe(true);
    for (const { message } of answer.body.errors ?? []) expect(message).toMatch(FIXED);
    expect(JSON.stringify(answer.body.errors)).not.toContain(String(TAX_NUMBER));
    expect(JSON.stringify(answer.body.errors)).not.toMatch(
      /secret-|stacktrace|exception|_entities|@|serviceName/,
    );
  });

  it.each([
    ['{ checked(text: "a") }', ['checked'], 'text is too short'],
    ['{ c: checked(text: "a") }', ['c'], 'text is too short'],
    ['mutation { refuse(name: "a") }', ['refuse'], 'the name is taken'],
  ])('passes only the message of BAD_USER_INPUT: %s', async (query, path, message) => {
    const { body } = await at(serving).ask(query);
    expect(body.errors).toEqual([
      { message, path, extensions: { code: 'BAD_USER_INPUT', service: 'people' } },
    ]);
  });

  it.each([
    ['of a field that is minimized', '{ person { email(like: "x") } }', 'person.email BAD_USER_INPUT'],
    ['from a fetch of entities', '{ person { street } }', 'person.street BAD_USER_INPUT'],
  ])('hides the message of BAD_USER_INPUT %s', async (_name, query, expected) => {
    const answer = await at(serving).ask(query);
    expect(placed(answer)).toContain(expected);
    for (const { message } of answer.body.errors ?? []) expect(message).toMatch(FIXED);
    expect(answer.text).not.toMatch(/secret-|4123456789/);
  });

  it('hides the message at a field that is denied elsewhere in the answer', async () => {
    const setting = at(serving);
    const people = setting.subgraphs.get('people');
    if (people === undefined) throw new Error('no people');
    const [message, code] = ['level was HIGH', 'BAD_USER_INPUT'];
    people.instead = answers({
      data: { person: { level: null, __typename: 'Person' } },
      errors: [{ message, path: ['person', 'level'], extensions: { code } }],
    });
    try {
      expect((await setting.ask('{ person { level } }', 'level')).text).toContain(message);
      expect((await setting.ask('{ person { level } }')).text).not.toContain(message);
    } finally {
      people.instead = undefined;
    }
  });

  it.each([
    // Denied on the interface, because of another type.
    ['{ parties { rank ... on Person { rank } } }', 'rank', 'parties.1.rank BAD_USER_INPUT'],
    // Selected on another type of the list, and not on this one.
    [
      '{ found { ... on Company { weight: kind } ... on Person { name } } }',
      'weight',
      'found.1 BAD_USER_INPUT',
    ],
    ['{ found { ... on Company { name } ... on Person { city } } }', 'name', 'found.1 BAD_USER_INPUT'],
  ])('hides the message at a key of another type: %s', async (query, key, expected) => {
    const setting = at(serving);
    const people = setting.subgraphs.get('people');
    if (people === undefined) throw new Error('no people');
    const list = query.startsWith('{ found') ? 'found' : 'parties';
    const answered = [{ __typename: 'Company' }, { __typename: 'Person', taxNumber: 1, [key]: null }];
    people.instead = (_request, response) => {
      // Whatever key the planner assigned.
      const sent = people.requests.at(-1)?.query ?? '';
      const executed = new RegExp(`(\\w+): ?${key}\\b`).exec(sent)?.[1] ?? key;
      answers({
        data: { [list]: answered },
        errors: [{ message: 'quoted', path: [list, 1, executed], extensions: { code: 'BAD_USER_INPUT' } }],
      })(_request, response);
    };
    try {
      const answer = await setting.ask(query);
      expect(placed(answer)).toContain(expected);
      expect(answer.text).not.toContain('quoted');
    } finally {
      people.instead = undefined;
    }
  });

  it('keeps clients’ operations apart', async () => {
    const setting = at(serving);
    const [one, other] = await Promise.all([
      setting.ask('{ person { name taxNumber } }', 'tax'),
      setting.ask('{ person { name city } }'),
    ]);
    expect(placed(one)).toEqual(['person.taxNumber INTERNAL_SERVER_ERROR']);
    expect(placed(other)).toEqual(['person INTERNAL_SERVER_ERROR']);
  });

  it('logs subgraph, code and schema path, without values, aliases or messages', async () => {
    const setting = at(serving);
    setting.log.entries.length = 0;
    const answer = await setting.ask('{ iban_SE45: people { n: name city leaking } }');
    expect(placed(answer).length).toBe(4);
    expect(
      setting.log
        .of('SUBGRAPH_ERROR')
        .map(({ subgraph, code, path }) => `${subgraph} ${code} ${path}`)
        .sort(),
    ).toEqual([
      'people INTERNAL_SERVER_ERROR people.0.taxNumber',
      'people INTERNAL_SERVER_ERROR people.2.taxNumber',
      'people LOCKED people.0.leaking',
      'people LOCKED people.2.leaking',
    ]);
    expect(setting.log.text).not.toMatch(/iban_SE45|locked|4123456789|secret-/);
  });
});

it('passes messages of configured codes only', async () => {
  const setting = await serve('server', undefined, { subgraphErrors: { passMessagesOf: ['LOCKED'] } });
  try {
    expect((await setting.ask('{ person { leaking } }')).body.errors?.[0]).toEqual({
      message: `row ${TAX_NUMBER} is locked`,
      path: ['person', 'leaking'],
      extensions: { code: 'LOCKED', service: 'people' },
    });
    expect((await setting.ask('{ checked(text: "a") broken }')).text).not.toMatch(/too short|secret-/);
    const none = await serve('protectGateway', undefined, { subgraphErrors: { passMessagesOf: [] } });
    expect((await none.ask('{ checked(text: "a") }')).text).not.toContain('too short');
    await none.close();
  } finally {
    await setting.close();
  }
});

it('logs messages only under the insecure option', async () => {
  const setting = await serve('server', undefined, { subgraphErrors: { allowInsecureLogMessages: true } });
  try {
    const answer = await setting.ask('{ broken }');
    expect(setting.log.of('SUBGRAPH_ERROR')).toMatchObject([{ path: 'broken', message: `${SECRET}broken` }]);
    expect(answer.text).not.toContain(SECRET);
  } finally {
    await setting.close();
  }
});

it('stays with its operation of a batch', async () => {
  const setting = await serve('server', undefined, { http: { batch: {} } });
  try {
    const queries = ['{ broken }', '{ person { city } }', '{ checked }'];
    const answer = await send(setting.url, JSON.stringify(queries.map((query) => ({ query }))), {
      'content-type': 'application/json',
    });
    const bodies = answer.body as unknown as Answer['body'][];
    expect(bodies.map((body) => placed({ ...answer, body }))).toEqual([
      ['broken BROKEN'],
      ['person INTERNAL_SERVER_ERROR'],
      ['checked BAD_USER_INPUT'],
    ]);
    expect(answer.text).not.toMatch(/secret-|4123456789/);
  } finally {
    await setting.close();
  }
});
