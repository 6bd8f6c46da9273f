import { buildSchema, graphql, type GraphQLResolveInfo } from 'graphql';
import { expect, it } from 'vitest';

import { requestedFields } from '../../subgraphs/bank/shared/selection.js';

const schema = buildSchema('type Query { a: A } type A { a: A b: A c: Int d: Int }');

async function fieldsOf(source: string, ...paths: string[]): Promise<string[]> {
  let fields: string[] = [];
  const rootValue = {
    a: (_args: unknown, _context: unknown, info: GraphQLResolveInfo) => {
      fields = [...requestedFields(info, ...paths)].sort();
      return null;
    },
  };
  const { errors } = await graphql({ schema, source, rootValue });
  expect(errors).toBeUndefined();
  return fields;
}

it('fragments, aliases and repeated fields count', async () => {
  const source = `{ a { x: c ...F } a { ... on A { b { c } } } } fragment F on A { b { d } ...G } fragment G on A { d }`;
  expect(await fieldsOf(source, 'b')).toEqual(['b', 'b.c', 'b.d', 'c', 'd']);
});

it('fragments that double at each level are walked once', async () => {
  const levels = 40;
  const fragments = Array.from(
    { length: levels },
    (_, level) => `fragment F${level} on A { ...F${level + 1} ... on A { ...F${level + 1} } }`,
  );
  const source = `{ a { ...F0 } } ${fragments.join(' ')} fragment F${levels} on A { c }`;
  // Walked at each spread, they would take longer than any test has.
  expect(await fieldsOf(source)).toEqual(['c']);
});
