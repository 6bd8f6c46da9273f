import { buildProtectedSubgraph, protectedContext } from '@behalf/directives';
import { execute, parse } from 'graphql';
import { interleave, ratio, spread } from '../harness/interleave.js';
import { printTable } from '../harness/table.js';
import { BENCH_ISSUER, BenchTokens } from '../subgraph/tokens.js';

const VALUES = 1_000;
const ROUNDS = 7;
const TIMES = 10;
const KEY = new Uint8Array(32).fill(7);

interface Field {
  readonly type: string;
  /** Of an object type. */
  readonly selection?: string;
  readonly directive: string;
  readonly value: (index: number) => unknown;
}

const name = (index: number): string => `Alma Lindqvist ${index}`;
const foreignName = (index: number): string => `Ålma Lindqvist ${index}`;
const JOBS = Array.from({ length: 100 }, (_, index) => `JOB_${index}`);
const NAMES = JOBS.map((job) => `"${job}"`).join(', ');
const email = (index: number): string => `alma.${index}@example.net`;
const date = (index: number): string => new Date(index * 24 * 60 * 60 * 1_000).toISOString().slice(0, 10);
const field = (type: string, value: Field['value'], args?: string): Field => ({
  type,
  value,
  directive: args === undefined ? '' : `@minimize(to: ${args})`,
});

const AGGREGATE = 'AGGREGATE, of: "amount", subject: "ownerId", floor: 10';
const ROW = 'type Row @public { city: String amount: Float }';
const STATISTIC = 'type Statistic @public { city: String count: Int! sum: Float average: Float }';
/** In ten groups, of as many people as rows. */
const row = (index: number): unknown => ({
  city: `city ${index % 10}`,
  amount: index * 1.5,
  ownerId: `p${index}`,
});

/** The first of each type is what the others of it are compared with. */
const FIELDS: Readonly<Record<string, readonly (readonly [string, Field])[]>> = {
  'a text': [
    ['whole', field('String', name)],
    ['REDACT', field('String', name, 'REDACT')],
    ['TRUNCATE', field('String', name, 'TRUNCATE, keep: 1')],
    ['MASK', field('String', name, 'MASK, first: 1, last: 2')],
    ['MASK, beyond ASCII', field('String', foreignName, 'MASK, first: 1, last: 2')],
    ['MASK, e-mail', field('String', email, 'MASK, form: EMAIL, first: 1')],
    ['GENERALIZE, part', field('String', email, 'GENERALIZE, part: EMAIL_DOMAIN')],
    ['GENERALIZE, IPv4', field('String', (index) => `198.51.${index % 256}.7`, 'GENERALIZE, ipv4: 24')],
    ['GENERALIZE, IPv6', field('String', (index) => `2001:db8::${index}:7`, 'GENERALIZE, ipv6: 48')],
    [
      'GENERALIZE, hierarchy',
      field('String', (index) => JOBS[index % JOBS.length], `GENERALIZE, hierarchy: [["HEALTH", ${NAMES}]]`),
    ],
    ['GENERALIZE, unit', field('String', date, 'GENERALIZE, unit: YEAR')],
    ['SHIFT', field('String', date, 'SHIFT, days: 30')],
    ['PSEUDONYMIZE', field('String', name, 'PSEUDONYMIZE')],
    ['PSEUDONYMIZE, readable', field('String', name, 'PSEUDONYMIZE, readableWith: [["x"]]')],
  ],
  'a number': [
    ['whole', field('Float', (index) => index * 1.5)],
    ['GENERALIZE, step', field('Float', (index) => index * 1.5, 'GENERALIZE, step: 100')],
    [
      'GENERALIZE, buckets',
      field('Float', (index) => index * 1.5, 'GENERALIZE, buckets: [0, 18, 65, 100, 500]'),
    ],
    ['GENERALIZE, decimals', field('Float', (index) => index / 7, 'GENERALIZE, decimals: 2')],
    ['NOISE, uniform', field('Float', (index) => index * 1.5, 'NOISE, spread: 500')],
    [
      'NOISE, Laplace',
      field('Float', (index) => index * 1.5, 'NOISE, distribution: LAPLACE, scale: 50, step: 1'),
    ],
    [
      'NOISE, Gaussian',
      field('Float', (index) => index * 1.5, 'NOISE, distribution: GAUSSIAN, scale: 50, step: 1'),
    ],
  ],
  'a row': [
    ['whole', { ...field('Row', row), selection: '{ city amount }' }],
    [
      'AGGREGATE',
      {
        ...field('Statistic', row, `${AGGREGATE}, groups: ["city"]`),
        selection: '{ city count sum average }',
      },
    ],
  ],
};

/** What each strategy of `@minimize` costs for a value, beside a protected field that is not minimized. */
export async function benchMinimize(): Promise<void> {
  for (const [kind, fields] of Object.entries(FIELDS)) await benchFields(kind, fields);
}

async function benchFields(kind: string, fields: readonly (readonly [string, Field])[]): Promise<void> {
  const tokens = await BenchTokens.for('values');
  const schema = buildProtectedSubgraph({
    name: 'values',
    typeDefs: `extend schema
        @link(url: "https://specs.apollo.dev/federation/v2.9", import: ["@key"])
        @link(url: "https://specs.behalf.dev/behalf/v0.1", import: ["@minimize", "@public"])
      ${ROW} ${STATISTIC}
      type Query { ${fields.map(([, { directive, type }], at) => `f${at}: [${type}] @public ${directive}`).join(' ')} }`,
    resolvers: {
      Query: Object.fromEntries(
        fields.map(([, { value }], at) => {
          const values = Array.from({ length: VALUES }, (_, index) => value(index));
          return [`f${at}`, () => values];
        }),
      ),
    },
    gateway: { issuer: BENCH_ISSUER, keys: [tokens.key] },
    pseudonymKey: KEY,
    log: (code) => {
      throw new Error(`a value was not minimized: ${code}`);
    },
  });
  const timings = await interleave(
    fields.map(([title, { selection = '' }], at) => {
      const document = parse(`{ f${at} ${selection} }`);
      return {
        name: title,
        run: async (times) => {
          // Once: verifying a token costs as much as minimizing hundreds of values.
          const contextValue = await protectedContext(schema, { 'txn-token': await tokens.of('x') });
          for (let time = 0; time < times; time += 1) {
            const { errors } = await execute({ schema, document, contextValue });
            if (errors !== undefined) throw new Error('the operation failed');
          }
        },
      };
    }),
    { rounds: ROUNDS, times: TIMES },
  );
  const [whole] = timings;
  if (whole === undefined) throw new Error('a contender is missing');
  const nanoseconds = (microseconds: number): number => (microseconds * 1_000) / VALUES;
  console.log(`\nMinimization of ${kind}: lists of ${VALUES}, ns for each value`);
  printTable(
    ['strategy', 'ns per value', 'ratio to whole'],
    timings.map((timing) => [
      timing.name,
      spread(timing.rounds.map(nanoseconds), 0),
      ratio(timing, whole).toFixed(2),
    ]),
  );
}
