import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { ComposeError } from '../../gateway/compose/errors.js';
import { composeSupergraph } from '../../gateway/compose/compose.js';
import { createOperationAuthorizer } from '../../gateway/authorize/index.js';
import { lint } from '../../gateway/inspect/lint/index.js';
import { behalf } from './support.js';

const HEAD = `
extend schema
  @link(url: "https://specs.apollo.dev/federation/v2.9", import: ["@key", "@shareable", "@external", "@requires", "@provides", "@override", "@interfaceObject", "@authenticated", "@requiresScopes", "@policy"])
  @link(url: "https://specs.behalf.dev/behalf/v0.1", import: ["@requiresScope", "@minimize", "@public", "@purpose", "@subject"])
`;

/** The start of a schema that links nothing, or has its own links. */
const WITHOUT_HEAD = '# ';

type Schemas = Readonly<Record<string, string>>;

function sourcesOf(schemas: Schemas) {
  return Object.entries(schemas).map(([name, sdl]) => ({
    name,
    url: `http://${name}`,
    sdl: sdl.startsWith(WITHOUT_HEAD) ? sdl : HEAD + sdl,
  }));
}

/** What composition refuses, as `code [subgraph] coordinate`; whatever composes is loaded as well. */
function refusals(schemas: Schemas): string[] {
  try {
    createOperationAuthorizer(composeSupergraph(sourcesOf(schemas)));
    return [];
  } catch (error) {
    if (!(error instanceof ComposeError)) throw error;
    expect(error.code).toBe('COMPOSE_FAILED');
    const found = error.details.map(
      (line) => /^(\w+): (\[\w+\] )?([\w.]+): /.exec(line)?.slice(1).join(' ').replace('  ', ' ') ?? line,
    );
    if (error.refusedSdl !== undefined) {
      expect(lintErrors(schemas, error.refusedSdl)).toEqual(
        expect.arrayContaining(found.map(withoutBrackets)),
      );
    }
    return found;
  }
}

/** The same through lint. */
function lintErrors(schemas: Schemas, supergraph: string): string[] {
  return lint({ subgraphs: sourcesOf(schemas), supergraph, policy: undefined, today: '2026-11-24' })
    .filter(({ severity }) => severity === 'error')
    .map(({ code, subgraph, coordinate }) => [code, subgraph, coordinate].filter(Boolean).join(' '));
}

function withoutBrackets(text: string): string {
  return text.replace('[', '').replace(']', '').replace('  ', ' ');
}

const owner = (rule: string): string =>
  `type Query { p: P @public } type P @key(fields: "id") { id: ID! @public secret: String ${rule} }`;
const reader = (rule: string): string =>
  `type P @key(fields: "id") { id: ID! @public secret: String @external leak: String @requires(fields: "secret") ${rule} }`;

describe('a field computed from a protected one', () => {
  it('with a purpose that the reader does not require does not compose', () => {
    expect(refusals({ one: owner('@purpose(of: ["credit"])'), two: reader('') })).toEqual([
      'REQUIRES_PROTECTED [two] P.leak',
    ]);
  });

  it.each([
    ['another purpose', '@purpose(of: ["credit"])', '@purpose(of: ["ads"])'],
    ['one purpose of two', '@purpose(of: ["credit"]) @purpose(of: ["tax"])', '@purpose(of: ["credit"])'],
    ['a scope, where a purpose is wanted', '@purpose(of: ["credit"])', '@requiresScope(scope: "credit")'],
  ])('does not compose if the reader requires %s', (_name, rule, own) => {
    expect(refusals({ one: owner(rule), two: reader(own) })).toEqual(['REQUIRES_PROTECTED [two] P.leak']);
  });

  it.each([
    ['@authenticated', ''],
    ['@requiresScope(scope: "a")', '@authenticated'],
    ['@requiresScopes(scopes: [["a"], ["b"]])', '@requiresScopes(scopes: [["a"], ["c"]])'],
    ['@policy(policies: [["p"]])', '@authenticated'],
  ])('with a standard rule is refused by composition itself: %s', (rule, own) => {
    const [refusal] = refusals({ one: owner(rule), two: reader(own) });
    expect(refusal).toContain('MISSING_TRANSITIVE_AUTH_REQUIREMENTS');
  });

  const nested = (types: string, selection: string, value = 'V'): Schemas => ({
    one: `type Query { p: P @public } type P @key(fields: "id") { id: ID! @public v: ${value} @public } ${types}`,
    two: `type P @key(fields: "id") { id: ID! @public v: ${value} @external leak: String @requires(fields: "v { ${selection} }") @public } ${types.replaceAll(/@(purpose|subject|minimize)\([^)]*\)/g, '')}`,
  });

  it.each([
    ['below another field', 'type V @shareable { x: String @purpose(of: ["credit"]) }', 'x', 'V'],
    ['of a protected type', 'type V @shareable @purpose(of: ["credit"]) { x: String }', 'x', 'V'],
    [
      'through an interface, of one implementer',
      'interface V { x: String } type A implements V @shareable { x: String @purpose(of: ["credit"]) } type B implements V @shareable { x: String }',
      'x',
      'V',
    ],
    [
      'in a fragment on a member of a union',
      'union V = A | B type A @shareable { x: String @purpose(of: ["credit"]) } type B @shareable { x: String }',
      '... on A { x }',
      'V',
    ],
    [
      'in a fragment in a fragment',
      'interface V { y: Int } type A implements V @shareable { y: Int x: String @purpose(of: ["credit"]) }',
      '... on V { ... on A { x } }',
      'V',
    ],
    [
      'with an argument',
      'type V @shareable { x(of: Int): String @purpose(of: ["credit"]) }',
      'x(of: 1)',
      'V',
    ],
    ['in a list', 'type V @shareable { x: String @purpose(of: ["credit"]) }', 'x', '[V!]'],
  ])('does not compose if it reads %s', (_name, types, selection, value) => {
    expect(refusals(nested(types, selection, value))).toContain('REQUIRES_PROTECTED [two] P.leak');
  });

  it('does not compose if it reads through another computed field', () => {
    const second = `type P @key(fields: "id") { id: ID! @public leak: String @external more: String @requires(fields: "leak") @public }`;
    expect(
      refusals({
        one: owner('@purpose(of: ["credit"])'),
        two: reader('@purpose(of: ["credit"])'),
        three: second,
      }),
    ).toEqual(['REQUIRES_PROTECTED [three] P.more']);
  });

  it('on an interface object does not compose for an implementer with a rule', () => {
    const refused = refusals({
      one: `type Query { m: M @public } interface M @key(fields: "id") { id: ID! title: String }
        type Book implements M @key(fields: "id") { id: ID! @public title: String @purpose(of: ["credit"]) }
        type Film implements M @key(fields: "id") { id: ID! @public title: String @public }`,
      two: `type M @interfaceObject @key(fields: "id") { id: ID! @public title: String @external leak: String @requires(fields: "title") @public }`,
    });
    expect(refused).toContain('REQUIRES_PROTECTED [two] Book.leak');
    expect(refused).not.toContain('REQUIRES_PROTECTED [two] Film.leak');
  });

  it('composes if it requires as much or more', () => {
    const rule = '@purpose(of: ["credit", "tax"])';
    expect(refusals({ one: owner(rule), two: reader(rule) })).toEqual([]);
    expect(refusals({ one: owner(rule), two: reader('@purpose(of: ["tax"])') })).toEqual([]);
    expect(refusals({ one: owner('@public'), two: reader('') })).toEqual([]);
  });

  it('does not compose if the comparison costs too much, and says what to write', () => {
    const names = (letter: string): string[] => Array.from({ length: 60 }, (_, index) => `${letter}${index}`);
    const either = (letter: string): string =>
      `@requiresScopes(scopes: ${JSON.stringify(names(letter).map((name) => [name]))})`;
    const both = JSON.stringify(names('a').flatMap((a) => names('b').map((b) => [a, b])));
    const schemas = {
      one: owner(`@minimize(to: MASK, showLength: true, unless: ${both})`),
      two: `type P @key(fields: "id") { id: ID! @public secret: String @external leak: V @requires(fields: "secret") ${either('a')} }
        type V ${either('b')} { x: String }`,
    };
    expect(refusals(schemas)).toEqual(['REQUIRES_MINIMIZED [two] P.leak']);
  });
});

describe('a field computed from a minimized one', () => {
  const MASKED = '@minimize(to: MASK, last: 4, showLength: true, unless: [["full"]])';

  it.each([
    ['is not minimized', MASKED, ''],
    ['asks for another scope', MASKED, '@requiresScope(scope: "other")'],
    ['asks for the fuller scope or another one', MASKED, '@requiresScopes(scopes: [["full"], ["other"]])'],
    [
      'is whole for more',
      MASKED,
      '@minimize(to: MASK, last: 4, showLength: true, unless: [["full"], ["other"]])',
    ],
    [
      'is whole for every authenticated caller',
      MASKED,
      '@minimize(to: MASK, last: 4, showLength: true, unless: [[]])',
    ],
    ['keeps more', MASKED, '@minimize(to: MASK, last: 5, showLength: true, unless: [["full"]])'],
    ['is minimized in a way that cannot be compared', MASKED, '@minimize(to: TRUNCATE, keep: 4)'],
    ['keeps something of what is redacted', '@minimize(to: REDACT)', '@minimize(to: MASK, showLength: true)'],
    [
      'requires a scope, though nobody sees the whole',
      '@minimize(to: MASK, showLength: true)',
      '@requiresScope(scope: "full")',
    ],
    [
      'asks for nothing, where everybody with a token sees the whole',
      '@minimize(to: MASK, showLength: true, unless: [[]])',
      '',
    ],
  ])('does not compose if it %s', (_name, rule, own) => {
    expect(refusals({ one: owner(rule), two: reader(own) })).toEqual(['REQUIRES_MINIMIZED [two] P.leak']);
  });

  it.each([
    ['asks for the fuller scope', MASKED, '@requiresScope(scope: "full")'],
    ['is minimized in the same way', MASKED, MASKED],
    [
      'is minimized more strictly',
      MASKED,
      '@minimize(to: MASK, last: 2, showLength: true, unless: [["full", "more"]])',
    ],
    ['is redacted', MASKED, '@minimize(to: REDACT, unless: [["full"]])'],
    ['is whole for nobody', MASKED, '@minimize(to: MASK, last: 4, showLength: true)'],
    [
      'asks for a token, where everybody with one sees the whole',
      '@minimize(to: MASK, showLength: true, unless: [[]])',
      '@authenticated',
    ],
    [
      'asks for one scope and is whole for the other',
      '@minimize(to: MASK, showLength: true, unless: [["a", "b"]])',
      '@requiresScope(scope: "a") @minimize(to: MASK, showLength: true, unless: [["b"]])',
    ],
  ])('composes if it %s', (_name, rule, own) => {
    expect(refusals({ one: owner(rule), two: reader(own) })).toEqual([]);
  });

  it('does not compose through an interface with one minimized implementer', () => {
    const types = (rule: string): string =>
      `interface V { x: String } type A implements V @shareable { x: String ${rule} } type B implements V @shareable { x: String }`;
    const schemas = {
      one: `type Query { p: P } type P @key(fields: "id") { id: ID! v: V } ${types(MASKED)}`,
      two: `type P @key(fields: "id") { id: ID! v: V @external leak: String @requires(fields: "v { x }") } ${types(MASKED)}`,
    };
    expect(refusals(schemas)).toEqual(['REQUIRES_MINIMIZED [two] P.leak']);
  });
});

describe('a field computed from rows with a subject', () => {
  const federation = (own: string, types: string, v: string, selection: string): Schemas => ({
    one: `type Query { p: P @authenticated } type P @key(fields: "id") ${own} { id: ID! v: ${v} } ${types}`,
    two: `type P @key(fields: "id") ${own} { id: ID! v: ${v} @external leak: String @requires(fields: "v { ${selection} }") @authenticated } ${types}`,
  });
  const OWNED = 'type U @shareable @subject(field: "id") { id: ID! x: String }';

  it.each([
    ['of its own', OWNED, 'U', 'x'],
    ['in a list', OWNED, '[U!]!', 'x'],
    ['of which only the name is read', OWNED, 'U', '__typename'],
    ['behind an interface', `interface I { x: String } ${OWNED.replace('U', 'U implements I')}`, 'I', 'x'],
    ['behind a union', `union W = U | O type O @shareable { y: Int } ${OWNED}`, 'W', '... on U { x }'],
  ])('does not compose: %s', (_name, types, v, selection) => {
    expect(refusals(federation('', types, v, selection))).toEqual(['REQUIRES_SUBJECT [two] P.leak']);
  });

  it('composes if its own rows have a subject', () => {
    expect(refusals(federation('@subject(field: "id")', OWNED, 'U', 'x'))).toEqual([]);
  });
});

const MASK = '@minimize(to: MASK, last: 4, showLength: true, unless: [["full"]])';
const user = (email: string, more = ''): string =>
  `type User @key(fields: "id") { id: ID! email: String ${email} ${more} }`;
const me = (email: string): string => `type Query { me: User } ${user(email)}`;
const other = (email: string, field = 'other: User', more = ''): string =>
  `type Query { ${field} } ${user(email, more)}`;
const PROVIDED = 'other: User @provides(fields: "email")';

describe('@minimize that another subgraph omits', () => {
  it.each<[string, string, Schemas]>([
    ['a @shareable copy', 'two', { one: me(`@shareable ${MASK}`), two: other('@shareable') }],
    ['a @provides path', 'two', { one: me(`@shareable ${MASK}`), two: other('@external', PROVIDED) }],
    [
      'a @provides path below another field',
      'two',
      {
        one: me(`@shareable ${MASK}`),
        two: `type Query { o: [Order!] @provides(fields: "by { email }") } type Order @key(fields: "id") { id: ID! by: User @external } ${user('@external')}`,
        three: `type Order @key(fields: "id") { id: ID! by: User @shareable } type User @key(fields: "id") { id: ID! }`,
      },
    ],
    ['@override', 'two', { one: me(MASK), two: other('@override(from: "one")') }],
    [
      '@override with a label, where it goes to',
      'two',
      { one: me(MASK), two: other('@override(from: "one", label: "percent(5)")') },
    ],
    [
      '@override with a label, where it comes from',
      'one',
      { one: me(''), two: other(`@override(from: "one", label: "percent(5)") ${MASK}`) },
    ],
    [
      '@override with a label, of a field that where it comes from is a key as well',
      'one',
      {
        one: 'type Query { me: User } type User @key(fields: "id") @key(fields: "email") { id: ID! email: String }',
        two: other(`@override(from: "one", label: "percent(5)") ${MASK}`),
      },
    ],
    [
      'a value type',
      'two',
      {
        one: `type Query { a: V } type V @shareable { email: String ${MASK} }`,
        two: 'type Query { b: V } type V @shareable { email: String }',
      },
    ],
    [
      'a key',
      'two',
      {
        one: `type Query { me: User } type User @key(fields: "email") { email: String ${MASK} name: String }`,
        two: 'type Query { other: User } type User @key(fields: "email", resolvable: false) { email: String }',
      },
    ],
    [
      'a weaker statement',
      'two',
      {
        one: me(`@shareable ${MASK}`),
        two: other('@shareable @minimize(to: MASK, last: 5, showLength: true, unless: [["full"]])'),
      },
    ],
    [
      'a statement that is lifted for more',
      'two',
      {
        one: me(`@shareable ${MASK}`),
        two: other('@shareable @minimize(to: MASK, last: 4, showLength: true, unless: [["full"], ["x"]])'),
      },
    ],
    [
      'a weaker statement that composition would take',
      'one',
      {
        one: me('@shareable @minimize(to: MASK, last: 9, showLength: true)'),
        two: other(`@shareable @minimize(to: MASK, last: 4, showLength: true)`),
      },
    ],
    [
      'an interface object',
      'two',
      {
        one: `type Query { m: M } interface M @key(fields: "id") { id: ID! title: String }
          type Book implements M @key(fields: "id") { id: ID! title: String @shareable ${MASK} }`,
        two: 'type Query { n: M } type M @interfaceObject @key(fields: "id") { id: ID! title: String @shareable }',
      },
    ],
    [
      'a provided interface',
      'two',
      {
        one: `type Query { m: M } interface M { id: ID! title: String } type Book implements M @key(fields: "id") { id: ID! title: String @shareable ${MASK} }`,
        two: 'type Query { n: M @provides(fields: "... on Book { title }") } interface M { id: ID! title: String } type Book implements M @key(fields: "id") { id: ID! title: String @external }',
      },
    ],
    [
      'a schema of the first federation',
      'two',
      {
        one: me(`@shareable ${MASK}`),
        two: `${WITHOUT_HEAD}
          type Query { ${PROVIDED} } extend type User @key(fields: "id") { id: ID! @external email: String @external }`,
      },
    ],
    [
      'the directive under another name',
      'two',
      {
        one: `${WITHOUT_HEAD}
          extend schema @link(url: "https://specs.apollo.dev/federation/v2.9", import: ["@key", "@shareable"])
            @link(url: "https://specs.behalf.dev/behalf/v0.1", import: [{ name: "@minimize", as: "@less" }])
          ${me(`@shareable ${MASK.replace('@minimize', '@less')}`)}`,
        two: `${WITHOUT_HEAD}
          extend schema @link(url: "https://specs.apollo.dev/federation/v2.9", import: ["@key", "@shareable"])
          ${other('@shareable')}`,
      },
    ],
    [
      'a root field',
      'two',
      {
        one: `type Query { greeting: String @shareable ${MASK} }`,
        two: 'type Query { greeting: String @shareable }',
      },
    ],
  ])('does not compose: %s', (_name, subgraph, schemas) => {
    const refused = refusals(schemas).filter((each) => each.startsWith('SHARED_MINIMIZATION_DIFFERS'));
    expect(refused).toHaveLength(1);
    expect(refused[0]).toContain(`[${subgraph}] `);
  });

  it('does not compose if a subgraph writes the record itself', () => {
    const links = `extend schema
      @link(url: "https://specs.apollo.dev/federation/v2.9", import: ["@key", "@shareable", "@composeDirective"])
      @link(url: "https://specs.apollo.dev/join/v0.3")
      @link(url: "https://specs.behalf.dev/behalf/v0.1", import: ["@minimize"])
      @composeDirective(name: "@behalf__statedBy")
      directive @behalf__statedBy(subgraphs: [String!]!) on FIELD_DEFINITION | OBJECT`;
    const forged = '@shareable @behalf__statedBy(subgraphs: ["one", "two"])';
    for (const head of [links, links.replace(/@link[^\n]*join[^\n]*/, '')]) {
      const schemas = {
        one: `${WITHOUT_HEAD}\n${head} ${me(`@shareable ${MASK}`)}`,
        two: `${WITHOUT_HEAD}\n${head} ${other(forged)}`,
      };
      expect(() => composeSupergraph(sourcesOf(schemas))).toThrow(ComposeError);
    }
  });

  it('names the subgraph, the coordinate and the rule', () => {
    const schemas = { one: me(`@shareable ${MASK}`), two: other('@external', PROVIDED) };
    try {
      composeSupergraph(sourcesOf(schemas));
      expect.unreachable();
    } catch (error) {
      if (!(error instanceof ComposeError)) throw error;
      expect(error.details).toHaveLength(1);
      expect(error.details[0]).toContain(
        'SHARED_MINIMIZATION_DIFFERS: [two] User.email: it can resolve it and does not state @minimize(to: MASK, last: 4, showLength: true, unless: full).',
      );
    }
  });

  it.each<[string, Schemas]>([
    ['a @shareable copy', { one: me(`@shareable ${MASK}`), two: other(`@shareable ${MASK}`) }],
    [
      'in other words',
      {
        one: me(`@shareable ${MASK}`),
        two: other(
          '@shareable @minimize(unless: [["full"], ["full", "x"]], last: 4, to: MASK, showLength: true)',
        ),
      },
    ],
    ['a @provides path', { one: me(`@shareable ${MASK}`), two: other(`@external ${MASK}`, PROVIDED) }],
    ['@override', { one: me(MASK), two: other(`@override(from: "one") ${MASK}`) }],
    [
      '@override with a label',
      { one: me(MASK), two: other(`@override(from: "one", label: "percent(5)") ${MASK}`) },
    ],
  ])('composes if every subgraph states it: %s', (_name, schemas) => {
    expect(refusals(schemas)).toEqual([]);
  });

  it.each<[string, Schemas]>([
    [
      'by a key that refers to it',
      {
        one: me(MASK),
        two: `type Query { other: User } type User @key(fields: "id", resolvable: false) { id: ID! }`,
      },
    ],
    ['with other fields of it', { one: me(MASK), two: `type User @key(fields: "id") { id: ID! age: Int }` }],
    [
      'that is given it to compute from',
      {
        one: me(MASK),
        two: user('@external', `domain: String @requires(fields: "email") @requiresScope(scope: "full")`),
      },
    ],
  ])('composes beside a subgraph that cannot resolve it: %s', (_name, schemas) => {
    expect(refusals(schemas)).toEqual([]);
  });
});

describe('@subject that another subgraph omits', () => {
  const OWNED = 'type User @key(fields: "id") @subject(field: "id") { id: ID! email: String @shareable }';
  const owned = `type Query { me: User } ${OWNED}`;
  const OWNER = '@key(fields: "id") @key(fields: "home { zip }") @subject(field: "id")';
  const homed = `type Query { me: User } type User ${OWNER} { id: ID! @shareable home: Home @shareable }
    type Home @shareable { zip: ID street: String town: Town } type Town @shareable { id: ID name: String }`;

  it.each<[string, Schemas]>([
    ['with fields of its own', { one: owned, two: 'type User @key(fields: "id") { id: ID! notes: String }' }],
    [
      'with a @shareable copy',
      {
        one: owned,
        two: 'type Query { other: User } type User @key(fields: "id") { id: ID! email: String @shareable }',
      },
    ],
    [
      'by @provides',
      {
        one: owned,
        two: `type Query { ${PROVIDED} } type User @key(fields: "id") { id: ID! email: String @external }`,
      },
    ],
    [
      'by a key of its own making',
      {
        one: owned,
        two: 'type Query { other: User } type User @key(fields: "id email", resolvable: false) { id: ID! email: String }',
      },
    ],
    [
      'of a value type',
      {
        one: 'type Query { a: V } type V @shareable @subject(field: "owner") { owner: ID! x: Int }',
        two: 'type Query { b: V } type V @shareable { owner: ID! x: Int }',
      },
    ],
    [
      'as an interface object',
      {
        one: `type Query { m: M } interface M @key(fields: "id") { id: ID! } type Book implements M @key(fields: "id") @subject(field: "id") { id: ID! title: String }`,
        two: 'type M @interfaceObject @key(fields: "id") { id: ID! stars: Int }',
      },
    ],
    [
      'by another property',
      { one: owned, two: 'type User @key(fields: "id") @subject(field: "number") { id: ID! notes: String }' },
    ],
    [
      'with more below a key than the key selects',
      {
        one: homed,
        two: homed
          .replace('me: User', 'other: User')
          .replace(OWNER, '@key(fields: "home { zip }")')
          .replace('id: ID! @shareable ', ''),
      },
    ],
    [
      'with more far below a key',
      {
        one: homed.replaceAll('home { zip }', 'home { zip town { id } }'),
        two: homed
          .replace('me: User', 'other: User')
          .replace(OWNER, '@key(fields: "home { zip town { id } }")')
          .replace(' street: String', ''),
      },
    ],
    [
      'with what another subgraph overrides',
      { one: owned, two: 'type User @key(fields: "id") { id: ID! email: String @override(from: "one") }' },
    ],
  ])('does not compose: %s', (_name, schemas) => {
    expect(refusals(schemas).filter((each) => each.startsWith('SHARED_SUBJECT_DIFFERS [two]'))).toHaveLength(
      1,
    );
  });

  it.each<[string, Schemas]>([
    [
      'refers to it by its key',
      { one: owned, two: 'type Query { other: User } type User @key(fields: "id") { id: ID! }' },
    ],
    [
      'refers to it by a key that leads nowhere',
      {
        one: owned,
        two: 'type Query { other: [User!] } type User @key(fields: "id", resolvable: false) { id: ID! }',
      },
    ],
    [
      'refers to it by a key below a field',
      {
        one: homed,
        two: `type Query { other: User } type User @key(fields: "home { zip }") { home: Home @shareable }
          type Home @shareable { zip: ID }`,
      },
    ],
    [
      'states it',
      { one: owned, two: 'type User @key(fields: "id") @subject(field: "id") { id: ID! notes: String }' },
    ],
  ])('composes if the other one %s', (_name, schemas) => {
    expect(refusals(schemas)).toEqual([]);
  });

  it('is stated with the same exemptions, in any order', () => {
    const two = (unless: string): string =>
      `type User @key(fields: "id") @subject(field: "id", unless: ${unless}) { id: ID! notes: String }`;
    const one = owned.replace('@subject(field: "id")', '@subject(field: "id", unless: [["a", "b"], ["c"]])');
    expect(one).not.toBe(owned);
    expect(refusals({ one, two: two('[["c"], ["b", "a"]]') })).toEqual([]);
    expect(refusals({ one, two: two('[["c"]]') })).toContain('SHARED_SUBJECT_DIFFERS [two] User');
    expect(refusals({ one: owned, two: two('[["c"]]') })).toContain('SHARED_SUBJECT_DIFFERS [two] User');
  });

  const account = `type Query { account: Account } type Account @key(fields: "id") @subject(field: "holder") { id: ID! holder: ID! @shareable iban: String }`;
  const payments = (fields: string, key = 'id'): string =>
    `type Account @key(fields: "${key}") @subject(field: "holder") { id: ID! ${fields} }`;

  it.each([
    ['is not given the owner', payments('payments: Int')],
    [
      'is given the owner for some fields only',
      payments('holder: ID! @external payments: Int @requires(fields: "holder") cards: Int'),
    ],
  ])('does not compose if a subgraph %s', (_name, two) => {
    expect(refusals({ one: account, two })).toEqual(['SUBJECT_NOT_RECEIVED [two] Account']);
  });

  it.each([
    ['the key', payments('holder: ID! payments: Int', 'id holder')],
    ['@requires', payments('holder: ID! @external payments: Int @requires(fields: "holder")')],
    ['its own store', payments('holder: ID! @shareable payments: Int')],
  ])('composes if a subgraph knows the owner by %s', (_name, two) => {
    const one = two.includes('"id holder"')
      ? account.replace('@key(fields: "id")', '@key(fields: "id") @key(fields: "id holder")')
      : account;
    expect(refusals({ one, two })).toEqual([]);
  });
});

describe('the commands', () => {
  let folder: string;
  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), 'behalf-lost-'));
    const schemas = { one: me(`@shareable ${MASK}`), two: other('@external', PROVIDED) };
    for (const { name, sdl } of sourcesOf(schemas)) await writeFile(join(folder, `${name}.graphql`), sdl);
    await writeFile(
      join(folder, 'supergraph.yaml'),
      Object.keys(schemas)
        .map((name) => `  ${name}: { routing_url: 'http://${name}', schema: { file: ${name}.graphql } }\n`)
        .reduce((text, line) => text + line, 'subgraphs:\n'),
    );
  });
  afterAll(() => rm(folder, { recursive: true, force: true }));

  it('compose refuses a bypassable rule, and lint names the place', async () => {
    const config = join(folder, 'supergraph.yaml');
    const composed = await behalf(['compose', '--config', config, '--out', join(folder, 'out.graphql')]);
    expect(composed.code).not.toBe(0);
    expect(composed.stderr).toContain('SHARED_MINIMIZATION_DIFFERS: [two] User.email: ');
    await expect(readFile(join(folder, 'out.graphql'))).rejects.toThrow('ENOENT');
    const linted = await behalf(['lint', '--config', config, '--format', 'json']);
    expect(linted.code).toBe(1);
    const { findings } = JSON.parse(linted.stdout) as { findings: readonly Record<string, unknown>[] };
    const found = findings.find(({ code }) => code === 'SHARED_MINIMIZATION_DIFFERS');
    expect(found).toMatchObject({ severity: 'error', subgraph: 'two', coordinate: 'User.email', line: 5 });
    expect(findings.some(({ code }) => code === 'COMPOSITION_FAILED')).toBe(false);
  });
});
