import { describe, expect, it } from 'vitest';
import { Conditions } from '../../../gateway/authorize/conditions.js';
import { deniedSelections, placeholdersOfMutations } from '../../../gateway/authorize/removals.js';
import { analyze, clientOf, filter } from './support.js';

describe('denied selections', () => {
  it.each([
    ['below a field', '{ me { name email friend { phone } } }', ['email', 'phone']],
    ['in an inline fragment', '{ me { name ... { email } } }', ['email']],
    ['in a fragment', '{ me { ...F } } fragment F on Person { email }', ['email']],
    [
      'once in a fragment that is spread twice',
      '{ me { ...F friend { ...F } } } fragment F on Person { name email }',
      ['email'],
    ],
    ['at each place of the document', '{ me { email friend { email } } }', ['email', 'email']],
  ])('are found %s', (_where, query, denied) => {
    expect(filter(query).denied).toEqual(denied);
  });

  it.each<[string, string, readonly string[]]>([
    ['fields', 'query ($hide: Boolean!) { open me { email @skip(if: $hide) phone } }', ['phone']],
    ['those below them', 'query ($hide: Boolean!) { open me @skip(if: $hide) { email } }', []],
    ['inline fragments', 'query ($hide: Boolean!) { open me { ... @skip(if: $hide) { email } } }', []],
    [
      'fragments, at their other spread',
      'query ($hide: Boolean!) { me { ...F @skip(if: $hide) friend { ...F } } } fragment F on Person { email }',
      ['email'],
    ],
  ])('are not those that are skipped: %s', (_which, query, denied) => {
    expect(filter(query, [], { hide: true }).denied).toEqual(denied);
  });

  it('hide those below them', () => {
    expect(filter('{ open boss { email } }').denied).toEqual(['boss']);
  });

  it('hide a fragment that is skipped elsewhere', () => {
    const query =
      'query ($hide: Boolean!) { open boss { ...F } me @skip(if: $hide) { ...F } } fragment F on Person { email }';
    const { denied, removed } = filter(query, [], { hide: true });
    expect(denied).toEqual(['boss']);
    expect(removed).toContain('email denied');
  });

  it('do not hide a fragment that is spread elsewhere', () => {
    const query = '{ open boss { ...F } me { ...F } } fragment F on Person { email }';
    expect(filter(query).denied).toEqual(['boss', 'email']);
  });
});

describe('a fragment that is not defined', () => {
  const analysis = analyze(clientOf('mutation { clear { ...F } ...F note { id } }'));
  const conditions = new Conditions(analysis, {});

  it('denies nothing', () => {
    expect(deniedSelections(analysis, new Map(), conditions)).toEqual([]);
  });

  it('holds no place', () => {
    expect(placeholdersOfMutations(analysis, new Map(), conditions)).toEqual(new Set());
  });
});
