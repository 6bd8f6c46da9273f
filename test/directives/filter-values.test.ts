import { FilterInputs, gatesInValue, RuleTable } from '@behalf/directives/internal';
import type { FilteredMembers, FilterGate } from '@behalf/directives/internal';
import { buildASTSchema, isEnumType, parse } from 'graphql';
import { beforeEach, describe, expect, it } from 'vitest';
import { refusedArgument } from '../../directives/src/decide/filter-values.js';
import { LINKS } from './support.js';

const SDL = `
  type Query {
    a(
      one: Int @filters(field: "Query.secret")
      list: [Int!] = [1, 2] @filters(field: "Query.secret")
      where: Where = { x: 1, tags: ["a"], deep: { y: 2 } }
      free: Int
    ): Int
    secret: Int @authenticated
    other: Int @requiresScope(scope: "other")
  }
  input Where {
    x: Int @filters(field: "Query.secret")
    tags: [String!] @filters(field: "Query.other")
    deep: Deep
    order: Order
    free: Free
    and: [Where!]
    preset: Int = 7 @filters(field: "Query.other")
  }
  input Deep { y: Int @filters(field: "Query.other"), z: Int }
  input Free { x: Int }
  enum Order { ID SECRET @filters(field: "Query.secret") }
`;
const rules = new RuleTable(parse(LINKS + SDL), { coverage: 'open' });
const schema = buildASTSchema(parse(SDL), { assumeValid: true, assumeValidSDL: true });
const found = schema.getQueryType()?.getFields()['a'];
if (found === undefined) throw new Error('the field is in the schema');
const field = found;

let inputs: FilterInputs;
let members: FilteredMembers;
beforeEach(() => {
  inputs = new FilterInputs(schema, rules.filters);
  members = inputs.argumentsOf('Query', field) ?? new Map();
});

const places = (gates: Iterable<FilterGate>): string[] => [...gates].map(({ at }) => at).sort();

/** Where the first refused condition is, if all are. */
function refused(args: Readonly<Record<string, unknown>>): unknown {
  const first = refusedArgument(args, members, inputs, () => 'refused' as const);
  return first && [first.argument, first.gate.at];
}

describe('the conditions of a value', () => {
  it.each([
    [{ x: 1 }, ['Where.x']],
    [{ x: null }, ['Where.x']],
    [{ x: undefined }, []],
    [{ deep: { y: 1 }, tags: [] }, ['Deep.y', 'Where.tags']],
    [{ deep: { z: 1 } }, []],
    [{ deep: null }, []],
    [{ free: { x: 1 } }, []],
    [{ unknown: { x: 1 } }, []],
    [{ and: [{ and: { x: 1 } }, { tags: null }] }, ['Where.tags', 'Where.x']],
    [[[{ x: 1 }]], ['Where.x']],
    ['x', []],
    [null, []],
    [undefined, []],
    [5, []],
  ])('%j', (value, expected) => {
    expect(places(gatesInValue(value, 'Where', inputs, 'sent'))).toEqual(expected);
    expect(places(gatesInValue(value, 'Where', inputs, 'coerced'))).toEqual(expected);
  });

  it.each([
    [{ preset: 7 }, ['Where.preset'], []],
    [{ preset: 8 }, ['Where.preset'], ['Where.preset']],
  ])('%j: a default counts only as it was sent', (value, sent, coerced) => {
    expect(places(gatesInValue(value, 'Where', inputs, 'sent'))).toEqual(sent);
    expect(places(gatesInValue(value, 'Where', inputs, 'coerced'))).toEqual(coerced);
  });

  it('of an enum are found by name as it was sent, and by value as it is resolved', () => {
    const own = buildASTSchema(parse(SDL), { assumeValid: true, assumeValidSDL: true });
    const type = own.getType('Order');
    if (!isEnumType(type)) throw new Error('the enum is in the schema');
    for (const value of type.getValues()) value.value = `internal ${value.name}`;
    const renamed = new FilterInputs(own, rules.filters);
    const gatesOf = (value: string, form: 'sent' | 'coerced'): string[] =>
      places(gatesInValue({ order: value }, 'Where', renamed, form));
    expect(gatesOf('SECRET', 'sent')).toEqual(['Order.SECRET']);
    expect(gatesOf('SECRET', 'coerced')).toEqual([]);
    expect(gatesOf('internal SECRET', 'sent')).toEqual([]);
    expect(gatesOf('internal SECRET', 'coerced')).toEqual(['Order.SECRET']);
    for (const form of ['sent', 'coerced'] as const) {
      expect(gatesOf('ID', form)).toEqual([]);
      expect(gatesOf('internal ID', form)).toEqual([]);
    }
  });

  it('of a type without any are none', () => {
    expect(inputs.input('Free')).toBeUndefined();
    expect(places(gatesInValue({ x: 1 }, 'Free', inputs, 'sent'))).toEqual([]);
    expect(places(gatesInValue({ x: 1 }, 'Nowhere', inputs, 'sent'))).toEqual([]);
    expect(places(inputs.gatesWithin('Free'))).toEqual([]);
  });

  it('are bounded by those of its type', () => {
    const all = ['Deep.y', 'Order.SECRET', 'Where.preset', 'Where.tags', 'Where.x'];
    expect(places(inputs.gatesWithin('Where'))).toEqual(all);
  });

  it('are found at any depth', () => {
    let value: object = { x: 1 };
    for (let depth = 0; depth < 100_000; depth += 1) value = { and: [value] };
    expect(places(gatesInValue(value, 'Where', inputs, 'sent'))).toEqual(['Where.x']);
  });
});

describe('the arguments of a resolver', () => {
  it.each([
    [{}, undefined],
    [{ free: 1 }, undefined],
    [{ one: 1 }, ['one', 'Query.a(one:)']],
    [{ one: null }, ['one', 'Query.a(one:)']],
    [{ one: undefined }, undefined],
    [{ list: [1, 2] }, undefined],
    [{ list: [1, 3] }, ['list', 'Query.a(list:)']],
    [{ list: [3, 2] }, ['list', 'Query.a(list:)']],
    [{ list: [1] }, ['list', 'Query.a(list:)']],
    [{ list: [1, 2, 3] }, ['list', 'Query.a(list:)']],
    [{ list: { 0: 1, 1: 2 } }, ['list', 'Query.a(list:)']],
    [{ list: null }, ['list', 'Query.a(list:)']],
    [{ where: {} }, undefined],
    [{ where: { x: 1 } }, ['where', 'Where.x']],
    [{ where: { x: 1, tags: ['a'], deep: { y: 2 } } }, ['where', 'Where.x']],
    [{ where: { x: 1, tags: ['a'], deep: { y: 2 }, preset: 7 } }, undefined],
    [{ where: { x: 1, tags: ['a'], deep: { y: 3 }, preset: 7 } }, ['where', 'Where.x']],
    [{ where: { x: 1, tags: ['a', 'b'], deep: { y: 2 }, preset: 7 } }, ['where', 'Where.x']],
    [{ where: { x: 1, tags: ['a'], deep: { y: 2 }, name: 7 } }, ['where', 'Where.x']],
    [{ where: { x: 1, tags: ['a'], deep: { y: 2 }, preset: 7, and: [] } }, ['where', 'Where.x']],
    [{ where: new Map() }, undefined],
  ])('%j', (args, expected) => {
    expect(refused(args)).toEqual(expected);
  });

  it('are read as their own properties', () => {
    expect(refused(Object.create({ one: 1 }) as Record<string, unknown>)).toBeUndefined();
  });

  it('are permitted where no condition is refused', () => {
    expect(refusedArgument({ one: 1 }, members, inputs, () => undefined)).toBeUndefined();
  });

  it('are not read at all where none leads to a condition', () => {
    const plain = { name: 'plain', args: field.args.filter(({ name }) => name === 'free') };
    expect(inputs.argumentsOf('Query', plain)).toBeUndefined();
  });
});
