import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { MemorySink } from '../support.js';
import type { TestSubgraph } from '../support.js';
import { answers, people as peoplePart, placed, serve } from './support.js';
import type { ServeOptions, Setting } from './support.js';

const ROWS = 50;
const sink = new MemorySink();
const { records } = sink;
let setting: Setting;
let people: TestSubgraph;

const audit: ServeOptions['audit'] = {
  mode: 'required',
  pseudonymKey: new Uint8Array(32),
  sink,
};
/** With the default limits none of these operations would get as far as an error. */
const limits: NonNullable<ServeOptions['limits']> = {
  tokens: 1_000_000,
  selections: 1_000_000,
  overlaps: 1_000_000_000,
  aliases: 1_000_000,
  rootFields: 100_000,
  variables: 1_000,
  cost: 1_000_000_000,
};
const rows = {
  ...peoplePart,
  resolvers: {
    Query: {
      people: () => Array.from({ length: ROWS }, (_, taxNumber) => ({ taxNumber, name: 'Alma' })),
      checked: () => 'x',
    },
  },
};

beforeAll(async () => {
  setting = await serve('protectGateway', [rows], { audit, limits });
  const subgraph = setting.subgraphs.get('people');
  if (subgraph === undefined) throw new Error('no people');
  people = subgraph;
});
afterAll(() => setting.close());

const aliases = (count: number, field: string): string =>
  Array.from({ length: count }, (_, index) => `a${index}: ${field}`).join(' ');

describe('errors of one answer', () => {
  it('stop at 1,000 and a count, for 259 kB of denied aliases over 50 rows', async () => {
    const query = `{ people { name ${aliases(18_000, 'secret')} } }`;
    expect(query.length).toBeGreaterThan(256_000);
    records.length = 0;
    const answer = await setting.ask(query);
    const { errors = [] } = answer.body;
    expect(errors).toHaveLength(1_001);
    // Twenty places per selection, and one error each that counts the other thirty.
    expect(errors.at(-1)).toEqual({
      message: 'Further errors are not listed',
      extensions: { code: 'ERRORS_OMITTED', omittedErrors: 18_000 * 21 - 1_000 },
    });
    expect(errors[0]?.path).toEqual(['people', 0, 'a0']);
    expect((answer.body.data as { people: object[] }).people).toHaveLength(ROWS);
    // All of it is one fact.
    expect(records.map(({ fields }) => fields)).toEqual([
      [{ coordinate: 'Person.secret', decision: 'denied', count: 18_000, rule: '@requiresScopes(secret)' }],
    ]);
    expect(JSON.stringify(records).length).toBeLessThan(1_000);
  });

  it.each([
    ['in a fragment', `{ people { name ...F } } fragment F on Person { ${aliases(5_000, 'secret')} }`, 1_001],
    ['at the root', `{ checked ${aliases(5_000, 'secretChecked')} }`, 1_001],
    ['on an emptied field', `{ checked people { ${aliases(5_000, 'secret')} } }`, 1_001],
    [
      'on emptied fields that share a fragment',
      `{ checked ${aliases(150, 'people { ...F }')} } fragment F on Person { ${aliases(5_000, 'secret')} }`,
      1_001,
    ],
  ])('stop at 1,000 and a count: denied %s', async (_name, query, expected) => {
    records.length = 0;
    const answer = await setting.ask(query);
    expect(answer.body.errors).toHaveLength(expected);
    expect(answer.body.errors?.filter(({ path }) => path === undefined).length).toBeLessThanOrEqual(20);
    expect(records.flatMap(({ fields }) => fields.map(({ count }) => count))).toEqual([5_000]);
  });

  it('stop at the configured number, also for refused operations', async () => {
    const own = await serve('server', [rows], { authorization: { maxErrors: 3, mode: 'reject' }, limits });
    try {
      const query = '{ people { secret level taxNumber } secretChecked }';
      const answer = await own.ask(query);
      expect(placed(answer)).toEqual([
        ...Array<string>(3).fill('- UNAUTHORIZED_FIELD_OR_TYPE'),
        '- ERRORS_OMITTED',
      ]);
      expect(answer.body.errors?.at(-1)?.extensions?.omittedErrors).toBe(1);
      // One per coordinate, however often it is selected.
      const repeated = await own.ask(`{ people { ${aliases(1_000, 'secret')} } }`);
      expect(placed(repeated)).toEqual(['- UNAUTHORIZED_FIELD_OR_TYPE']);
    } finally {
      await own.close();
    }
  });
});

describe('a subgraph that reports errors without end', () => {
  it.each<[string, (index: number) => object]>([
    [
      'of different codes',
      (index) => ({ message: 'x', path: ['broken'], extensions: { code: `C${index}` } }),
    ],
    ['at different places', (index) => ({ message: 'x', path: ['people', index % ROWS, 'name', index] })],
    [
      'with passing messages',
      (index) => ({ message: `m${index}`, path: ['broken'], extensions: { code: 'BAD_USER_INPUT' } }),
    ],
    ['without a path', (index) => ({ message: 'x', extensions: { code: `C${index}` } })],
  ])('floods neither the answer nor the log: %s', async (_name, error) => {
    people.instead = answers({
      data: { people: Array.from({ length: ROWS }, () => ({ name: 'Alma' })), broken: null },
      errors: Array.from({ length: 100_000 }, (_, index) => error(index)),
    });
    setting.log.entries.length = 0;
    try {
      const answer = await setting.ask('{ people { name } broken }');
      expect(answer.body.data).toMatchObject({ broken: null });
      const { errors = [] } = answer.body;
      expect(errors.length).toBeLessThanOrEqual(1_001);
      expect(errors.at(-1)?.extensions).toEqual({ code: 'ERRORS_OMITTED', omittedErrors: 99_000 });
      expect(setting.log.entries).toHaveLength(21);
      expect(setting.log.entries.at(-1)?.facts).toMatchObject({ omitted: 100_000 - 20 });
      expect(setting.log.text.length).toBeLessThan(10_000);
    } finally {
      people.instead = undefined;
    }
  });
});

describe('variables that do not match their types', () => {
  it('are reported in bounded number, and the operation is not executed', async () => {
    people.requests.length = 0;
    const many = Array.from({ length: 200 }, (_, index) => index);
    const query = `query (${many.map((index) => `$v${index}: String!`).join(' ')}) {
      ${many.map((index) => `c${index}: checked(text: $v${index})`).join(' ')}
    }`;
    const answer = await setting.ask(query);
    expect(answer.status).toBe(400);
    expect(answer.body.errors).toHaveLength(51);
    expect(people.requests).toEqual([]);
  });

  it.each([
    'query ($level: Level) { byLevel(level: $level) }',
    // Only a denied selection uses it.
    'query ($level: Level) { checked people { secretByLevel(level: $level) } }',
  ])('are reported without a suggestion from the schema: %s', async (query) => {
    const answer = await setting.ask(query, undefined, { variables: { level: 'HIG' } });
    expect(placed(answer)).toEqual(['- BAD_USER_INPUT']);
    expect(answer.body.errors?.[0]?.message).toContain('"$level" got invalid value "HIG"');
    expect(answer.text).not.toContain('HIGH');
  });
});
