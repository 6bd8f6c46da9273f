import { protectSchema } from '@behalf/directives';
import type { CoordinateRules } from '@behalf/directives';
import { GraphQLInt, GraphQLList, GraphQLObjectType, GraphQLSchema, GraphQLString } from 'graphql';
import { describe, expect, it } from 'vitest';
import { composeSupergraph } from '../../gateway/compose/compose.js';
import { ComposeError } from '../../gateway/compose/errors.js';
import { minimize } from '../../directives/src/specification/minimize.js';
import { LINKS, testedSchema, testedSubgraph } from './support.js';

const BASE = 'to: AGGREGATE, of: "amount", groups: ["city"], subject: "ownerId", floor: 10';

interface Schema {
  readonly returns?: string;
  readonly fields?: string;
  readonly by?: string;
  readonly args?: string;
  readonly on?: string;
}

function sdlOf({
  args = '',
  by = BASE,
  fields = 'city: String',
  on = '',
  returns = '[S!]!',
}: Schema): string {
  return `scalar Long scalar Money enum Place { A B } interface Node { id: ID } union Any = S
    type S ${on} @public { ${fields} } type Other @public { city: String }
    type Query { x${args}: ${returns} @public @minimize(${by}) }`;
}

function startFailure(sdl: string): string | undefined {
  try {
    testedSubgraph(sdl);
    return undefined;
  } catch (error) {
    return (error as Error).message;
  }
}

function composeFailure(sdl: string): string | undefined {
  try {
    composeSupergraph([{ name: 'one', url: 'http://one', sdl: LINKS + sdl }]);
    return undefined;
  } catch (error) {
    if (!(error instanceof ComposeError)) throw error;
    return error.details.join();
  }
}

const AT = 'Query.x: @minimize(to: AGGREGATE)';
const LIST = `${AT} needs a field that returns a list of an object type`;
const withFields = (fields: string): Schema => ({ fields: `city: String ${fields}` });

describe('a statistic that would not be valid for its type stops the start and the composition', () => {
  it.each<[Schema, string]>([
    [{ returns: 'S' }, LIST],
    [{ returns: '[[S!]!]!' }, LIST],
    [{ returns: '[String!]' }, LIST],
    [{ returns: '[Any!]' }, LIST],
    [{ returns: '[Node!]' }, LIST],
    [{ fields: 'count: Int!' }, `${AT}: S.city is missing: it has the value of the group`],
    [{ fields: 'city: Other' }, `${AT}: S.city has the value of the group, so it must be of a scalar type`],
    [
      { fields: 'city: [String]' },
      `${AT}: S.city has the value of the group, so it must be of a scalar type`,
    ],
    [
      withFields('name: String!'),
      `${AT}: S.name is neither a group nor one of the numbers, so it must be nullable`,
    ],
    [
      withFields('bucket: Int!'),
      `${AT}: S.bucket is neither a group nor one of the numbers, so it must be nullable`,
    ],
    [withFields('count: String'), `${AT}: S.count is a number, so it cannot be of type String`],
    [withFields('count: Boolean'), `${AT}: S.count cannot be of type Boolean`],
    [withFields('count: [Int]'), `${AT}: S.count has a number, so it must be of a scalar type`],
    [withFields('subjects: ID'), `${AT}: S.subjects is a number, so it cannot be of type ID`],
    [withFields('sum: Place'), `${AT}: S.sum cannot be of type Place`],
    [withFields('sum: ID'), `${AT}: S.sum is a number, so it cannot be of type ID`],
    [withFields('sum: Int!'), `${AT}: S.sum may be too large for an Int, so it must be nullable`],
    [withFields('average: Int'), `${AT}: S.average is a fraction, so it cannot be of type Int`],
    [withFields('average: Long!'), `${AT}: S.average is a fraction, so it cannot be of type Long`],
    [{ ...withFields('sum: Float'), by: BASE.replace('of: "amount", ', '') }, `${AT}: S.sum needs "of"`],
    [
      { ...withFields('average: Float'), by: BASE.replace('of: "amount", ', '') },
      `${AT}: S.average needs "of"`,
    ],
    [
      { by: `${BASE}, buckets: [0, 10]` },
      `${AT}: S.bucket is missing: it has where the bucket begins, or its name`,
    ],
    [
      { ...withFields('bucket: Int'), by: `${BASE}, buckets: [0, 10], names: ["a", "b"]` },
      `${AT}: S.bucket has a name, so it must be a String or an ID`,
    ],
    [
      { ...withFields('bucket: Int'), by: `${BASE}, buckets: [0, 0.5]` },
      `${AT}: S.bucket is whole, and "buckets" are not`,
    ],
    [
      { args: '(city: String)' },
      `${AT} takes no arguments: with a filter, a caller could choose who is in a group, and subtract`,
    ],
    [{ on: '@subject(field: "city")' }, `${AT} cannot return a type with @subject: a statistic has no owner`],
    [{ by: `${BASE}, level: "few"` }, 'Query.x: AGGREGATE takes no "level": a statistic is nobody’s detail'],
    [
      { by: `level: "all", to: KEEP) @minimize(${BASE}` },
      'Query.x: AGGREGATE is the only statement of its field',
    ],
    [
      { by: `${BASE}) @minimize(level: "none", to: REDACT` },
      'Query.x: AGGREGATE is the only statement of its field',
    ],
    [
      { by: `${BASE}, unless: [["raw"]]` },
      'Query.x: AGGREGATE takes no "unless": rows cannot be returned in the type of a statistic',
    ],
  ])('%j', (schema, message) => {
    expect(startFailure(sdlOf(schema))).toBe(message);
    expect(composeFailure(sdlOf(schema))).toBe(`INVALID_RULE: [one] ${message}`);
  });

  it('on a subscription', () => {
    const sdl = `type Query { y: Int @public } type S @public { count: Int } type Subscription { x: [S!] @public @minimize(to: AGGREGATE, subject: "a", floor: 3) }`;
    const message =
      'Subscription.x: @minimize(to: AGGREGATE) is not for subscriptions: what changes between two events is one person';
    expect([startFailure(sdl), composeFailure(sdl)]).toEqual([message, `INVALID_RULE: [one] ${message}`]);
    const renamed = `schema { query: Query subscription: Events } ${sdl.replace('Subscription', 'Events')}`;
    expect(startFailure(renamed)).toBe(message.replace('Subscription', 'Events'));
  });
});

describe('a statistic that is valid for its type starts and composes', () => {
  it.each<Schema>([
    {},
    withFields('count: Int! subjects: Float! sum: Float! average: Float! name: String'),
    withFields('count: Long! sum: Long! average: Money'),
    withFields('sum: String! average: String!'),
    withFields('sum: Int'),
    { fields: 'city: Place! count: Int' },
    { fields: 'city: ID } extend type S { count: Int!' },
    { ...withFields('bucket: Int!'), by: `${BASE}, buckets: [0, 10]` },
    { ...withFields('bucket: ID!'), by: `${BASE}, buckets: [0, 10], names: ["a", "b"]` },
    { returns: '[S]' },
    { by: 'to: AGGREGATE, subject: "a", floor: 3' },
  ])('%j', (schema) => {
    expect([startFailure(sdlOf(schema)), composeFailure(sdlOf(schema))]).toEqual([undefined, undefined]);
  });
});

describe('an argument of AGGREGATE', () => {
  const read = (more: Readonly<Record<string, unknown>>) => () =>
    minimize.compile({ to: 'AGGREGATE', subject: 'ownerId', floor: 10, ...more }, 'Query.x');

  it.each<[Readonly<Record<string, unknown>>, string]>([
    [{ floor: undefined }, '"floor" must be a whole number from 3 to 100000'],
    [{ floor: 2 }, '"floor" must be a whole number from 3 to 100000'],
    [{ floor: 10.5 }, '"floor" must be a whole number from 3 to 100000'],
    [{ subject: undefined }, '"subject" must be a string that is not empty'],
    [{ groups: ['a', 'a'] }, '"groups" must be at most 8, each once'],
    [{ groups: Array.from('abcdefghi') }, '"groups" must be at most 8, each once'],
    [{ groups: 'city' }, '"groups" must be a list of strings'],
    [{ groups: ['sum'] }, 'a group cannot be called "sum"'],
    [{ of: '' }, '"of" must be a string that is not empty'],
    [{ buckets: [1] }, '"buckets" need a number: "of"'],
    [{ of: 'a', buckets: [2, 1] }, '"buckets" must be numbers in ascending order'],
    [{ of: 'a', names: ['x'] }, '"names" are of "buckets"'],
    [{ step: 5 }, '@minimize(to: AGGREGATE) takes no "step"'],
  ])('is refused: %j', (more, message) => {
    expect(read(more)).toThrow(
      expect.objectContaining({ code: 'INVALID_RULE', message: `Query.x: ${message}` }),
    );
  });

  it.each(['of', 'groups', 'subject', 'floor'])('is of no other strategy: %s', (name) => {
    expect(() => minimize.compile({ to: 'MASK', [name]: 'x' }, 'Query.x')).toThrow(
      `@minimize(to: MASK) takes no "${name}"`,
    );
  });
});

describe('a schema built in code', () => {
  const schemaOf = (args?: { readonly city: { readonly type: typeof GraphQLString } }) => {
    const statistic = new GraphQLObjectType({
      name: 'S',
      fields: { city: { type: GraphQLString }, count: { type: GraphQLInt } },
    });
    const rows = Array.from({ length: 5 }, (_, at) => ({ city: at < 4 ? 'Graz' : 'Linz', ownerId: at }));
    const x = { type: new GraphQLList(statistic), resolve: () => rows, args: args ?? {} };
    const rules: CoordinateRules = {
      S: { public: {} },
      'Query.x': { minimize: { to: 'AGGREGATE', groups: ['city'], subject: 'ownerId', floor: 3 } },
    };
    const query = new GraphQLObjectType({ name: 'Query', fields: { x } });
    return testedSchema((base) => protectSchema(new GraphQLSchema({ query }), { ...base, rules }));
  };

  it('has statistics as well', async () => {
    const { data } = await schemaOf().ask('{ x { city count } }', {});
    expect(data).toEqual({ x: [{ city: 'Graz', count: 4 }] });
  });

  it('and no arguments on them either', () => {
    expect(() => schemaOf({ city: { type: GraphQLString } })).toThrow(`${AT} takes no arguments`);
  });
});
