import { execute, parse, subscribe } from 'graphql';
import type { ExecutionResult } from 'graphql';
import { describe, expect, it } from 'vitest';
import type { ProtectionOptions } from '@behalf/directives';
import { testedSubgraph } from './support.js';
import type { Asked } from './support.js';

const SDL = `
  type Query { person: Person @public firstName: String @public }
  type Subscription { firstName: String @public }
  type Person {
    firstName: String @public
    lastName: String @public @minimize(to: TRUNCATE, keep: 1)
    secretName: String @requiresScope(scope: "secret")
    ownName: String @public
  }`;

/** Reads the column of the field's name, as an object-relational mapper may write it. */
const byColumn = (source: unknown, _args: unknown, _context: unknown, info: { fieldName: string }): unknown =>
  (source as Record<string, unknown>)[
    info.fieldName.replace(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`)
  ];

const row = { first_name: 'Alma', last_name: 'Lindqvist', secret_name: 'A', own_name: 'not this' };
const resolvers = { Query: { person: () => row }, Person: { ownName: () => 'own' } };
const QUERY = '{ person { firstName lastName secretName ownName } }';

function ask(options: Partial<ProtectionOptions>): Promise<Asked> {
  return testedSubgraph(SDL, resolvers, options).ask(QUERY, {});
}

describe('a field without a resolver of its own', () => {
  it('is resolved by the given one, within the protection', async () => {
    const { data, errors } = await ask({ fieldResolver: byColumn });
    expect(data).toEqual({ person: { firstName: 'Alma', lastName: 'L', secretName: null, ownName: 'own' } });
    expect(errors?.map(({ path }) => path)).toEqual([['person', 'secretName']]);
  });

  it('is resolved by that of graphql-js otherwise', async () => {
    for (const options of [{}, { fieldResolver: undefined }] as readonly Partial<ProtectionOptions>[])
      expect((await ask(options)).data).toEqual({
        person: { firstName: null, lastName: null, secretName: null, ownName: 'own' },
      });
  });

  it('is resolved by the given one in shadow as well', async () => {
    const { data } = await ask({ fieldResolver: byColumn, enforcement: 'shadow' });
    expect(data).toEqual({
      person: { firstName: 'Alma', lastName: 'Lindqvist', secretName: 'A', ownName: 'own' },
    });
  });
});

it('a subscription without a source of its own has the given one', async () => {
  const subgraph = testedSubgraph(SDL, resolvers, {
    fieldResolver: byColumn,
    subscribeFieldResolver: async function* () {
      yield { first_name: 'Alma' };
    },
  });
  const document = parse('subscription { firstName }');
  const { schema } = subgraph;
  const contextValue = await subgraph.context(undefined);
  const events: ExecutionResult[] = [];
  for await (const event of (await subscribe({
    schema,
    document,
    contextValue,
  })) as AsyncIterable<ExecutionResult>)
    events.push(event);
  expect(events).toEqual([{ data: { firstName: 'Alma' } }]);
  expect(await execute({ schema, document: parse('{ firstName }'), contextValue, rootValue: row })).toEqual({
    data: { firstName: 'Alma' },
  });
});
