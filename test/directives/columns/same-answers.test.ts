import { requestedColumns } from '@behalf/directives';
import type { ColumnMapping, RequestedColumn } from '@behalf/directives';
import * as fc from 'fast-check';
import type { GraphQLResolveInfo } from 'graphql';
import { expect, it } from 'vitest';
import { RUNS } from '../../properties/runs.js';
import { answerText, testedSubgraph } from '../support.js';
import type { TestedSubgraph, TokenOptions } from '../support.js';
import { ACCOUNT, SDL } from './accounts.js';

// For any operation of any caller: rows with the requested columns give the same answer as whole ones, and no column is only for
// fields that the caller may not read.

const STORED: Readonly<Record<string, unknown>> = {
  id: 'a-1',
  holder_id: 'alma',
  iban: 'AT611904300234573201',
  opened_on: '1990-03-05',
  tax_id: 'x-1',
  kind: 'gold',
  tags: ['one', 'two'],
  secret: 'sesame',
  is_open: true,
  city: 'Graz',
  street: 'Ring 1',
};
const WHOLE = {
  __typename: 'Account',
  id: 'a-1',
  holderId: 'alma',
  iban: STORED['iban'],
  opened: STORED['opened_on'],
  opened_on: STORED['opened_on'],
  tax: 'x-1',
  kind: 'gold',
  tags: STORED['tags'],
  hidden: 'sesame',
  open: true,
  city: 'Graz',
  street: 'Ring 1',
};

/** The scopes that the schema requires. */
const SCOPES: Readonly<Record<string, readonly string[]>> = {
  'Account.id': [],
  'Account.open': [],
  'Account.secret': ['secret'],
  'Address.street': ['read', 'secret'],
};

type LoadRow = (context: unknown, info: GraphQLResolveInfo, path?: string) => unknown;

function subgraphOf(load: LoadRow): TestedSubgraph {
  const one = (_source: unknown, _args: unknown, context: unknown, info: GraphQLResolveInfo) =>
    load(context, info);
  const row = (source: unknown) => source;
  return testedSubgraph(SDL, {
    Query: {
      account: one,
      node: one,
      accounts: (_source: unknown, _args: unknown, context: unknown, info: GraphQLResolveInfo) => ({
        edges: [{ node: load(context, info, 'edges.node'), hidden: load(context, info, 'edges.hidden') }],
      }),
    },
    Account: {
      __resolveReference: () => null,
      secret: ({ hidden }: { hidden: unknown }) => hidden,
      age: ({ opened_on: day }: { opened_on: string }) => 2026 - Number(day.slice(0, 4)),
      address: row,
      payments: () => ['p-1'],
    },
    Node: { __resolveType: () => 'Account' },
    Party: { __resolveType: () => 'Person' },
  });
}

const lists: (readonly RequestedColumn[])[] = [];
const whole = subgraphOf(() => WHOLE);
const narrow = subgraphOf((context, info, path) => {
  const columns = requestedColumns(info, context, ACCOUNT satisfies ColumnMapping, path);
  lists.push(columns);
  return Object.fromEntries(
    columns.map(({ column, property, constant }) => [property, constant ?? STORED[column]]),
  );
});

const ADDRESS = fc.subarray(['city', 'street', '__typename'], { minLength: 1 });
const FIELDS = fc.subarray(
  [
    '__typename',
    'id',
    'iban',
    'opened',
    'age',
    'tax',
    'kind',
    'tags',
    'secret',
    'open',
    'payments',
    'again: iban',
  ],
  { minLength: 1 },
);
/** A selection on an account, perhaps in fragments that may be skipped. */
const selection = fc
  .tuple(FIELDS, ADDRESS, fc.constantFrom('', '@include(if: $yes)', '@skip(if: $yes)'), fc.nat({ max: 3 }))
  .map(([fields, address, condition, form]) => {
    const [some, others] = [fields.slice(0, form), fields.slice(form)];
    const nested = `address { ${address.join(' ')} }`;
    const fragment = `... on Account ${condition} { ${[...others, nested].join(' ')} }`;
    return `{ __typename ... on Account { ${['open', ...some].join(' ')} } ... on Node { id ${fragment} } }`;
  });
const operation = fc
  .record({
    account: selection,
    node: selection,
    edge: selection,
    hidden: selection,
    yes: fc.boolean(),
  })
  .map(({ account, node, edge, hidden, yes }) => ({
    yes,
    query: `query ($yes: Boolean!) { account ${account} again: account ${node} node ${node}
      accounts { edges { node ${edge} hidden ${hidden} cursor @skip(if: $yes) } } }`,
  }));
const caller: fc.Arbitrary<TokenOptions | undefined> = fc.option(
  fc.record({
    scope: fc.subarray(['read', 'details', 'secret', 'all']).map((scopes) => scopes.join(' ')),
    detail: fc.constantFrom('full' as const, 'minimal' as const),
    subject: fc.constantFrom('alma', 'noor'),
  }),
  { nil: undefined },
);

it('rows with the requested columns give the answer of whole rows', async () => {
  await fc.assert(
    fc.asyncProperty(operation, caller, async ({ query, yes }, token) => {
      lists.length = 0;
      const answer = await narrow.ask(query, token, { yes });
      expect(answerText(answer)).toBe(answerText(await whole.ask(query, token, { yes })));
      const held = token?.scope?.split(' ') ?? [];
      const denied = lists
        .flat()
        .filter(
          ({ coordinates }) =>
            coordinates.length > 0 &&
            !coordinates.some((each) => (SCOPES[each] ?? ['read']).every((scope) => held.includes(scope))),
        );
      expect(denied).toEqual([]);
    }),
    { numRuns: Math.ceil(300 * RUNS) },
  );
});
