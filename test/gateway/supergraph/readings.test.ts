import { RuleTable } from '@behalf/directives/internal';
import { parse } from 'graphql';
import { describe, expect, it } from 'vitest';
import { checkProtection, lostProtectionText } from '../../../gateway/supergraph/lost-protection.js';
import { composedElsewhere } from './composed-elsewhere.js';

function lost(types: string, more?: string): string[] {
  const document = parse(composedElsewhere(`type Query { a: Int } ${types}`, more));
  return checkProtection(document, new RuleTable(document, { coverage: 'open' })).map(lostProtectionText);
}

const BOTH = '@join__type(graph: ONE, key: "id") @join__type(graph: TWO, key: "id")';
const ONE = '@join__field(graph: ONE)';
const requires = (fieldSet: string): string => `@join__field(graph: TWO, requires: "${fieldSet}")`;

describe('a field that reads another by @requires', () => {
  const reading = (secret: string, leak: string): string[] =>
    lost(
      `type T ${BOTH} { id: ID! secret: String ${ONE} ${secret} leak: Int ${requires('secret')} ${leak} }`,
    );

  it.each<[string, string]>([
    ['', ''],
    ['', '@authenticated'],
    ['@authenticated', '@authenticated'],
    ['@authenticated', '@requiresScopes(scopes: [["s"]])'],
    ['@minimize(to: MASK, last: 4, showLength: true)', '@minimize(to: MASK, last: 3, showLength: true)'],
    ['@minimize(to: MASK, showLength: true, unless: [["s"]])', '@requiresScopes(scopes: [["s"]])'],
  ])('asks enough: %s is read by %s', (secret, leak) => {
    expect(reading(secret, leak)).toEqual([]);
  });

  it.each<[string, string, string]>([
    [
      '@requiresScopes(scopes: [["s"]])',
      '@authenticated',
      'REQUIRES_PROTECTED: [two] T.leak: @requires reads T.secret, which asks @requiresScopes(s)',
    ],
    [
      '@minimize(to: MASK, last: 4, showLength: true)',
      '',
      'REQUIRES_MINIMIZED: [two] T.leak: @requires reads T.secret, which is @minimize(to: MASK, last: 4, showLength: true)',
    ],
    [
      '@minimize(to: MASK, last: 4, showLength: true)',
      '@minimize(to: MASK, last: 5, showLength: true)',
      'REQUIRES_MINIMIZED: [two] T.leak: @requires reads T.secret, which is @minimize(to: MASK, last: 4, showLength: true), more strictly than @minimize(to: MASK, last: 5, showLength: true), or not comparably',
    ],
  ])('asks too little: %s is read by %s', (secret, leak, text) => {
    expect(reading(secret, leak)).toEqual([text]);
  });

  it('is refused when it reads a field that is not there', () => {
    expect(lost(`type T ${BOTH} { id: ID! leak: Int ${requires('gone')} }`)).toEqual([
      'REQUIRES_PROTECTED: [two] T.leak: @requires reads T.gone, which the supergraph does not have',
    ]);
  });

  it('is refused whichever subgraph it is in, known or not', () => {
    const text = 'T.leak: @requires reads T.secret, which asks @authenticated';
    expect(
      lost(`type T ${BOTH} { id: ID! secret: Int @authenticated
        leak: Int ${ONE} ${requires('secret')} @join__field(requires: "secret") @join__field(graph: ONE, requires: "secret") }`),
    ).toEqual([
      `REQUIRES_PROTECTED: [two] ${text}`,
      `REQUIRES_PROTECTED: ${text}`,
      `REQUIRES_PROTECTED: [one] ${text}`,
    ]);
  });

  it('is reported once for what it reads twice', () => {
    expect(
      lost(
        `type T ${BOTH} { id: ID! secret: Int @authenticated leak: Int ${requires('secret ... on T { secret }')} }`,
      ),
    ).toHaveLength(1);
  });

  it('is refused when the rules are too long to compare, and told what to do', () => {
    const names = (letter: string): string[] => Array.from({ length: 60 }, (_, index) => `${letter}${index}`);
    const either = (letter: string): string =>
      `@requiresScopes(scopes: ${JSON.stringify(names(letter).map((name) => [name]))})`;
    const both = `@requiresScopes(scopes: ${JSON.stringify(names('a').flatMap((a) => names('b').map((b) => [a, b])))})`;
    const types = `type T ${either('b')} ${BOTH} { id: ID! secret: Int ${both} leak: Int ${requires('secret')} ${either('a')} }`;
    expect(lost(types)).toEqual([
      'REQUIRES_PROTECTED: [two] T.leak: @requires reads T.secret, and its rules are too long to find out whether they follow from those of the reader: repeat them word for word',
    ]);
  });

  it('is judged by each type that an interface can be', () => {
    const types = `
      interface I @join__type(graph: ONE) @join__type(graph: TWO) { secret: Int }
      type A implements I @join__type(graph: ONE) @join__type(graph: TWO) { secret: Int @minimize(to: REDACT) @behalf__statedBy(subgraphs: ["one", "two"]) }
      type T ${BOTH} { id: ID! i: I leak: Int ${requires('i { secret }')} }`;
    expect(lost(types)).toEqual([
      'REQUIRES_MINIMIZED: [two] T.leak: @requires reads A.secret, which is @minimize(to: REDACT)',
    ]);
  });

  it('on an interface object is judged on each of its implementers', () => {
    const types = `
      interface I ${BOTH} { id: ID! secret: Int leak: Int ${requires('secret')} }
      type A implements I ${BOTH} { id: ID! secret: Int @authenticated leak: Int @join__field }`;
    expect(lost(types)).toEqual([
      'REQUIRES_PROTECTED: [two] I.leak: @requires reads I.secret, which asks @authenticated',
      'REQUIRES_PROTECTED: [two] A.leak: @requires reads A.secret, which asks @authenticated',
    ]);
  });
});

it('an interface object may read for the rows of a subject, which each implementer checks', () => {
  const types = `
    interface I ${BOTH} { id: ID! given: Int leak: Int ${requires('given')} }
    type A implements I ${BOTH} @subject(field: "hidden") @behalf__statedBy(subgraphs: ["one", "two"]) {
      id: ID!
      given: Int
      leak: Int @join__field
    }`;
  expect(lost(types)).toEqual([]);
});

describe('a field that reads rows of a subject', () => {
  const rows = (type: string, field = 'rows { id }'): string[] =>
    lost(`
      type Row @join__type(graph: ONE, key: "id") @subject(field: "id") { id: ID! open: Int }
      union Any @join__type(graph: ONE) = Row | Free
      type Free @join__type(graph: ONE) { id: ID! }
      type Own @join__type(graph: ONE) @subject(field: "id") { id: ID! }
      union Both @join__type(graph: ONE) = Row | Own
      type T @join__type(graph: TWO, key: "id") ${type} { both: Both id: ID! rows: [Row!] any: Any free: Free leak: Int ${requires(field)} @authenticated }`);

  it('is refused on a type without one', () => {
    const text = 'REQUIRES_SUBJECT: [two] T.leak: @requires reads';
    expect(rows('')).toEqual([`${text} T.rows, and rows of Row belong to a subject`]);
    expect(rows('', 'any { ... on Row { id } }')).toEqual([
      `${text} T.any, and rows of Row belong to a subject`,
    ]);
    expect(rows('', 'both { ... on Row { id } ... on Own { id } }')).toEqual([
      `${text} T.both, and rows of Row, Own belong to a subject`,
    ]);
    expect(rows('', 'free { id }')).toEqual([]);
  });

  it('is left to the subgraph on a type with one', () => {
    expect(rows('@subject(field: "id")')).toEqual([]);
  });
});

describe('a field that reads from further up by @fromContext', () => {
  const CONTEXT = '@link(url: "https://specs.apollo.dev/context/v0.1")';
  const reads = (roots: string, leak = '', name = 'up', selection = '{ secret }', link = CONTEXT): string[] =>
    lost(
      `${roots} type U @join__type(graph: TWO, key: "id") {
        id: ID!
        leak(s: Int): Int @join__field(graph: TWO, contextArguments: [{ context: "${name}", name: "s", type: "Int", selection: "${selection}" }]) ${leak}
      }`,
      link,
    );
  const P = '@context(name: "up") { id: ID! secret: Int @authenticated u: U }';
  const TEXT = 'REQUIRES_PROTECTED: [two] U.leak: @fromContext reads';
  const SECRET = `${TEXT} P.secret, which asks @authenticated`;

  it('is refused when it asks for less', () => {
    expect(reads(`type P ${P}`)).toEqual([SECRET]);
    expect(reads(`type P ${P}`, '@authenticated')).toEqual([]);
    expect(reads(`type P @context(name: "other") ${P}`)).toEqual([SECRET]);
  });

  it('is judged by every type that sets the context', () => {
    expect(reads(`type P ${P} type Q @context(name: "up") { secret: Int u: U }`)).toEqual([SECRET]);
    expect(reads(`type Q @context(name: "up") { secret: Int u: U } type P ${P}`)).toEqual([SECRET]);
  });

  it('is judged by the members of a union and of an interface that set it', () => {
    const member = '{ secret: Int @authenticated u: U }';
    expect(
      reads(`union Either @context(name: "up") = P type P ${member}`, '', 'up', '... on P { secret }'),
    ).toEqual([SECRET]);
    expect(
      reads(
        `interface Any @context(name: "up") { u: U } type P implements Any ${member}`,
        '',
        'up',
        '... on P { secret }',
      ),
    ).toEqual([SECRET]);
  });

  it('is refused for a context that nobody sets, or that cannot be read', () => {
    const text = `${TEXT} a context that the supergraph does not have`;
    expect(reads(`type P ${P}`, '@authenticated', 'gone')).toEqual([text]);
    expect(reads(`type P ${P}`, '@authenticated', 'up', '{ secret }', '')).toEqual([text]);
    expect(reads('type P @other(name: "up") @context(name: 1) { secret: Int }', '@authenticated')).toEqual([
      text,
    ]);
    expect(reads('scalar S @context(name: "up")', '@authenticated')).toEqual([text]);
  });

  it('is refused when what sets the context is the row of a subject', () => {
    const root = `type P @join__type(graph: TWO) @subject(field: "secret") @context(name: "up") { secret: Int }`;
    expect(reads(root, '@authenticated')).toEqual([
      'REQUIRES_SUBJECT: [two] U.leak: @fromContext reads P, and rows of P belong to a subject',
    ]);
    const field = `type R @join__type(graph: TWO) @subject(field: "id") { id: ID! } type P @context(name: "up") { secret: R }`;
    expect(reads(field, '@authenticated', 'up', '{ secret { id } }')).toEqual([
      'REQUIRES_SUBJECT: [two] U.leak: @fromContext reads P.secret, and rows of R belong to a subject',
    ]);
  });
});
