import {
  isUnrestricted,
  combine,
  describeRequirement,
  holdsOne,
  isMet,
  NO_REQUIREMENT,
  requirementParts,
  ruleText,
  isExemptFromMinimize,
  isExemptFromSubject,
} from '@behalf/directives/internal';
import type { Delegation } from '@behalf/directives';
import type { Requirement } from '@behalf/directives/internal';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';

const NAMES = ['a', 'b', 'c'] as const;
const name = fc.constantFrom(...NAMES);
const names = fc.array(name, { maxLength: 2 });
const alternatives = fc.array(names, { maxLength: 2 });

/** Lists every part of a requirement, so that a new part does not compile until it is drawn here, too. */
const requirement: fc.Arbitrary<Requirement> = fc.record<Requirement>({
  authenticated: fc.boolean(),
  scopes: fc.array(alternatives, { maxLength: 2 }),
  policies: fc.array(alternatives, { maxLength: 2 }),
  purposes: fc.array(names, { maxLength: 3 }),
  uncovered: fc.boolean(),
});

function delegation(held: {
  scopes?: readonly string[];
  policies?: readonly string[];
  purposes?: readonly string[];
  detail?: 'full' | 'minimal';
}): Delegation {
  return {
    subject: 'alma',
    clientId: 'app',
    scopes: new Set(held.scopes ?? []),
    policies: new Set(held.policies ?? []),
    roles: [],
    ...(held.purposes === undefined
      ? {}
      : { consent: { id: 'c', version: 1, purposes: held.purposes, detail: held.detail ?? 'full' } }),
  };
}

const caller: fc.Arbitrary<Delegation | undefined> = fc.option(
  fc.record({ scopes: names, policies: names, purposes: names }).map(delegation),
  { nil: undefined },
);

const asks = (part: Partial<Requirement>): Requirement => ({ ...NO_REQUIREMENT, ...part });

describe('a requirement', () => {
  it('is met by nobody without a rule', () => {
    const uncovered = asks({ uncovered: true });
    expect(isMet(uncovered, undefined)).toBe(false);
    expect(
      isMet(uncovered, delegation({ scopes: [...NAMES], policies: [...NAMES], purposes: [...NAMES] })),
    ).toBe(false);
  });

  it('for authentication: is met by any delegation, and by no anonymous caller', () => {
    expect(isMet(asks({ authenticated: true }), undefined)).toBe(false);
    expect(isMet(asks({ authenticated: true }), delegation({}))).toBe(true);
    expect(isMet(NO_REQUIREMENT, undefined)).toBe(true);
  });

  it.each([
    ['both purposes', ['a', 'b'], true],
    ['the first alone', ['a'], false],
    ['the second alone', ['b'], false],
    ['another', ['c'], false],
    ['none', [], false],
  ])('needs every repeated @purpose, with %s consented', (_, purposes, met) => {
    expect(isMet(asks({ purposes: [['a'], ['b']] }), delegation({ purposes }))).toBe(met);
  });

  it('needs one of the purposes that a single @purpose lists', () => {
    const either = asks({ purposes: [['a', 'b']] });
    expect(isMet(either, delegation({ purposes: ['b'] }))).toBe(true);
    expect(isMet(either, delegation({ purposes: ['c'] }))).toBe(false);
    expect(isMet(asks({ purposes: [[]] }), delegation({ purposes: [...NAMES] }))).toBe(false);
    // Nobody consented: a service, or an issuer without consents.
    expect(isMet(either, delegation({}))).toBe(false);
  });

  it.each(['scopes', 'policies'] as const)(
    'needs every entry of %s, and one whole alternative of each',
    (part) => {
      const rule = asks({ [part]: [[['a', 'b'], ['c']], [['a']]] });
      const held = (...of: string[]): boolean => isMet(rule, delegation({ [part]: of }));
      expect(held('a', 'b')).toBe(true);
      expect(held('a', 'c')).toBe(true);
      expect(held('a')).toBe(false);
      expect(held('c')).toBe(false);
      expect(held('b', 'c')).toBe(false);
      expect(isMet(rule, undefined)).toBe(false);
    },
  );

  it('keeps scopes, policies and purposes apart', () => {
    const all = delegation({ scopes: ['a'], policies: ['b'], purposes: ['c'] });
    expect(isMet(asks({ policies: [[['a']]] }), all)).toBe(false);
    expect(isMet(asks({ scopes: [[['b']]] }), all)).toBe(false);
    expect(isMet(asks({ purposes: [['a', 'b']] }), all)).toBe(false);
    expect(isMet(asks({ scopes: [[['a']]], policies: [[['b']]], purposes: [['c']] }), all)).toBe(true);
  });

  it('without alternatives is never met; an empty alternative always is', () => {
    expect(holdsOne([], new Set(NAMES))).toBe(false);
    expect(holdsOne([[]], new Set())).toBe(true);
  });
});

describe('properties of requirements', () => {
  it('a requirement is met exactly if all its parts are', () => {
    fc.assert(
      fc.property(requirement, caller, (asked, held) => {
        expect(isMet(asked, held)).toBe(requirementParts(asked).every((part) => isMet(part, held)));
      }),
    );
  });

  it('each part asks for one thing', () => {
    const whole: Requirement = {
      authenticated: true,
      uncovered: true,
      scopes: [[['a']], [['b']]],
      policies: [[['c']]],
      purposes: [['a'], ['b', 'c']],
    };
    expect(requirementParts(whole)).toEqual([
      asks({ uncovered: true }),
      asks({ authenticated: true }),
      asks({ scopes: [[['a']]] }),
      asks({ scopes: [[['b']]] }),
      asks({ policies: [[['c']]] }),
      asks({ purposes: [['a']] }),
      asks({ purposes: [['b', 'c']] }),
    ]);
  });

  it('a combination is met exactly if all its members are, in any order', () => {
    fc.assert(
      fc.property(fc.array(requirement, { maxLength: 3 }), caller, (asked, held) => {
        const all = asked.every((one) => isMet(one, held));
        expect(isMet(combine(asked), held)).toBe(all);
        expect(isMet(combine([...asked].reverse()), held)).toBe(all);
      }),
    );
  });

  it('a combination keeps what only one member requires', () => {
    const scoped = asks({ scopes: [[['a']]] });
    const all = delegation({ scopes: [...NAMES], policies: [...NAMES], purposes: [...NAMES] });
    for (const one of [
      asks({ uncovered: true }),
      asks({ policies: [[['z']]] }),
      asks({ purposes: [['z']] }),
    ]) {
      expect(isMet(combine([scoped, one]), all)).toBe(false);
      expect(isMet(combine([one, scoped, NO_REQUIREMENT]), all)).toBe(false);
    }
    const either = combine([asks({ scopes: [[[]]] }), asks({ authenticated: true })]);
    expect(isMet(either, undefined)).toBe(false);
    // One requirement alone keeps its identity, by which decisions are shared.
    expect(combine([NO_REQUIREMENT, scoped])).toBe(scoped);
    expect(combine([])).toBe(NO_REQUIREMENT);
  });

  it('only an unrestricted requirement has no parts and no words', () => {
    fc.assert(
      fc.property(requirement, caller, (asked, held) => {
        const isNothing = requirementParts(asked).length === 0;
        expect(isUnrestricted(asked)).toBe(isNothing);
        expect(ruleText(asked) === '').toBe(isNothing);
        expect(Object.keys(describeRequirement(asked)).length === 0).toBe(isNothing);
        if (isNothing) expect(isMet(asked, held)).toBe(true);
      }),
    );
  });

  it('more rights never show less, unless there is no rule', () => {
    fc.assert(
      fc.property(requirement, names, names, (asked, few, more) => {
        const of = (held: readonly string[]): Delegation =>
          delegation({ scopes: held, policies: held, purposes: held });
        if (isMet(asked, undefined)) expect(isMet(asked, of(few))).toBe(true);
        if (isMet(asked, of(few))) expect(isMet(asked, of([...few, ...more]))).toBe(true);
      }),
    );
  });

  it('words of a part are among those of the whole, without repetition', () => {
    fc.assert(
      fc.property(requirement, (asked) => {
        for (const part of requirementParts(asked)) expect(ruleText(asked)).toContain(ruleText(part));
        const twice = combine([asked, asked]);
        for (const part of ['scopes', 'policies', 'purposes'] as const) {
          const texts = twice[part].map((entry) => JSON.stringify(entry));
          expect(new Set(texts).size).toBe(texts.length);
          expect(new Set(texts)).toEqual(new Set(asked[part].map((entry) => JSON.stringify(entry))));
        }
        expect([twice.authenticated, twice.uncovered]).toEqual([asked.authenticated, asked.uncovered]);
      }),
    );
  });
});

describe('the denial', () => {
  it('names each required part, and only those', () => {
    expect(describeRequirement(asks({ authenticated: true }))).toEqual({ authenticated: true });
    expect(describeRequirement(asks({ scopes: [[['a']]] }))).toEqual({ scopes: [[['a']]] });
    expect(describeRequirement(asks({ policies: [[['a']]] }))).toEqual({ policies: [[['a']]] });
    expect(describeRequirement(asks({ purposes: [['a']] }))).toEqual({ purposes: [['a']] });
    expect(describeRequirement(asks({ uncovered: true }))).toEqual({ rule: 'missing' });
  });

  it('is in the schema’s words for the record', () => {
    expect(
      ruleText({
        authenticated: true,
        uncovered: true,
        scopes: [[['a', 'b'], ['c']]],
        policies: [[['p']]],
        purposes: [['x', 'y'], ['z']],
      }),
    ).toBe('no rule @authenticated @requiresScopes(a & b | c) @policy(p) @purpose(x | y) @purpose(z)');
  });
});

describe('a minimized value is whole', () => {
  const unless = [['a', 'b'], ['c']];

  it('for a delegation with one of the fuller scopes', () => {
    expect(isExemptFromMinimize(unless, delegation({ scopes: ['a', 'b'] }))).toBe(true);
    expect(isExemptFromMinimize(unless, delegation({ scopes: ['c'], purposes: [] }))).toBe(true);
    expect(isExemptFromMinimize(unless, delegation({ scopes: ['a'] }))).toBe(false);
    expect(isExemptFromMinimize(unless, delegation({ policies: ['a', 'b', 'c'] }))).toBe(false);
  });

  it('for nobody without a delegation, and nobody if no scope is named', () => {
    expect(isExemptFromMinimize([[]], undefined)).toBe(false);
    expect(isExemptFromMinimize([], delegation({ scopes: [...NAMES] }))).toBe(false);
  });

  it('for nobody whose consent asks for less detail', () => {
    const minimal = delegation({ scopes: [...NAMES], purposes: [], detail: 'minimal' });
    expect(isExemptFromMinimize(unless, minimal)).toBe(false);
    expect(isExemptFromMinimize([[]], minimal)).toBe(false);
  });
});

describe('rows of every subject are read', () => {
  const unless = [['a', 'b'], ['c']];

  it('by a delegation that holds one alternative as a whole, whatever detail its consent asks for', () => {
    expect(isExemptFromSubject(unless, delegation({ scopes: ['a', 'b'] }))).toBe(true);
    expect(isExemptFromSubject(unless, delegation({ scopes: ['c'], detail: 'minimal' }))).toBe(true);
    expect(isExemptFromSubject([[]], delegation({}))).toBe(true);
  });

  it('by nobody else', () => {
    expect(isExemptFromSubject(unless, delegation({ scopes: ['a'] }))).toBe(false);
    expect(isExemptFromSubject(unless, delegation({ policies: ['a', 'b', 'c'] }))).toBe(false);
    expect(isExemptFromSubject([], delegation({ scopes: [...NAMES] }))).toBe(false);
    expect(isExemptFromSubject([[]], undefined)).toBe(false);
  });
});
