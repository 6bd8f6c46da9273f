import { buildProtectedSubgraph } from '@behalf/directives';
import { graphql } from 'graphql';
import { expect, it } from 'vitest';

const typeDefs = /* GraphQL */ `
  extend schema
    @link(url: "https://specs.apollo.dev/federation/v2.9", import: ["@key"])
    @link(url: "https://specs.behalf.dev/behalf/v0.1", import: ["@public"])

  type Query {
    ok: Boolean @public
  }

  type Thing @key(fields: "id") @public {
    id: ID!
  }
`;

it('an unknown type beside a failing reference leaves no unhandled rejection', async () => {
  const unheard: unknown[] = [];
  const hear = (reason: unknown): void => {
    unheard.push(reason);
  };
  process.on('unhandledRejection', hear);
  try {
    const schema = buildProtectedSubgraph({
      name: 'things',
      typeDefs,
      resolvers: { Thing: { __resolveReference: () => Promise.reject(new Error('no database')) } },
      gateway: { issuer: 'https://gateway.example', keys: [] },
    });
    const ask = (...of: string[]): ReturnType<typeof graphql> =>
      graphql({
        schema,
        source: 'query ($of: [_Any!]!) { _entities(representations: $of) { __typename } }',
        variableValues: { of: of.map((__typename) => ({ __typename, id: '1' })) },
      });
    expect((await ask('Thing', 'Nothing')).errors).toHaveLength(1);
    await new Promise((resolve) => setTimeout(resolve, 20));
    expect(unheard).toEqual([]);
    // By itself, the failure is an error at its position, as before.
    const { data, errors } = await ask('Thing');
    expect(data).toEqual({ _entities: [null] });
    expect(errors?.[0]?.path).toEqual(['_entities', 0]);
    expect(errors?.[0]?.originalError?.message).toBe('no database');
  } finally {
    process.off('unhandledRejection', hear);
  }
});
