import { Kind } from 'graphql';
import { describe, expect, it } from 'vitest';
import { chosenOperation } from '../../../gateway/authorize/chosen-operation.js';
import { clientOf } from './support.js';

const FRAGMENTS =
  'fragment E on Person { name ...F } fragment F on Person { friend { name } } fragment G on Person { email }';
const TWO = `query One { me { ...E } } ${FRAGMENTS} query Two { boss { ...G } }`;

function namesOf(text: string, operationName: string): readonly unknown[] {
  const { document } = chosenOperation(clientOf(text, operationName));
  return document.definitions.map((node) => ('name' in node ? node.name.value : undefined));
}

describe('the only operation of a document', () => {
  it.each(['{ me { name } }', `query One { me { ...E } } ${FRAGMENTS}`, `${FRAGMENTS} { me { ...E } }`])(
    'is passed on as it is: %s',
    (text) => {
      const client = clientOf(text);
      expect(chosenOperation(client)).toBe(client);
    },
  );
});

describe('one of several operations', () => {
  it('has only the fragments that it spreads', () => {
    expect(namesOf(TWO, 'One')).toEqual(['One', 'E', 'F']);
    expect(namesOf(TWO, 'Two')).toEqual(['Two', 'G']);
  });

  it('stays the same node', () => {
    const client = clientOf(TWO, 'Two');
    const chosen = chosenOperation(client);
    expect(chosen.operation).toBe(client.operation);
    expect(chosen.document.kind).toBe(Kind.DOCUMENT);
    expect(chosen.document.definitions[0]).toBe(client.operation);
    expect(chosen.document.loc).toBe(client.document.loc);
  });

  it('has a hash of its own', () => {
    const hashOf = (text: string, name: string): string => chosenOperation(clientOf(text, name)).queryHash;
    const hash = hashOf(TWO, 'One');
    expect(hash).toMatch(/^[0-9a-f]{64}$/);
    expect(hashOf(TWO, 'One')).toBe(hash);
    expect(hashOf(TWO, 'Two')).not.toBe(hash);
    expect(hashOf(`${TWO} `, 'One')).not.toBe(hash);
  });
});

// A valid document has no such operation (GraphQL section 5.2.2.1); a program could ask with it.
it('has the hash of its document and of no name, if it has none', () => {
  const client = clientOf('{ open } query Two { me { name } }');
  const { queryHash, document } = chosenOperation({ ...client, queryHash: 'h' });
  expect(document.definitions).toEqual([client.operation]);
  // SHA-256 of "h ".
  expect(queryHash).toBe('17c76396f75dbc3aeb8831762248357f0839a12ebd90a1f87c12e95facc7c11b');
});
