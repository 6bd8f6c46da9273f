import { filterRefusal, NO_REQUIREMENT, requiresOf, RuleTable } from '@behalf/directives/internal';
import type { Delegation } from '@behalf/directives';
import { parse } from 'graphql';
import { describe, expect, it } from 'vitest';
import { LINKS } from './support.js';

const RULED = `
  type Ruled @authenticated {
    plain: Int
    scoped: Int @requiresScope(scope: "a")
    masked: String @minimize(to: MASK, last: 2, unless: [["b"], ["c", "d"]])
    redacted: Int @requiresScope(scope: "a") @minimize(to: REDACT)
    levelled: Int @minimize(level: "rough", to: REDACT)
  }
  type Open { free: Int @public never: Int @requiresScopes(scopes: []) bare: Int levelled: Int @minimize(level: "rough", to: REDACT) }
`;

const table = (sdl: string, coverage: 'open' | 'required' = 'open'): RuleTable =>
  new RuleTable(parse(LINKS + RULED + sdl), { coverage });

/** The gates of a schema: where, and what they filter by. */
const gates = (sdl: string): string[] =>
  table(sdl)
    .filters.gates.map(({ at, fields }) => `${at} ${fields.join(' ')}`)
    .sort();

const SCOPED = '@filters(field: "Ruled.scoped")';
const MASKED = '@filters(field: "Ruled.masked")';

describe('a condition stands', () => {
  it('where it is stated, in extensions as well', () => {
    const sdl = `type Query { a(x: Int ${SCOPED}): Int } extend type Query { b(x: Int ${SCOPED}, y: Int): Int }
      input I { x: Int ${SCOPED} } extend input I { y: Int ${MASKED} }
      enum E { A B ${SCOPED} } extend enum E { C ${MASKED} }`;
    expect(gates(sdl)).toEqual([
      'E.B Ruled.scoped',
      'E.C Ruled.masked',
      'I.x Ruled.scoped',
      'I.y Ruled.masked',
      'Query.a(x:) Ruled.scoped',
      'Query.b(x:) Ruled.scoped',
    ]);
  });

  it('on the objects of an interface that states it, and on an interface whose object states it', () => {
    const sdl = `type Query { a: Int }
      interface Top { f(x: Int ${SCOPED}, y: Int): Int g(x: Int): Int }
      interface Other { f(x: Int): Int }
      interface Apart { f(x: Int): Int }
      type One implements Top & Other { f(x: Int, y: Int ${MASKED}): Int g(x: Int): Int }
      type Two implements Top { f(x: Int, y: Int): Int g(x: Int ${MASKED}): Int }
      type Three implements Apart { f(x: Int): Int }
      union U = One | Two`;
    expect(gates(sdl)).toEqual([
      'One.f(x:) Ruled.scoped',
      'One.f(y:) Ruled.masked',
      'Other.f(x:) Ruled.scoped',
      'Other.f(y:) Ruled.masked',
      'Top.f(x:) Ruled.scoped',
      'Top.f(y:) Ruled.masked',
      'Top.g(x:) Ruled.masked',
      'Two.f(x:) Ruled.scoped',
      'Two.g(x:) Ruled.masked',
    ]);
  });

  it('not where the fields are open to everybody', () => {
    expect(gates('type Query { a(x: Int @filters(field: "Open.free")): Int }')).toEqual([]);
    expect(gates('type Query { a(x: Int @filters(field: "Open.levelled")): Int }')).toHaveLength(1);
  });

  it('once for each field', () => {
    const { filters } = table(`type Query { a(x: Int ${SCOPED} ${SCOPED} ${MASKED}): Int }`);
    expect(filters.fieldsAt('Query.a(x:)')).toEqual([
      { type: 'Ruled', field: 'scoped' },
      { type: 'Ruled', field: 'masked' },
    ]);
    expect(filters.fieldsAt('Query.a(y:)')).toEqual([]);
    expect(filters.gateAt('Query.a(y:)')).toBeUndefined();
    expect([...filters.coordinates]).toEqual(['Query.a(x:)']);
  });
});

describe('a condition requires', () => {
  const holding = (scopes: readonly string[], more: Partial<Delegation> = {}): Delegation => ({
    subject: 's',
    clientId: 'c',
    scopes: new Set(scopes),
    policies: new Set(),
    roles: [],
    ...more,
  });
  const gateFor = (field: string, coverage: 'open' | 'required' = 'open') => {
    const argument = `type Query @authenticated { a(x: Int @filters(field: "${field}")): Int }`;
    const gate = table(argument, coverage).filters.gateAt('Query.a(x:)');
    if (gate === undefined) throw new Error('there is a condition');
    return gate;
  };
  const decide = (field: string, delegation: Delegation | undefined): unknown => {
    const gate = gateFor(field);
    const refusal = filterRefusal(gate, delegation);
    return refusal === undefined ? 'permitted' : requiresOf(gate, refusal);
  };

  it('what the field, its type and its values require', () => {
    const of = (field: string, more: object): object => ({ authenticated: true, ...more, filters: [field] });
    expect(decide('Ruled.plain', undefined)).toEqual(of('Ruled.plain', {}));
    expect(decide('Ruled.plain', holding([]))).toBe('permitted');
    expect(decide('Ruled.scoped', holding([]))).toEqual(of('Ruled.scoped', { scopes: [[['a']]] }));
    expect(decide('Ruled.scoped', holding(['a']))).toBe('permitted');
    const masked = of('Ruled.masked', { scopes: [[['b'], ['c', 'd']]] });
    expect(decide('Ruled.masked', holding(['c']))).toEqual(masked);
    expect(decide('Ruled.masked', holding(['c', 'd']))).toBe('permitted');
  });

  it('more than a scope where values are held to less detail', () => {
    expect(decide('Ruled.levelled', holding([]))).toBe('permitted');
    for (const [field, detail] of [
      ['Ruled.masked', { nothingLifts: true, levels: new Map() }],
      ['Ruled.levelled', { levels: new Map([['Ruled.levelled', new Set(['rough'])]]) }],
    ] as const)
      expect(decide(field, holding(['b'], { detail }))).toEqual({ filters: [field], rule: 'minimized' });
  });

  it('what nobody has, where nothing makes the values whole', () => {
    const told = { authenticated: true, scopes: [[['a']]], filters: ['Ruled.redacted'], rule: 'minimized' };
    expect(decide('Ruled.redacted', holding(['a', 'b']))).toEqual(told);
    expect(decide('Open.never', holding(['a']))).toEqual({ scopes: [[]], filters: ['Open.never'] });
  });

  it('a rule that is missing', () => {
    const gate = gateFor('Open.bare', 'required');
    expect(gate.requires).toEqual({ filters: ['Open.bare'], rule: 'missing' });
    expect(filterRefusal(gate, holding(['a']))).toBe('requirement');
  });

  it.each([
    ['Ruled.plain', '@filters(Ruled.plain) @authenticated'],
    ['Ruled.masked', '@filters(Ruled.masked) @authenticated @minimize(unless: b | c & d)'],
    ['Ruled.redacted', '@filters(Ruled.redacted) @authenticated @requiresScopes(a) @minimize'],
    ['Open.levelled', '@filters(Open.levelled) @minimize'],
  ])('%s in words', (field, rule) => {
    expect(gateFor(field).rule).toBe(rule);
  });
});

it('the requirement of several fields is that of an argument that names them', () => {
  const { filters } = table(`type Query { a(x: Int ${SCOPED} ${MASKED}): Int }`);
  const named = filters.fieldsAt('Query.a(x:)');
  expect(filters.requirementFor(named)).toEqual(filters.gateAt('Query.a(x:)')?.requirement);
  expect(filters.requirementFor([])).toEqual(NO_REQUIREMENT);
  expect(filters.requirementFor([{ type: 'Open', field: 'free' }])).toEqual(NO_REQUIREMENT);
});

describe('a field that is not there', () => {
  it.each([
    [
      'Ruled.scopd',
      "@filters names Ruled.scopd, and this schema's Ruled has no such field; did you mean scoped?",
    ],
    ['Ruled.somethingElse', "@filters names Ruled.somethingElse, and this schema's Ruled has no such field"],
    ['Rulde.scoped', '@filters names Rulde.scoped, and this schema has no such type; did you mean Ruled?'],
    ['Customer.x', '@filters names Customer.x, and this schema has no such type. The rules'],
    ['E.A', '@filters names E.A, and this schema has no such type'],
    ['U.x', '@filters names U.x, and this schema has no such type'],
  ])('%s', (field, message) => {
    const sdl = `type Query { a(x: Int @filters(field: "${field}")): Int } enum E { A } union U = Ruled`;
    expect(() => table(sdl)).toThrow(
      expect.objectContaining({
        code: 'INVALID_RULE',
        coordinate: 'Query.a(x:)',
        message: expect.stringContaining(message) as string,
      }) as Error,
    );
  });

  it('may be on an interface, with the rules of all its implementers', () => {
    const { filters } = table(`type Query { a(x: Int @filters(field: "Node.x")): Int }
      interface Node { x: Int } type One implements Node { x: Int @requiresScope(scope: "one") }
      type Two implements Node { x: Int @minimize(to: REDACT, unless: [["two"]]) }`);
    expect(filters.gateAt('Query.a(x:)')?.requirement.scopes).toEqual([[['one']], [['two']]]);
  });
});
