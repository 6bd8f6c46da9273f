import type { Delegation, DetailInForce } from '@behalf/directives';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { checkPolicy, comparePolicyWithSchema, describeMismatch, policyVersion } from '../../policy/index.js';
import type { FieldVocabulary, Policy } from '../../policy/index.js';
import { detailInForce, isAtStrictest, isPolicy } from '../../policy/internal.js';

const SENTENCE = { sentence: 'Words' };
const BASE = {
  scopes: { a: { sentence: 'See it', access: 'read', sensitivity: 'low' } },
  purposes: { budgeting: SENTENCE, fraud: SENTENCE },
  categories: {
    location: {
      sentence: 'Where you live',
      sensitivity: 'sensitive',
      levels: { city: SENTENCE, country: SENTENCE },
    },
    age: { sentence: 'How old you are', sensitivity: 'personal', levels: { year: SENTENCE } },
    name: { sentence: 'Your name', sensitivity: 'personal' },
  },
};

function policyWith(...minimize: object[]): Policy {
  return checkPolicy({ ...BASE, minimize });
}

const alma: Delegation = {
  subject: 'alma',
  clientId: 'app',
  scopes: new Set(['a']),
  policies: new Set(),
  roles: [],
  consent: { id: 'c', version: 1, purposes: ['budgeting'], detail: 'full' },
};

function plain(detail: DetailInForce | undefined): unknown {
  if (detail === undefined) return undefined;
  const { levels, nothingLifts } = detail;
  return {
    ...(nothingLifts === true ? { nothingLifts } : {}),
    ...Object.fromEntries([...(levels ?? [])].map(([name, of]) => [name, [...of].join(' ')])),
  };
}

describe('the detail in force', () => {
  it('is what the schema says without a rule and a choice', () => {
    expect(detailInForce(policyWith(), alma)).toBeUndefined();
    expect(detailInForce(undefined, alma)).toBeUndefined();
  });

  it('is what the person chose, with the levels before it', () => {
    const consent = { ...alma.consent, levels: { location: ['country'], 'Customer.age': ['year'] } } as never;
    expect(plain(detailInForce(policyWith(), { ...alma, consent }))).toEqual({
      location: 'city country',
      'Customer.age': 'year',
    });
  });

  it('is the strictest of a category if its levels are unknown', () => {
    const consent = { ...alma.consent, levels: { location: ['street'] } } as never;
    expect(plain(detailInForce(policyWith(), { ...alma, consent }))).toEqual({ location: '*' });
    const known = { ...alma.consent, levels: { location: ['city'] } } as never;
    expect(plain(detailInForce(undefined, { ...alma, consent: known }))).toEqual({ location: '*' });
  });

  it('is the strictest of everything for a category that the policy does not have', () => {
    const consent = { ...alma.consent, levels: { diet: ['none'] } } as never;
    const detail = detailInForce(policyWith(), { ...alma, consent });
    expect(plain(detail)).toMatchObject({ '*': '*' });
    expect(detail !== undefined && isAtStrictest(detail)).toBe(true);
  });

  it.each<[string, object]>([
    ['entries', Object.fromEntries(Array.from({ length: 65 }, (_, index) => [`A.f${index}`, ['x']]))],
    ['levels', { 'A.f': Array.from({ length: 17 }, (_, index) => `l${index}`) }],
    [
      'characters',
      Object.fromEntries(Array.from({ length: 20 }, (_, n) => [`A.${'f'.repeat(110)}${n}`, ['x']])),
    ],
  ])('is the strictest of everything if a token cannot carry its %s', (_what, levels) => {
    const consent = { ...alma.consent, levels } as never;
    expect(plain(detailInForce(policyWith(), { ...alma, consent }))).toEqual({ '*': '*' });
  });

  it('lifts nothing under a consent to less detail', () => {
    const consent = { ...alma.consent, detail: 'minimal' } as never;
    expect(plain(detailInForce(undefined, { ...alma, consent }))).toEqual({ nothingLifts: true });
  });

  const act = { sub: 'agent' };
  const service: Delegation = {
    subject: 'urn:behalf:service:app',
    service: true,
    clientId: 'app',
    scopes: alma.scopes,
    policies: alma.policies,
    roles: [],
  };
  it.each<[object, Delegation, boolean]>([
    [{}, alma, true],
    [{ clients: ['app'] }, alma, true],
    [{ clients: ['other'] }, alma, false],
    [{ exceptClients: ['app'] }, alma, false],
    [{ exceptClients: ['other'] }, alma, true],
    [{ purposes: ['budgeting', 'fraud'] }, alma, true],
    [{ purposes: ['fraud'] }, alma, false],
    [{ purposes: ['fraud'] }, service, false],
    [{ actor: true }, alma, false],
    [{ actor: false }, alma, true],
    [{ actor: true }, { ...alma, actor: act }, true],
    [{ actor: true }, service, true],
    [{ actor: false }, service, false],
    [{ actor: true, clients: ['app'], exceptClients: ['app'] }, service, false],
    [{ clients: ['app'], purposes: ['fraud'] }, alma, false],
  ])('follows a rule for %j', (when, delegation, applies) => {
    const detail = detailInForce(policyWith({ when, nothingLifts: true }), delegation);
    expect(detail?.nothingLifts === true).toBe(applies);
  });

  it('gives categories of a sensitivity their strictest level', () => {
    expect(plain(detailInForce(policyWith({ strictest: ['sensitive'] }), alma))).toEqual({
      location: 'city country',
    });
  });

  it('never grows with another rule or another choice', () => {
    const rules = fc.record(
      {
        levels: fc.constantFrom({ location: 'city' }, { location: 'country' }, { 'Customer.x': 'year' }),
        strictest: fc.constant(['sensitive']),
      },
      { requiredKeys: ['levels'] },
    );
    const chosen = fc.dictionary(
      fc.constantFrom('location', 'age', 'Customer.x'),
      fc.uniqueArray(fc.constantFrom('city', 'country', 'year', 'odd'), { minLength: 1 }),
    );
    const includes = (wide: DetailInForce | undefined, narrow: DetailInForce | undefined): boolean =>
      [...(wide?.levels ?? [])].every(([name, of]) => {
        const other = narrow?.levels?.get(name);
        return other?.has('*') === true || [...of].every((level) => other?.has(level) === true);
      });
    fc.assert(
      fc.property(fc.array(rules), rules, chosen, (some, another, levels) => {
        const consent = { ...alma.consent, levels } as never;
        const before = detailInForce(policyWith(...some), alma);
        expect(includes(before, detailInForce(policyWith(...some, another), alma))).toBe(true);
        expect(includes(before, detailInForce(policyWith(...some), { ...alma, consent }))).toBe(true);
      }),
    );
  });
});

describe('rules for less detail in a policy', () => {
  it.each<[object, string]>([
    [{}, 'minimize[0]: must have nothingLifts, levels or strictest'],
    [{ when: { actor: true } }, 'it does nothing'],
    [{ levels: { diet: 'none' } }, 'minimize[0].levels.diet: is not a category'],
    [{ levels: { location: 'street' } }, '"street" is not a level of this category'],
    [{ levels: { name: 'none' } }, '"none" is not a level of this category'],
    [{ strictest: ['low'] }, 'no category with levels is as sensitive'],
    [{ nothingLifts: true, when: { purposes: ['x'] } }, '"x" is not a purpose'],
    [{ nothingLifts: false }, 'nothingLifts: must be true'],
    [{ nothingLifts: true, when: { scopes: ['a'] } }, 'is not a known key'],
  ])('are refused: %j', (rule, message) => {
    expect(() => policyWith(rule)).toThrow(message);
  });

  it('name clients that the policy has', () => {
    const clients = { app: { scopes: ['a'] } };
    const rule = { nothingLifts: true, when: { clients: ['other'] } };
    expect(() => checkPolicy({ ...BASE, clients, minimize: [rule] })).toThrow('"other" is not a client');
    const everybody = { ...clients, '*': { scopes: ['a'] } };
    expect(() => checkPolicy({ ...BASE, clients: everybody, minimize: [rule] })).not.toThrow();
  });

  it('belong to the form of a policy, and to its version', () => {
    const policy = policyWith({ nothingLifts: true });
    expect(isPolicy(policy)).toBe(true);
    expect(isPolicy({ ...policy, minimize: [{}] })).toBe(false);
    expect(isPolicy({ ...policy, minimize: new Map() })).toBe(false);
    expect(isPolicy({ ...policy, categories: new Map([['a', { name: 'a' }]]) })).toBe(false);
    expect(policyVersion(policy)).not.toBe(policyVersion(policyWith()));
  });
});

describe('categories and levels compared with a schema', () => {
  const findings = (
    policy: Policy,
    fields: Readonly<Record<string, { readonly category: string; readonly levels: readonly string[] }>>,
  ): readonly string[] =>
    comparePolicyWithSchema(policy, {
      scopes: new Map([['a', ['Query.x']]]),
      purposes: new Map([
        ['budgeting', ['Query.x']],
        ['fraud', ['Query.x']],
      ]),
      fields: new Map(
        Object.entries(fields).map(([coordinate, { category, levels }]): [string, FieldVocabulary] => [
          coordinate,
          {
            category,
            levels: levels.map((name) => ({ name, strategy: 'REDACT' })),
            isLeaf: true,
            scopes: [],
            purposes: [],
          },
        ]),
      ),
    }).map(({ kind, name, severity, coordinates }) => [severity, kind, name, ...coordinates].join(' '));
  const WHOLE = {
    'Home.city': { category: 'location', levels: ['city', 'country'] },
    'Home.age': { category: 'age', levels: ['year'] },
    'Home.name': { category: 'name', levels: [] },
  };

  it('find nothing where each field states the first level of its category', () => {
    expect(findings(policyWith(), WHOLE)).toEqual([]);
  });

  it('find fields that a chosen level would leave whole', () => {
    const details = {
      ...WHOLE,
      'Home.street': { category: 'location', levels: [] },
      'Home.zip': { category: 'location', levels: ['country'] },
    };
    expect(findings(policyWith(), details)).toEqual([
      'error field-without-level location: city Home.street Home.zip',
    ]);
  });

  it('find levels that no field states: choosing them would change nothing', () => {
    const { 'Home.city': _city, ...rest } = WHOLE;
    const details = { ...rest, 'Home.city': { category: 'location', levels: ['city'] } };
    expect(findings(policyWith(), details)).toEqual(['error level-not-in-schema location: country']);
  });

  it('find fields that state levels in another order', () => {
    const details = { ...WHOLE, 'Home.city': { category: 'location', levels: ['country', 'city'] } };
    expect(findings(policyWith(), details)).toEqual(['error level-order-differs location Home.city']);
  });

  it('find levels and categories that nobody can choose', () => {
    const { 'Home.age': _age, ...rest } = WHOLE;
    const details = { ...rest, 'Home.diet': { category: 'diet', levels: ['none'] } };
    expect(findings(policyWith(), details)).toEqual([
      'warning category-not-in-schema age',
      'warning level-not-in-policy diet: none Home.diet',
    ]);
  });

  it('find rules for fields and levels that do not exist', () => {
    const policy = policyWith({ levels: { 'Home.city': 'street', 'Home.zip': 'city' } });
    expect(findings(policy, WHOLE)).toEqual([
      'error level-not-in-schema Home.city: street',
      'error level-not-in-schema Home.zip: city',
    ]);
    expect(findings(policyWith({ levels: { 'Home.city': 'country' } }), WHOLE)).toEqual([]);
  });

  it('are described in one line', () => {
    expect(
      describeMismatch([
        {
          kind: 'field-without-level',
          severity: 'error',
          name: 'location: city',
          coordinates: ['A.b', 'A.c'],
        },
        { kind: 'level-not-in-schema', severity: 'error', name: 'A.b: x', coordinates: [] },
      ]),
    ).toBe(
      'fields of a category that do not state its first level: A.b (location: city), A.c (location: city); levels that the policy has and no field states: A.b: x',
    );
  });
});
