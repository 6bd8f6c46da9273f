import { Kind, parse } from 'graphql';
import type { OperationDefinitionNode } from 'graphql';
import { describe, expect, it } from 'vitest';
import { analyze, clientOf, filter, filterAnalysis } from './support.js';

describe('a filtered operation', () => {
  it('has no denied field', () => {
    const { text, removed, denied } = filter('{ me { name email } }');
    expect(text).toBe('{ me { name } }');
    expect(removed).toEqual(['email denied']);
    expect(denied).toEqual(['email']);
  });

  it('is the definition in its document', () => {
    const { execute } = filter('fragment F on Person { name } query Q { me { ...F email } }').filtered;
    expect(execute?.document.definitions).toContain(execute?.operation);
    expect(execute?.operation).toMatchObject({ kind: Kind.OPERATION_DEFINITION, name: { value: 'Q' } });
    expect(execute?.document.kind).toBe(Kind.DOCUMENT);
  });

  it('has a hash of its own, by what is left', () => {
    const hashOf = (text: string): string | undefined => filter(text).filtered.execute?.queryHash;
    const hash = hashOf('{ me { name email } }');
    expect(hash).toMatch(/^[0-9a-f]{64}$/);
    expect(hashOf('{ me { name phone } }')).toBe(hash);
    expect(hashOf('{ me { friend { name } phone } }')).not.toBe(hash);
  });

  it.each([
    '{ boss { name } }',
    '{ me { email } }',
    'mutation { ... on Paying { pay { id } } }',
    'mutation { note { total } }',
  ])('is none if nothing is left: %s', (text) => {
    const { filtered, denied } = filter(text);
    expect(filtered.execute).toBeUndefined();
    expect(filtered.removals.size).toBeGreaterThan(0);
    expect(denied).toHaveLength(1);
  });

  it('selects only its type if all of it was skipped', () => {
    const query = 'query ($hide: Boolean!) { boss @skip(if: $hide) { name } }';
    const { text, denied } = filter(query, [], { hide: true });
    expect(text).toBe('{ __behalf_typename: __typename }');
    expect(denied).toEqual([]);
  });

  it('is the same if everything is permitted', () => {
    const query = 'query Q($t: String) @note(text: $t) { me { name email } }';
    expect(filter(query, ['email']).text).toBe(query);
  });
});

describe('the variables of a filtered operation', () => {
  it('are those that it uses', () => {
    const query =
      'mutation ($a: String, $b: String, $c: Boolean!) { note(text: $a) { id total @skip(if: $c) } ... on Paying { pay { payer @include(if: $c) { name } } } other: note(text: $b) { total } }';
    expect(filter(query, [], { c: false }).text).toBe('mutation ($a: String) { note(text: $a) { id } }');
  });

  it('may be used by its directives alone', () => {
    expect(filter('query ($t: String) @note(text: $t) { me { name email } }').text).toBe(
      'query ($t: String) @note(text: $t) { me { name } }',
    );
  });

  it('may be missing in an operation that a program wrote', () => {
    const { document, operation, queryHash } = clientOf('{ me { name email } }');
    const { variableDefinitions: _, directives: __, ...bare } = operation;
    const client = { document, operation: bare as OperationDefinitionNode, queryHash };
    const { text, filtered } = filterAnalysis(analyze(client));
    expect(text).toBe('{ me { name } }');
    expect(filtered.execute?.operation.variableDefinitions).toEqual([]);
  });
});

describe('the fragments of a filtered operation', () => {
  it('are filtered', () => {
    expect(filter('{ me { ...F } } fragment F on Person { name email }').text).toBe(
      '{ me { ...F } } fragment F on Person { name }',
    );
  });

  it('are those that it uses', () => {
    const query =
      '{ me { name ...E } boss { ...F } } fragment E on Person { email ...P } fragment P on Person { phone } fragment F on Person { name }';
    expect(filter(query).text).toBe('{ me { name } }');
  });

  it('stay whole in introspection', () => {
    const query =
      '{ __schema { ...S } me { name email } } fragment S on __Schema { queryType { ...T } } fragment T on __Type { name }';
    expect(filter(query).text).toBe(
      '{ __schema { ...S } me { name } } fragment S on __Schema { queryType { ...T } } fragment T on __Type { name }',
    );
  });

  it.each([
    ['that is not defined', ''],
    ['on a type that reads data', ' fragment F on Person { email }'],
  ])('do not include one in introspection %s', (_which, fragment) => {
    const { filtered } = filter(`{ __schema { ...F } me { name email } }${fragment}`);
    expect(filtered.execute?.document.definitions).toHaveLength(1);
  });

  it('do not include one that is not defined, wherever it is spread', () => {
    const { filtered } = filter('{ open __schema { ...F } ...F boss { name } }');
    expect(filtered.execute?.document.definitions).toHaveLength(1);
  });
});

describe('a field of a filtered operation', () => {
  it('selects its type if that is an interface, also if nothing else is left', () => {
    expect(filter('{ any { name ... on Person { email } } }').text).toBe(
      '{ any { name __behalf_typename: __typename } }',
    );
    const query = 'query ($hide: Boolean!) { any { ... on Person @skip(if: $hide) { email } } }';
    expect(filter(query, [], { hide: true }).text).toBe('{ any { __behalf_typename: __typename } }');
  });

  it('selects its type if all else in it was skipped', () => {
    const query = 'query ($hide: Boolean!) { me { email @skip(if: $hide) } }';
    const { text, removed } = filter(query, [], { hide: true });
    expect(text).toBe('{ me { __behalf_typename: __typename } }');
    expect(removed).toEqual(['email denied']);
  });

  it('is not kept by what is skipped in it', () => {
    const query = 'query ($hide: Boolean!) { open me { name @skip(if: $hide) email } }';
    expect(filter(query, [], { hide: true }).text).toBe('{ open }');
    expect(filter(query, [], { hide: false }).text).toContain('me { name');
  });

  it('is not kept by a fragment that is not defined', () => {
    expect(filter('{ open me { ...F email } }').text).toBe('{ open }');
  });

  it('has another key if the client’s is the name of a field that joins subgraphs', () => {
    const analysis = analyze(
      clientOf('{ me { id: name key: friend { name email } } }'),
      new Set(['id', 'key']),
    );
    expect(filterAnalysis(analysis).text).toBe(
      '{ me { __behalf_key_id: name __behalf_key_key: friend { name } } }',
    );
  });
});

// GraphQL sections 6.2.2 and 6.3.2: mutations run in the order in which their response keys are first selected.
describe('an emptied mutation', () => {
  it('holds the place of its key if another with the key is executed', () => {
    const { text, removed } = filter('mutation { note { total } clear { id } note { id } }');
    expect(text).toBe('mutation { note { __behalf_typename: __typename } clear { id } note { id } }');
    expect(removed).toEqual(['total denied', 'note emptied']);
  });

  it('is not executed if no other has its key', () => {
    expect(filter('mutation { note { total } clear { id } other: note { id } }').text).toBe(
      'mutation { clear { id } other: note { id } }',
    );
  });

  it('is not executed if the other is skipped', () => {
    const query =
      'mutation ($hide: Boolean!) { note { total } clear { id } ... @skip(if: $hide) { note { id } } }';
    expect(filter(query, [], { hide: true }).text).not.toContain('__behalf_typename');
    expect(filter(query, [], { hide: false }).text).toContain('__behalf_typename');
  });

  it('is not executed if the other is denied', () => {
    const query = 'mutation { pay { total } ... on Paying { pay { id } } clear { id } }';
    const { text, removed } = filter(query);
    expect(text).toBe('mutation { clear { id } }');
    expect(removed).toEqual(['total denied', 'pay emptied', 'pay denied']);
  });

  it('has its place in a fragment too', () => {
    const query =
      'mutation { ...F clear { id } note { id } } fragment F on Mutation { ... on Mutation { note { total } } }';
    expect(filter(query).text).toBe(
      'mutation { ...F clear { id } note { id } } fragment F on Mutation { ... on Mutation { note { __behalf_typename: __typename } } }',
    );
  });
});

describe('an emptied field that is no mutation', () => {
  it.each([
    ['of a query', '{ me { email } open me { name } }', '{ open me { name } }'],
    [
      'within a mutation',
      'mutation { note { payer { email } id payer { name } } }',
      'mutation { note { id payer { name } } }',
    ],
  ])('holds no place: %s', (_where, query, left) => {
    expect(filter(query).text).toBe(left);
  });
});

it('parses as it prints', () => {
  const { text } = filter(
    'query Q($t: String) @note(text: $t) { me { ...F } } fragment F on Person { name email }',
  );
  expect(() => parse(text ?? '')).not.toThrow();
});
