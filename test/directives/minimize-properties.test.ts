import fc from 'fast-check';
import {
  graphqlSync,
  GraphQLBoolean,
  GraphQLFloat,
  GraphQLID,
  GraphQLInt,
  GraphQLList,
  GraphQLNonNull,
  GraphQLObjectType,
  GraphQLSchema,
  GraphQLString,
} from 'graphql';
import type { GraphQLNullableType, GraphQLOutputType } from 'graphql';
import { describe, expect, it } from 'vitest';
import { DirectiveError } from '../../directives/src/errors.js';
import { compileMinimizer } from '../../directives/src/minimize/minimizer.js';
import { minimize } from '../../directives/src/specification/minimize.js';
import type { Minimizer } from '../../directives/src/minimize/minimizer.js';
import { testedSubgraph } from './support.js';

type Given = Readonly<Record<string, unknown>>;

const KEY = new Uint8Array(32).fill(3);
const CONTEXT = { clientId: 'app', purposes: ['budgeting'], subject: 'alma', entity: '["1"]' };

function compiled(args: Given, type: GraphQLOutputType): Minimizer {
  const { statement } = minimize.compile(args, 'Query.x');
  return compileMinimizer({
    statement,
    coordinate: 'Query.x',
    type,
    pseudonymKey: KEY,
    onUnreadable: () => undefined,
  });
}

const small = fc.integer({ min: 0, max: 40 });
const step = fc.constantFrom(1, 2, 5, 0.5, 100);
const UNITS = ['DAY', 'WEEK', 'MONTH', 'QUARTER', 'YEAR', 'DECADE', 'CENTURY'] as const;
const by = (more: Given): Given => ({ to: 'GENERALIZE', ...more });

/** Statements whose result is already as little as they leave. */
const settled: fc.Arbitrary<Given> = fc.oneof(
  fc.constant({ to: 'REDACT' }),
  small.map((keep) => ({ to: 'TRUNCATE', keep })),
  step.map((each) => by({ step: each })),
  fc.integer({ min: 0, max: 6 }).map((decimals) => by({ decimals })),
  fc.constantFrom(...UNITS).map((unit) => by({ unit })),
  fc.record({ ipv4: fc.integer({ min: 0, max: 32 }), ipv6: fc.integer({ min: 0, max: 128 }) }).map(by),
  fc.integer({ min: 1, max: 12 }).map((geohash) => by({ geohash })),
  fc.constant(by({ buckets: [0, 18, 65] })),
);

/** The others: minimized again they give something else, which must be of the type nevertheless. */
const unsettled: fc.Arbitrary<Given> = fc.oneof(
  fc.record({ first: small, last: small, showLength: fc.boolean() }).map((ends) => ({ to: 'MASK', ...ends })),
  fc.constantFrom('EMAIL', 'IBAN').map((form) => ({ to: 'MASK', form, last: form === 'IBAN' ? 4 : 0 })),
  fc.constantFrom('EMAIL_DOMAIN', 'PHONE_COUNTRY').map((part) => by({ part })),
  fc.constant(by({ buckets: [0, 18], names: ['child', 'adult'] })),
  fc.constant(by({ hierarchy: [['HEALTH', 'NURSE', 'DOCTOR']] })),
  fc.integer({ min: 1, max: 400 }).map((days) => ({ to: 'SHIFT', days })),
  fc.constantFrom({ to: 'PSEUDONYMIZE' }, { to: 'PSEUDONYMIZE', readableWith: [['a']] }),
  fc
    .constantFrom('LAPLACE', 'GAUSSIAN')
    .map((distribution) => ({ to: 'NOISE', distribution, scale: 9, step: 2 })),
  fc.integer({ min: 20, max: 4_000_000 }).map((spread) => ({ to: 'NOISE', spread })),
);

const named = fc.constantFrom(GraphQLString, GraphQLID, GraphQLInt, GraphQLFloat, GraphQLBoolean);
type Wrapped = GraphQLOutputType & GraphQLNullableType;

const types: fc.Arbitrary<GraphQLOutputType> = fc
  .tuple(named, fc.array(fc.boolean(), { maxLength: 2 }), fc.boolean())
  .map(([type, lists, isRequired]) => {
    const wrapped = lists.reduce<Wrapped>(
      (inner, hasRequiredEntries) => new GraphQLList(hasRequiredEntries ? new GraphQLNonNull(inner) : inner),
      type,
    );
    return isRequired ? new GraphQLNonNull(wrapped) : wrapped;
  });

const values: fc.Arbitrary<unknown> = fc.oneof(
  fc.string({ unit: 'grapheme', maxLength: 60 }),
  fc.emailAddress(),
  fc.ipV4(),
  fc.ipV6(),
  fc.constantFrom('AT611904300234573201', '+43 1 234567', 'NURSE', 'u4pruydqqvj', 'child', ''),
  fc
    .date({ noInvalidDate: true, min: new Date('0001-01-02'), max: new Date('9998-12-30') })
    .map((date) => date.toISOString()),
  fc.integer(),
  fc.double(),
  fc.boolean(),
);

function valueOf(type: GraphQLOutputType, single: () => unknown): unknown {
  if (type instanceof GraphQLNonNull) return valueOf(type.ofType, single);
  if (type instanceof GraphQLList) return [single(), single()].map(() => valueOf(type.ofType, single));
  return single();
}

/** Undefined where the strategy does not fit the type, which stops the start. */
function fitting(args: Given, type: GraphQLOutputType): Minimizer | undefined {
  try {
    return compiled(args, type);
  } catch (error) {
    if (error instanceof DirectiveError && error.code === 'INVALID_RULE') return undefined;
    throw error;
  }
}

describe('minimizing', () => {
  it('gives a value that is valid for the field’s type, or null', () => {
    let fits = 0;
    fc.assert(
      fc.property(
        fc.oneof(settled, unsettled),
        types,
        fc.array(values, { minLength: 8, maxLength: 8 }),
        (args, type, list) => {
          const minimizer = fitting(args, type);
          if (minimizer === undefined) return;
          fits += 1;
          let next = 0;
          const value = valueOf(type, () => list[next++ % list.length]);
          const schema = new GraphQLSchema({
            query: new GraphQLObjectType({
              name: 'Query',
              fields: { x: { type, resolve: () => minimizer(value, CONTEXT) } },
            }),
          });
          const { errors = [] } = graphqlSync({ schema, source: '{ x }' });
          // What cannot be read becomes null, wherever that is allowed.
          for (const { message } of errors)
            expect(message).toMatch(/^Cannot return null for non-nullable field/);
        },
      ),
      { numRuns: 3_000 },
    );
    expect(fits).toBeGreaterThan(300);
  });

  it('a second time changes nothing, by strategies whose result is one of their own values', () => {
    let fits = 0;
    fc.assert(
      fc.property(settled, named, values, (args, type, value) => {
        const minimizer = fitting(args, type);
        if (minimizer === undefined) return;
        // As clients get it: a time in milliseconds is written as a text once.
        const sent = type === GraphQLString || type === GraphQLID ? 'string' : 'number';
        if (typeof value !== sent) return;
        const once = minimizer(value, CONTEXT);
        if (once === null) return;
        fits += 1;
        expect(minimizer(once, CONTEXT)).toEqual(once);
      }),
      { numRuns: 12_000 },
    );
    expect(fits).toBeGreaterThan(300);
  });
});

describe('an attack', () => {
  const people = Array.from({ length: 40 }, (_, index) => ({ id: String(index), income: 40_000 }));
  const subgraph = testedSubgraph(
    `type Query { me: Person @authenticated people: [Person!] @authenticated }
     type Person @key(fields: "id") {
       id: ID! @authenticated
       income: Int @authenticated @minimize(to: NOISE, distribution: LAPLACE, scale: 500, step: 100)
     }`,
    { Query: { me: () => people[0], people: () => people } },
  );

  it('by averaging, under aliases and over requests, gets one and the same number', async () => {
    const aliases = Array.from({ length: 100 }, (_, index) => `a${index}: income`).join(' ');
    const numbers = new Set<unknown>();
    for (let request = 0; request < 5; request += 1) {
      const { data } = await subgraph.ask(`{ me { ${aliases} } again: me { income } }`, {});
      for (const person of Object.values(data ?? {}))
        for (const number of Object.values(person as object)) numbers.add(number);
    }
    expect(numbers.size).toBe(1);
  });

  it('by differences between people with one value learns nothing of the value', async () => {
    const { data } = await subgraph.ask('{ people { id income } }', {});
    const incomes = (data?.['people'] as readonly { readonly income: number }[]).map(({ income }) => income);
    // Each has noise of its own: what is known of one does not give away the others.
    expect(new Set(incomes).size).toBeGreaterThan(5);
    for (const income of incomes) expect(income % 100).toBe(0);
  });

  it('by another client’s answers gets other noise', async () => {
    const incomeFor = async (client: string): Promise<unknown> =>
      (await subgraph.ask('{ people { income } }', { client })).data?.['people'];
    expect(await incomeFor('one')).not.toEqual(await incomeFor('two'));
  });
});
