import { NO_REQUIREMENT } from '@behalf/directives/internal';
import type { Requirement } from '@behalf/directives/internal';
import { describe, expect, it } from 'vitest';
import { implies } from '../../../gateway/supergraph/implication.js';

type Alternatives = readonly (readonly string[])[];

const rule = (part: Partial<Requirement>): Requirement => ({ ...NO_REQUIREMENT, ...part });
const scopes = (...entries: readonly Alternatives[]): Requirement => rule({ scopes: entries });
/** As many alternatives of one name each. */
const oneOf = (count: number): Alternatives => Array.from({ length: count }, (_, index) => [`s${index}`]);

const TOKEN = rule({ authenticated: true });
const UNCOVERED = rule({ uncovered: true });

describe('one requirement implies another', () => {
  it.each<[string, Requirement, Requirement]>([
    ['nothing, nothing', NO_REQUIREMENT, NO_REQUIREMENT],
    ['a scope, nothing', scopes([['a']]), NO_REQUIREMENT],
    ['a scope, a token', scopes([['a']]), TOKEN],
    ['a purpose, a token', rule({ purposes: [['p']] }), TOKEN],
    ['two scopes, one of them', scopes([['a']], [['b']]), scopes([['b']])],
    ['two scopes at once, one of them', scopes([['a', 'b']]), scopes([['b']])],
    ['one scope, that one or another', scopes([['a']]), scopes([['b'], ['a']])],
    [
      'each way through two choices',
      scopes([['a'], ['b']], [['c']]),
      scopes([
        ['a', 'c'],
        ['b', 'c'],
      ]),
    ],
    ['what nobody meets, anything', UNCOVERED, scopes([['a']])],
    ['an empty choice, anything', scopes([]), scopes([['a']])],
    ['a purpose, that one or another', rule({ purposes: [['p']] }), rule({ purposes: [['q', 'p']] })],
    ['a policy, itself', rule({ policies: [[['p']]] }), rule({ policies: [[['p']]] })],
  ])('%s', (_name, asked, wanted) => {
    expect(implies(asked, wanted)).toBe('yes');
  });
});

describe('one requirement does not imply another', () => {
  it.each<[string, Requirement, Requirement]>([
    ['nothing, a token', NO_REQUIREMENT, TOKEN],
    ['a choice of nothing, a token', scopes([[]]), TOKEN],
    ['a token, a scope', TOKEN, scopes([['a']])],
    ['a scope, another', scopes([['a']]), scopes([['b']])],
    ['one of two scopes, one of them', scopes([['a'], ['b']]), scopes([['a']])],
    ['one of two scopes, the other of them', scopes([['b'], ['a']]), scopes([['a']])],
    ['one scope, two at once', scopes([['a']]), scopes([['a', 'b']])],
    ['two scopes, the second of which is missing', scopes([['a']]), scopes([['a']], [['b']])],
    ['a scope, a policy of the same name', scopes([['a']]), rule({ policies: [[['a']]] })],
    ['a policy, a scope of the same name', rule({ policies: [[['a']]] }), scopes([['a']])],
    ['a scope, a purpose of the same name', scopes([['a']]), rule({ purposes: [['a']] })],
    ['one of two purposes, one of them', rule({ purposes: [['p', 'q']] }), rule({ purposes: [['p']] })],
    ['anything, what nobody meets', scopes([['a']]), UNCOVERED],
    ['one way through two choices', scopes([['a'], ['b']], [['c'], ['d']]), scopes([['a', 'c'], ['b']])],
  ])('%s', (_name, asked, wanted) => {
    expect(implies(asked, wanted)).toBe('no');
  });
});

describe('a comparison that is too long', () => {
  const asked = scopes([['a'], ['b'], ['c']], [['x']]);
  const wanted = scopes([
    ['a', 'x'],
    ['b', 'x'],
    ['c', 'x'],
  ]);

  it('is given up, and never counts as implied', () => {
    expect(implies(asked, wanted, 1)).toBe('unknown');
    expect(implies(NO_REQUIREMENT, TOKEN, 1)).toBe('unknown');
    expect(implies(NO_REQUIREMENT, TOKEN, 2)).toBe('no');
  });

  it('stays unknown when another part follows, and is refuted when another part does not', () => {
    const unknown = rule({ ...asked, authenticated: true });
    expect(implies(unknown, rule({ scopes: [...wanted.scopes, [['x']]] }), 2)).toBe('unknown');
    expect(implies(asked, rule({ scopes: [...wanted.scopes, [['a']]] }), 5)).toBe('no');
  });

  it('takes the shortest choice first, wherever it stands', () => {
    expect(implies(asked, wanted, 6)).toBe('yes');
    expect(implies(scopes([['x']], [['a'], ['b'], ['c']]), wanted, 6)).toBe('yes');
    expect(implies(asked, wanted, 5)).toBe('unknown');
  });

  it('needs no steps for what follows from one part alone, written the same or not', () => {
    expect(implies(scopes([['a'], ['b']]), scopes([['b'], ['a']]), 1)).toBe('yes');
    expect(implies(scopes([['z']], [['a'], ['b']]), scopes([['a'], ['b'], ['c']]), 1)).toBe('yes');
    expect(implies(scopes(oneOf(1_001)), scopes(oneOf(1_001)), 1)).toBe('yes');
  });

  it('compares at most a million pairs of alternatives with each other', () => {
    expect(implies(scopes(oneOf(1_000)), scopes(oneOf(1_000).toReversed()), 1)).toBe('yes');
    expect(implies(scopes(oneOf(1_000)), scopes(oneOf(1_001).toReversed()), 1)).toBe('unknown');
  });

  it('counts a step over a hundred alternatives as two', () => {
    expect(implies(NO_REQUIREMENT, scopes(oneOf(99)), 2)).toBe('no');
    expect(implies(NO_REQUIREMENT, scopes(oneOf(100)), 2)).toBe('unknown');
    expect(implies(NO_REQUIREMENT, scopes(oneOf(100)), 3)).toBe('no');
    const others = scopes(Array.from({ length: 50 }, (_, index) => [`t${index}`]));
    expect(implies(others, scopes(oneOf(50)), 3)).toBe('unknown');
    expect(implies(others, scopes(oneOf(49)), 3)).toBe('no');
  });
});
