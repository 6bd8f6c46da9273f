import { RuleTable } from '@behalf/directives/internal';
import { GraphQLError, parse, print } from 'graphql';
import { describe, expect, it } from 'vitest';
import {
  fieldsRead,
  outermostFields,
  readFieldSet,
  selectedOn,
} from '../../../gateway/supergraph/field-set.js';

const rules = new RuleTable(
  parse(`
    type Query { user: User! }
    interface Party { id: ID! }
    type User implements Party { id: ID! friends: [User!]! address: Address }
    type Address { city: String }
  `),
  { coverage: 'open' },
);

const read = (fieldSet: string): string[] =>
  [...fieldsRead('User', readFieldSet(fieldSet), rules)].map(({ type, field }) => `${type}.${field}`);

describe('a field set', () => {
  it.each(['id address { city }', ' { id address { city } } ', '\n{ id address { city } }'])(
    'is read with its braces or without: %j',
    (text) => {
      expect(print(readFieldSet(text)).replace(/\s+/g, ' ')).toBe('{ id address { city } }');
    },
  );

  it.each([
    '',
    'id {',
    'id }',
    'id } query Other { secret',
    '{ id } fragment F on User { id }',
    'query { id }}',
  ])('that is something else is refused: %j', (text) => {
    expect(() => readFieldSet(text)).toThrow(GraphQLError);
  });
});

it.each(['id } query Other { secret', 'id friends { ...Other }'])(
  'a field set that reads more than it shows is refused, and named: %s',
  (text) => {
    expect(() => readFieldSet(text)).toThrow(`Not a field set: ${text}`);
  },
);

describe('the fields that a field set reads', () => {
  it.each<[string, readonly string[]]>([
    ['id', ['User.id']],
    ['id address { city }', ['User.id', 'User.address', 'Address.city']],
    ['friends { friends { id } }', ['User.friends', 'User.friends', 'User.id']],
    ['__typename id', ['User.id']],
    ['... on Party { id }', ['Party.id']],
    ['... { address { ... { city } } }', ['User.address', 'Address.city']],
  ])('%s', (fieldSet, fields) => {
    expect(read(fieldSet)).toEqual(fields);
  });

  it('end at a field that the schema does not have', () => {
    expect(read('gone { id }')).toEqual(['User.gone']);
    expect([...fieldsRead('Nobody', readFieldSet('id'), rules)]).toEqual([{ type: 'Nobody', field: 'id' }]);
  });
});

describe('what field sets select on each field', () => {
  it('is joined over field sets and fragments', () => {
    const sets = ['id address { city }', '... on User { address { street } ... { name } }'].map(readFieldSet);
    const selected = [...selectedOn(sets)].map(([field, on]) => [
      field,
      on.map((set) => print(set).replace(/\s+/g, ' ')),
    ]);
    expect(selected).toEqual([
      ['id', []],
      ['address', ['{ city }', '{ street }']],
      ['name', []],
    ]);
  });

  it('has the outermost fields as its keys', () => {
    expect([...outermostFields('id address { city } ... { name }')]).toEqual(['id', 'address', 'name']);
  });
});
