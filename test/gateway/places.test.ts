import { GraphQLInt, GraphQLList } from 'graphql';
import { expect, it } from 'vitest';
import { FieldCollector } from '../../gateway/authorize/collect.js';
import type { Executed } from '../../gateway/authorize/collect.js';
import { Places } from '../../gateway/authorize/places.js';
import type { Place } from '../../gateway/authorize/places.js';

const places = new Places(new FieldCollector({} as Executed), null, undefined);
const list = (value: unknown): Place => ({
  position: undefined,
  field: undefined,
  type: new GraphQLList(GraphQLInt),
  value,
  isThere: true,
});

it('an entry of a list is where the list has one', () => {
  expect(places.step(list([7, 8]), 1)).toMatchObject({ value: 8, isThere: true });
  expect(places.step(list([7, 8]), 2)).toBe('unselected');
  expect(places.step({ ...list([7]), type: GraphQLInt }, 0)).toBe('unselected');
});

it('a hostile subgraph cannot name an entry far beyond what an answer holds, in a list that became null', () => {
  expect(places.step(list(null), 999_999)).toMatchObject({ value: null, isThere: false });
  expect(places.step(list(null), 1_000_000)).toBe('unselected');
});
