import { buildProtectedSubgraph } from '@behalf/directives';
import {
  isUnrestricted,
  completeSubgraph,
  isMet,
  RuleTable,
  NO_REQUIREMENT,
  specifiedDirectives,
} from '@behalf/directives/internal';
import { Kind, parse } from 'graphql';
import { describe, expect, it } from 'vitest';
import { LINKS, testedSubgraph } from './support.js';

const table = (sdl: string, coverage: 'required' | 'open' = 'required'): RuleTable =>
  new RuleTable(completeSubgraph(parse(LINKS + sdl)), { coverage });
const everything = {
  subject: 's',
  clientId: 'c',
  scopes: new Set(['a', 'b']),
  policies: new Set(['a', 'b']),
  roles: [],
  consent: { id: 'c', version: 1, purposes: ['a', 'b'], detail: 'full' as const },
};

describe('an unknown coordinate', () => {
  const SDL =
    'type Query { known: T @public } type T @public { x: Int } interface N @public { y: Int } union U = T';
  it.each([
    ['Nowhere', 'x'],
    ['Nowhere', '__typename'],
    ['T', 'unknown'],
    ['Query', '_entities'],
    ['N', 'x'],
    ['U', 'x'],
    ['T', 'constructor'],
    ['__proto__', 'x'],
    ['T', '__schema'],
  ])('is refused to everybody, whatever the coverage: %s.%s', (type, field) => {
    for (const coverage of ['required', 'open'] as const) {
      const requirement = table(SDL, coverage).requirementOf(type, field);
      expect(requirement.uncovered).toBe(true);
      expect(isMet(requirement, everything)).toBe(false);
    }
  });

  it('is refused by a subgraph, as when a field is added later', async () => {
    const { GraphQLObjectType, GraphQLString } = await import('graphql');
    const subgraph = testedSubgraph(
      'type Query { known: T @public } type T { x: String @public }',
      { Query: { known: () => ({}) } },
      {
        coverage: 'open',
        transform: (schema) => {
          const type = schema.getType('T');
          const more = { type: GraphQLString, resolve: () => 'more' };
          const added = new GraphQLObjectType({ name: 'Added', fields: { more } }).getFields();
          if (type instanceof GraphQLObjectType) Object.assign(type.getFields(), added);
          return schema;
        },
      },
    );
    const { data } = await subgraph.ask('{ known { more } }', {});
    expect(data).toEqual({ known: { more: null } });
  });

  it('and the names of types are free', () => {
    expect(isUnrestricted(table(SDL).requirementOf('T', '__typename'))).toBe(true);
  });
});

describe('the requirement of a field', () => {
  it('combines its own rule, its type’s and its return type’s', () => {
    const rules = table(`
      type Query { t: T @public }
      type T @requiresScopes(scopes: [["a"]]) { x: [V!]! @purpose(of: ["a"]) y: Int }
      type V @policy(policies: [["b"]]) { z: Int }`);
    const asked = rules.requirementOf('T', 'x');
    expect(asked).toMatchObject({
      scopes: [[['a']]],
      policies: [[['b']]],
      purposes: [['a']],
      uncovered: false,
    });
    expect(rules.requirementOf('T', 'y')).toMatchObject({ scopes: [[['a']]], policies: [] });
    expect(rules.sourcesOf('T', 'x').map(({ at }) => at)).toEqual(['T', 'T.x', 'V']);
  });

  it('on an interface combines those of the implementers', () => {
    const rules = table(`
      type Query { n: N @public }
      interface N { x: Int }
      type A implements N { x: Int @requiresScopes(scopes: [["a"]]) }
      type B implements N @authenticated { x: Int }`);
    expect(rules.requirementOf('N', 'x')).toMatchObject({ scopes: [[['a']]], authenticated: true });
    expect(rules.requirementOf('Query', 'n')).toMatchObject({ authenticated: true, scopes: [] });
    expect(rules.sourcesOf('N', 'x').map(({ at }) => at)).toEqual(['A.x', 'B']);
  });

  it('on an interface excludes those of other interfaces', () => {
    const rules = table(`
      type Query { n: N @public }
      interface N { x: Int }
      interface M implements N { x: Int @requiresScopes(scopes: [["m"]]) }
      type A implements N { x: Int @authenticated }`);
    expect(rules.requirementOf('N', 'x')).toMatchObject({ scopes: [], authenticated: true });
    expect(rules.answersOf('N', 'x').map(([{ name }]) => name)).toEqual(['N', 'A']);
  });

  it.each([
    ['nothing', 'x: Int', true],
    ['@public', 'x: Int @public', false],
    ['a rule', 'x: Int @authenticated', false],
    ['a rule that it inherits by what it returns', 'x: Ruled', false],
    ['a classification only', 'x: Int @personalData(category: "c")', true],
    ['a minimization only', 'x: String @minimize(to: MASK, showLength: true)', true],
  ])('without coverage is refused: %s', (_, field, uncovered) => {
    const sdl = `type Query { ok: Int @public } type T { ${field} } type Ruled @authenticated { y: Int }`;
    expect(table(sdl).requirementOf('T', 'x').uncovered).toBe(uncovered);
    expect(table(sdl, 'open').requirementOf('T', 'x').uncovered).toBe(false);
  });

  it('accepts @public on its type and return type, which opens nothing else', () => {
    const rules = table(`
      type Query { ok: Open }
      type Open @public { x: Int y: Int @authenticated }`);
    expect(isUnrestricted(rules.requirementOf('Query', 'ok'))).toBe(true);
    expect(isUnrestricted(rules.requirementOf('Open', 'x'))).toBe(true);
    expect(rules.requirementOf('Open', 'y').authenticated).toBe(true);
  });

  it('of an owned type needs a delegation', () => {
    const rules = table('type Query { t: T } type T @subject(field: "owner") { x: Int }', 'open');
    expect(rules.requirementOf('Query', 't').authenticated).toBe(true);
    expect(rules.type('T')?.subject).toEqual({ property: 'owner', unless: [] });
  });

  it('combines the rules of type extensions', () => {
    const rules = table(
      'type Query { ok: Int @public } type T { x: Int } extend type T @authenticated { y: Int }',
    );
    expect(rules.requirementOf('T', 'x').authenticated).toBe(true);
    expect(rules.requirementOf('T', 'y').authenticated).toBe(true);
  });
});

describe('what a rule table knows', () => {
  it('of every kind of type: what it is, what it asks for, and its extensions', () => {
    const rules = table(`
      type Query { e: E s: S u: U i: I }
      enum E @authenticated { A } extend enum E @requiresScopes(scopes: [["a"]]) { B }
      scalar S @policy(policies: [["a"]]) extend scalar S @authenticated
      interface I @authenticated { x: Int } extend interface I { y: Int @requiresScopes(scopes: [["a"]]) }
      type A implements I @public { x: Int y: Int }
      type B { x: Int @public }
      union U = A extend union U = B
      input Z { x: Int }`);
    const known = [...rules.allTypes()].filter(({ name }) => !name.startsWith('behalf__'));
    expect(known.map(({ name, kind, related }) => [name, kind, ...related])).toEqual([
      ['Query', 'object'],
      ['E', 'enum'],
      ['S', 'scalar'],
      ['I', 'interface'],
      ['A', 'object', 'I'],
      ['B', 'object'],
      ['U', 'union', 'A', 'B'],
    ]);
    expect(rules.requirementOf('Query', 'e')).toMatchObject({ authenticated: true, scopes: [[['a']]] });
    expect(rules.requirementOf('Query', 's')).toMatchObject({ authenticated: true, policies: [[['a']]] });
    expect(rules.requirementOf('Query', 'i')).toMatchObject({ authenticated: true, scopes: [] });
    expect(rules.requirementOf('I', 'y')).toMatchObject({ authenticated: true, scopes: [[['a']]] });
  });

  it('takes schemas that a program wrote, which leave out what is empty', () => {
    const name = (value: string) => ({ kind: Kind.NAME, value }) as const;
    const type = { kind: Kind.NAMED_TYPE, name: name('Int') } as const;
    const rules = new RuleTable(
      {
        kind: Kind.DOCUMENT,
        definitions: [
          { kind: Kind.OBJECT_TYPE_DEFINITION, name: name('Empty') },
          { kind: Kind.UNION_TYPE_DEFINITION, name: name('Nothing') },
          { kind: Kind.UNION_TYPE_EXTENSION, name: name('Nothing') },
          {
            kind: Kind.OBJECT_TYPE_DEFINITION,
            name: name('Query'),
            fields: [{ kind: Kind.FIELD_DEFINITION, name: name('x'), type }],
          },
        ],
      },
      { coverage: 'open' },
    );
    expect(rules.type('Empty')).toMatchObject({ related: [], fields: new Map() });
    expect(isUnrestricted(rules.requirementOf('Query', 'x'))).toBe(true);
  });

  it('passes over directives that state no rule', () => {
    const rules = table('type Query @key(fields: "x") { x: Int @public @deprecated(reason: "old") }');
    expect(isUnrestricted(rules.requirementOf('Query', 'x'))).toBe(true);
  });

  it('of an interface that nobody implements, or of which an implementer lacks the field', () => {
    const rules = table(`
      type Query { n: N @public m: M @public }
      interface N @public { x: Int }
      interface M @public { x: Int }
      type A implements M @authenticated { y: Int }`);
    expect(rules.answersOf('N', 'x').map(([{ name }]) => name)).toEqual(['N']);
    expect(rules.answersOf('M', 'x').map(([{ name }]) => name)).toEqual(['M']);
    expect(isUnrestricted(rules.requirementOf('Query', 'n'))).toBe(true);
    expect(rules.requirementOf('Query', 'm').authenticated).toBe(true);
  });

  it('says where the missing rule of an unknown coordinate would stand', () => {
    const rules = table('type Query { x: Int @public }');
    for (const [type, field] of [
      ['Nowhere', 'x'],
      ['Query', 'unknown'],
    ] as const) {
      expect(rules.sourcesOf(type, field)).toEqual([
        { at: `${type}.${field}`, requirement: { ...NO_REQUIREMENT, uncovered: true } },
      ]);
      expect(rules.answersOf(type, field)).toEqual([]);
      expect(rules.field(type, field)).toBeUndefined();
    }
  });

  it('is worked out once for each coordinate', () => {
    const rules = table('type Query @authenticated { x: Int @requiresScopes(scopes: [["a"]]) }');
    expect(rules.requirementOf('Query', 'x')).toBe(rules.requirementOf('Query', 'x'));
  });
});

describe('every specified directive has a meaning', () => {
  const ARGUMENTS: Record<(typeof specifiedDirectives)[number]['name'], string> = {
    authenticated: '',
    requiresScopes: '(scopes: [["a"]])',
    requiresScope: '(scope: "a")',
    policy: '(policies: [["a"]])',
    public: '',
    minimize: '(to: MASK, showLength: true)',
    filters: '(field: "Query.t")',
    purpose: '(of: ["a"])',
    subject: '(field: "owner")',
    personalData: '(category: "c")',
  };

  const ofOutput = specifiedDirectives.filter(({ name }) => name !== 'filters');

  it.each(ofOutput.map(({ name, protects }) => [name, protects] as const))('@%s', (name, protects) => {
    const applied = `@${name}${ARGUMENTS[name]}`;
    const rules = table(
      name === 'subject'
        ? `type Query { t: T } type T ${applied} { x: Int }`
        : `type Query { t: String ${applied} }`,
      'open',
    );
    const rule = rules.field('Query', 't');
    const isProtected =
      !isUnrestricted(rules.requirementOf('Query', 't')) || rule?.minimization !== undefined;
    expect(isProtected).toBe(protects);
    if (!protects) expect(rule?.isPublic === true || rule?.personalData !== undefined).toBe(true);
  });

  it.each(specifiedDirectives.filter(({ protects }) => protects).map(({ name }) => name))(
    '@%s without a link stops the start',
    (name) => {
      const sdl = parse(`type Query { x: String @${name}${ARGUMENTS[name]} }`);
      expect(() => new RuleTable(sdl, { coverage: 'open' })).toThrow(
        `@${name} is applied, but no @link says`,
      );
    },
  );
});

describe('an invalid rule stops the start', () => {
  it.each([
    ['Query.x(a:)', 'type Query { x(a: Int @authenticated): Int @public }'],
    ['N.x(a:)', 'type Query { x: N @public } interface N { x(a: Int @authenticated): Int }'],
    ['E.A', 'type Query { x: E @public } enum E { A @authenticated }'],
    ['E.B', 'type Query { x: E @public } enum E { A } extend enum E { B @authenticated }'],
    ['U', 'type Query { x: U @public } type T @public { y: Int } union U @authenticated = T'],
    ['I.y', 'type Query { x: Int @public } input I { y: Int @requiresScope(scope: "a") }'],
    ['I', 'type Query { x: Int @public } input I @policy(policies: [["a"]]) { y: Int }'],
    ['schema', 'schema @authenticated { query: Query } type Query { x: Int @public }'],
    ['@d(a:)', 'directive @d(a: Int @authenticated) on OBJECT type Query { x: Int @public }'],
  ])('on %s, where no rule is read', (coordinate, sdl) => {
    const refusal = {
      coordinate,
      message: expect.stringMatching(/^.+: @\w+ protects nothing here$/) as string,
    };
    expect(() => table(sdl)).toThrow(expect.objectContaining(refusal) as Error);
  });

  it.each([
    ['Query.x: this directive belongs on an object type', 'type Query { x: Int @subject(field: "a") }'],
    [
      'T: an alternative of "unless" must name a scope',
      'type T @subject(field: "a", unless: [["a"], []]) { x: Int }',
    ],
    ['T: "unless" must be a list of lists of strings', 'type T @subject(field: "a", unless: "a") { x: Int }'],
    ['N: this directive belongs on an object type', 'interface N @subject(field: "a") { y: Int }'],
    ['N: this directive belongs on an object type', 'enum N @subject(field: "a") { A }'],
    ['T: this directive belongs on a field', 'type T @minimize(to: REDACT) { y: Int }'],
    ['T: this directive belongs on a field', 'type T @personalData(category: "c") { y: Int }'],
    [
      'N.y: put this rule on the fields of the implementing types',
      'interface N { y: Int @minimize(to: REDACT) }',
    ],
    [
      'N.y: put this rule on the fields of the implementing types',
      'interface N { y: Int @purpose(of: ["a"]) }',
    ],
  ])('%s in %s', (message, sdl) => {
    expect(() => table(sdl)).toThrow(
      expect.objectContaining({ code: 'INVALID_RULE', message: expect.stringContaining(message) as string }),
    );
  });

  it.each([
    ['of Behalf', 'type Query { x: Int @behalf__sealed }', 'behalf'],
    ['of a standard specification', 'type Query { x: Int @requiresScopes__any }', 'requiresScopes'],
    [
      'that federation does not have',
      'type Query { x: Int @federation__requiresScope(scope: "a") }',
      'federation',
    ],
  ])('an unknown directive %s', (_, sdl, specification) => {
    const links = '@link(url: "https://specs.apollo.dev/requiresScopes/v0.1", for: SECURITY)';
    expect(
      () => new RuleTable(parse(`${LINKS} extend schema ${links} ${sdl}`), { coverage: 'open' }),
    ).toThrow(`is not a directive of ${specification}`);
  });

  it.each([
    ['over plain http', 'http://specs.behalf.dev/behalf/v0.1'],
    ['with a query', 'https://specs.behalf.dev/behalf/v0.1?team=a'],
    ['with a fragment', 'https://specs.behalf.dev/behalf/v0.1#subject'],
    ['with more behind the version', 'https://specs.behalf.dev/behalf/v0.1/subject'],
    ['with a host in capitals', 'https://Specs.behalf.dev/behalf/v0.1'],
    ['with a name in capitals', 'https://specs.behalf.dev/Behalf/v0.1'],
    ['with a dot behind the host', 'https://specs.behalf.dev./behalf/v0.1'],
    ['with a port', 'https://specs.behalf.dev:8443/behalf/v0.1'],
    ['with two slashes', 'https://specs.behalf.dev//behalf/v0.1'],
    ['with slashes inside', 'https://specs.behalf.dev/behalf//v0.1'],
    ['with a misspelt name', 'https://specs.behalf.dev/behlaf/v0.1'],
    ['with a digit in its name', 'https://specs.behalf.dev/beha1f/v0.1'],
    ['in another folder', 'https://specs.behalf.dev/x/behalf/v0.1'],
    ['with a misspelt host', 'https://spec.behalf.dev/behalf/v0.1'],
    ['on another host', 'https://specs.behlaf.dev/behalf/v0.1'],
    ['without a scheme', 'specs.behalf.dev/behalf/v0.1'],
    ['of federation with two slashes', 'https://specs.apollo.dev//federation/v2.9'],
    ['of federation with a misspelt name', 'https://specs.apollo.dev/federatoin/v2.9'],
    ['of nobody', 'https://example.com/rules/v1.0'],
    ['of federation over plain http', 'http://specs.apollo.dev/federation/v2.9'],
    ['of a standard rule over plain http', 'http://specs.apollo.dev/policy/v0.1'],
  ])('a link to rules in an unknown spelling, which would protect nothing: %s', (_, url) => {
    const links = `extend schema @link(url: "${url}", import: ["@subject", "@authenticated"])`;
    const sdl = `${links} type Query { note: Note @authenticated } type Note @subject(field: "owner") { id: ID }`;
    expect(() => new RuleTable(parse(sdl), { coverage: 'open' })).toThrow('would protect nothing');
  });

  it('a link to rules in an unknown spelling that gives them other names', () => {
    const url = 'https://specs.behlaf.dev/behalf/v0.1';
    const sdl = `extend schema @link(url: "${url}", import: [{ name: "@requiresScope", as: "@needs" }])
      directive @needs(scope: String!) on FIELD_DEFINITION
      type Query { x: Int @needs(scope: "a") }`;
    expect(() => new RuleTable(parse(sdl), { coverage: 'open' })).toThrow('would protect nothing');
  });

  it('a directive with the name of a rule and the prefix of an unknown specification', () => {
    const sdl = `extend schema @link(url: "https://example.com/rules/v1.0") type Query { x: Int @rules__authenticated }`;
    expect(() => new RuleTable(parse(sdl), { coverage: 'open' })).toThrow(
      expect.objectContaining({ code: 'UNLINKED_DIRECTIVE', coordinate: 'Query.x' }) as Error,
    );
  });

  it('but not a directive of another specification that is imported by another name', () => {
    const sdl = `extend schema @link(url: "https://example.com/docs/v1.0", import: [{ name: "@subject", as: "@topic" }])
      directive @topic(of: String) on FIELD_DEFINITION
      type Query { x: Int @topic(of: "a") }`;
    expect(() => new RuleTable(parse(sdl), { coverage: 'open' })).not.toThrow();
  });

  it('but not a link without rules, on the same or a similar host', () => {
    for (const url of [
      'https://specs.apollo.dev/tag/v0.3',
      'http://specs.apollo.dev/federations/v1.0',
      'https://behalf.example/behalf/v0.1',
      'no address',
    ]) {
      const sdl = `extend schema @link(url: "${url}") type Query { x: Int }`;
      expect(() => new RuleTable(parse(sdl), { coverage: 'open' })).not.toThrow();
    }
  });
});

it('a subgraph rejects another schema’s state, whatever it allows', async () => {
  const sdl = 'type Query { secret: String @requiresScope(scope: "a") }';
  const resolvers = { Query: { secret: () => 'secret' } };
  const [here, elsewhere] = [testedSubgraph(sdl, resolvers), testedSubgraph(sdl, resolvers)];
  const { graphql } = await import('graphql');
  const contextValue = await elsewhere.context({ scope: 'a' });
  const ask = (schema: typeof here.schema): ReturnType<typeof graphql> =>
    graphql({ schema, source: '{ secret }', contextValue });
  expect((await ask(elsewhere.schema)).data).toEqual({ secret: 'secret' });
  expect((await ask(here.schema)).data).toEqual({ secret: null });
});

it('buildProtectedSubgraph names the coordinate that it cannot compile', () => {
  expect(() =>
    buildProtectedSubgraph({
      name: 'tested',
      typeDefs: `${LINKS} type Query { x: Int @public @purpose(of: "a b") y: Int @requiresScope(scope: "") }`,
      resolvers: {},
      gateway: { issuer: 'https://gateway.example', jwksUri: 'https://gateway.example/jwks' },
    }),
  ).toThrow('Query.');
});
