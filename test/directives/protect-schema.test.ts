import { buildSubgraphSchema } from '@apollo/subgraph';
import { composeServices } from '@apollo/composition';
import { directiveDefinitions, protectSchema } from '@behalf/directives';
import type { CoordinateRules, ProtectSchemaOptions } from '@behalf/directives';
import {
  buildSchema,
  extendSchema,
  graphql,
  GraphQLEnumType,
  GraphQLInputObjectType,
  GraphQLInt,
  GraphQLList,
  GraphQLObjectType,
  GraphQLSchema,
  GraphQLString,
  GraphQLUnionType,
  parse,
  printSchema,
} from 'graphql';
import { describe, expect, it } from 'vitest';
import { errorCodes, LINKS, testedSchema } from './support.js';
import type { TestedSubgraph } from './support.js';

/** As a code-first library prints them. */
const DEFINED = printSchema(new GraphQLSchema({ directives: directiveDefinitions }))
  .split('\n')
  .filter((line) => line.startsWith('directive'))
  .join(' ');

const DEFINITIONS = `
  directive @requiresScope(scope: String!) repeatable on FIELD_DEFINITION | OBJECT | INTERFACE | SCALAR | ENUM
  directive @authenticated on FIELD_DEFINITION | OBJECT
  directive @public on FIELD_DEFINITION | OBJECT`;

function tested(schema: GraphQLSchema, options: Partial<ProtectSchemaOptions> = {}): TestedSubgraph {
  return testedSchema((base) => protectSchema(schema, { ...base, ...options }));
}

function build(schema: GraphQLSchema, options: Partial<ProtectSchemaOptions> = {}): () => GraphQLSchema {
  return () =>
    protectSchema(schema, {
      name: 'tested',
      gateway: { issuer: 'https://g.example', jwksUri: 'https://gateway.example/jwks' },
      ...options,
    });
}

/** `{ secret open forgotten }` with rules in `extensions.directives`, or nowhere. */
function codeFirst(secret?: unknown, open?: unknown, more: object = {}): GraphQLSchema {
  const field = (directives: unknown): object => ({
    type: GraphQLString,
    extensions: directives === undefined ? {} : { directives },
  });
  return new GraphQLSchema({
    query: new GraphQLObjectType({
      name: 'Query',
      fields: {
        secret: { ...field(secret), type: GraphQLString, resolve: () => 'secret' },
        open: { ...field(open), type: GraphQLString, resolve: () => 'open' },
        forgotten: { type: GraphQLString, resolve: () => 'forgotten' },
      },
      ...more,
    }),
  });
}

function withResolvers(schema: GraphQLSchema): GraphQLSchema {
  for (const field of Object.values(schema.getQueryType()?.getFields() ?? {}))
    field.resolve = () => field.name;
  return schema;
}

const RULES: CoordinateRules = {
  'Query.secret': { requiresScope: [{ scope: 'a' }, { scope: 'b' }] },
  'Query.open': { public: {} },
};

const STORES: [string, () => TestedSubgraph][] = [
  [
    'astNode (graphql-js, NestJS, TypeGraphQL)',
    () =>
      tested(
        withResolvers(
          buildSchema(`${DEFINITIONS} type Query {
            secret: String @requiresScope(scope: "a") @requiresScope(scope: "b")
            open: String @public
            forgotten: String }`),
        ),
      ),
  ],
  [
    'extensionASTNodes',
    () =>
      tested(
        withResolvers(
          extendSchema(
            buildSchema(`${DEFINITIONS} type Query { open: String @public forgotten: String }`),
            parse(
              `extend type Query { secret: String @requiresScope(scope: "a") @requiresScope(scope: "b") }`,
            ),
          ),
        ),
      ),
  ],
  [
    'extensions.directives as an object (graphql-tools)',
    () => tested(codeFirst({ requiresScope: [{ scope: 'a' }, { scope: 'b' }] }, { public: {} })),
  ],
  [
    'extensions.directives as a list (Pothos)',
    () =>
      tested(
        codeFirst(
          [
            { name: 'requiresScope', args: { scope: 'a' } },
            { name: 'requiresScope', args: { scope: 'b' } },
          ],
          [{ name: 'public' }],
        ),
      ),
  ],
  ['the option rules', () => tested(codeFirst(), { rules: RULES })],
];

describe.each(STORES)('protectSchema reads rules in %s', (_, make) => {
  it('and permits what they permit', async () => {
    const { data, errors } = await make().ask('{ secret open }', { scope: 'a b' });
    expect(errors).toBeUndefined();
    expect(data).toEqual({ secret: 'secret', open: 'open' });
  });

  it('denies everything else, including fields without a rule', async () => {
    const subgraph = make();
    const answer = await subgraph.ask('{ secret open forgotten }', { scope: 'a' });
    expect(answer.data).toEqual({ secret: null, open: 'open', forgotten: null });
    expect(errorCodes(answer)).toEqual([
      'forgotten UNAUTHORIZED_FIELD_OR_TYPE',
      'secret UNAUTHORIZED_FIELD_OR_TYPE',
    ]);
    expect(answer.facts?.fields).toContainEqual(['Query.secret', 'denied', 1, null, expect.any(String)]);
    const anonymous = await subgraph.ask('{ secret open forgotten }');
    expect(anonymous.data).toEqual({ secret: null, open: 'open', forgotten: null });
  });

  it('denies without a context value, too', async () => {
    const { data } = await graphql({ schema: make().schema, source: '{ secret open }' });
    expect(data).toEqual({ secret: null, open: 'open' });
  });
});

describe('protectSchema', () => {
  it('reads extensionASTNodes of a type, and SDL of a field known only there', async () => {
    const schema = withResolvers(
      extendSchema(
        buildSchema(`${DEFINITIONS} type Query { a: String @requiresScope(scope: "a") b: String }`),
        parse('extend type Query @authenticated'),
      ),
    );
    const field = schema.getQueryType()?.getFields().a;
    if (field !== undefined) field.astNode = undefined;
    const subgraph = tested(schema);
    expect((await subgraph.ask('{ a b }')).data).toEqual({ a: null, b: null });
    expect((await subgraph.ask('{ a b }', {})).data).toEqual({ a: null, b: 'b' });
    expect((await subgraph.ask('{ a b }', { scope: 'a' })).data).toEqual({ a: 'a', b: 'b' });
  });

  it('combines the rules of all sources', async () => {
    const subgraph = tested(codeFirst({ requiresScope: { scope: 'a' } }), {
      rules: { 'Query.secret': { requiresScope: { scope: 'b' } } },
    });
    expect((await subgraph.ask('{ secret }', { scope: 'a' })).data).toEqual({ secret: null });
    expect((await subgraph.ask('{ secret }', { scope: 'b' })).data).toEqual({ secret: null });
    expect((await subgraph.ask('{ secret }', { scope: 'a b' })).data).toEqual({ secret: 'secret' });
  });

  it('minimizes values, and omits other subjects’ rows', async () => {
    const Row = new GraphQLObjectType({
      name: 'Row',
      fields: {
        owner: { type: GraphQLString },
        iban: { type: GraphQLString },
        born: { type: GraphQLString },
      },
      extensions: { directives: { subject: { field: 'owner' } } },
    });
    const rows = ['alma', 'bert'].map((owner) => ({ owner, iban: 'SE12345', born: '1990-05-06' }));
    const schema = new GraphQLSchema({
      query: new GraphQLObjectType({
        name: 'Query',
        fields: { rows: { type: new GraphQLList(Row), resolve: () => rows } },
      }),
    });
    const subgraph = tested(schema, {
      rules: {
        'Row.iban': { minimize: { to: 'MASK', last: 2, showLength: true, unless: [['full']] } },
        'Row.born': { minimize: { to: 'GENERALIZE', unit: 'YEAR' } },
      },
    });
    const query = '{ rows { owner iban born } }';
    expect((await subgraph.ask(query, {})).data).toEqual({
      rows: [{ owner: 'alma', iban: '*****45', born: '1990-01-01' }],
    });
    expect((await subgraph.ask(query, { scope: 'full' })).data).toMatchObject({
      rows: [{ iban: 'SE12345' }],
    });
    expect((await subgraph.ask(query)).data).toEqual({ rows: null });
    expect(subgraph.logged.map(({ code }) => code)).toEqual(['FOREIGN_ROWS']);
  });

  it('moves @requiresScope from an interface to its implementers', async () => {
    const schema = buildSchema(`${DEFINITIONS}
      type Query { named: Named @public }
      interface Named { name: String @requiresScope(scope: "a") }
      type Person implements Named @public { name: String }`);
    const named = schema.getQueryType()?.getFields().named;
    if (named !== undefined) named.resolve = () => ({ __typename: 'Person', name: 'Alma' });
    const subgraph = tested(schema);
    expect((await subgraph.ask('{ named { name } }', {})).data).toEqual({ named: { name: null } });
    expect((await subgraph.ask('{ named { ... on Person { name } } }', {})).data).toEqual({
      named: { name: null },
    });
    expect((await subgraph.ask('{ named { name } }', { scope: 'a' })).data).toEqual({
      named: { name: 'Alma' },
    });
  });

  it('protects fields that merely share names with federation’s', async () => {
    const schema = new GraphQLSchema({
      query: new GraphQLObjectType({
        name: 'Query',
        fields: {
          _service: { type: GraphQLString, resolve: () => 'secret' },
          _entities: { type: GraphQLInt, resolve: () => 1 },
        },
      }),
    });
    expect((await tested(schema).ask('{ _service _entities }', {})).data).toEqual({
      _service: null,
      _entities: null,
    });
  });

  it('protects fields a team adds to the type _Service', async () => {
    const service = new GraphQLObjectType({
      name: '_Service',
      fields: { sdl: { type: GraphQLString }, secret: { type: GraphQLString } },
    });
    const schema = new GraphQLSchema({
      query: new GraphQLObjectType({
        name: 'Query',
        fields: { _service: { type: service, resolve: () => ({ sdl: 'old', secret: 'secret' }) } },
      }),
    });
    const links = parse(`${LINKS} directive @link(url: String, import: [String]) repeatable on SCHEMA`);
    const linked = extendSchema(schema, links, { assumeValidSDL: true });
    const answer = await tested(linked).ask('{ _service { sdl secret } }', {});
    expect(answer.data).toEqual({
      _service: { sdl: expect.stringContaining('type Query') as string, secret: null },
    });
  });

  it('returns the schema itself, and refuses to protect it twice', () => {
    const schema = codeFirst();
    expect(build(schema)()).toBe(schema);
    expect(build(schema)).toThrow(expect.objectContaining({ code: 'ALREADY_PROTECTED' }) as Error);
  });

  it.each([
    ['nothing', undefined],
    ['SDL', 'type Query { a: Int }'],
    [
      'a schema of another copy of graphql',
      Object.create({ constructor: { name: 'GraphQLSchema' } }) as object,
    ],
  ])('refuses %s in place of a schema', (_, schema) => {
    expect(build(schema as GraphQLSchema)).toThrow(
      expect.objectContaining({ code: 'UNREADABLE_SCHEMA' }) as Error,
    );
  });

  it('knows directives by Behalf’s names without a link, otherwise by the link’s', async () => {
    const links = `directive @link(url: String, import: [Import]) repeatable on SCHEMA scalar Import
      directive @needs(scope: String!) repeatable on FIELD_DEFINITION directive @requiresScope(scope: String!) on FIELD_DEFINITION
      schema @link(url: "https://specs.behalf.dev/behalf/v0.1", import: [{ name: "@requiresScope", as: "@needs" }]) { query: Query }`;
    const renamed = buildSchema(`${links} type Query { secret: String @needs(scope: "a") other: String }`);
    const subgraph = tested(withResolvers(renamed), {
      rules: { 'Query.other': { requiresScope: { scope: 'a' }, personalData: { category: 'x' } } },
    });
    expect((await subgraph.ask('{ secret other }', {})).data).toEqual({ secret: null, other: null });
    expect((await subgraph.ask('{ secret other }', { scope: 'a' })).data).toEqual({
      secret: 'secret',
      other: 'other',
    });
    const unlinked = buildSchema(`${links} type Query { secret: String @requiresScope(scope: "a") }`);
    expect(build(unlinked)).toThrow(expect.objectContaining({ code: 'UNLINKED_DIRECTIVE' }) as Error);
  });
});

describe('the record', () => {
  it('is kept by the names that root types have in a supergraph', async () => {
    const subgraph = tested(
      withResolvers(
        buildSchema(`${DEFINITIONS} schema { query: Reads mutation: Writes }
          type Reads { open: String @public secret: String @authenticated }
          type Writes { ok: String @public }`),
      ),
    );
    const { facts } = await subgraph.ask('{ open secret }', {});
    expect(facts?.fields).toEqual([
      ['Query.open', 'allowed', 1, null, null],
      ['Query.secret', 'allowed', 1, null, '@authenticated'],
    ]);
    expect((await subgraph.ask('mutation { ok }', {})).facts?.fields).toEqual([
      ['Mutation.ok', 'allowed', 1, null, null],
    ]);
    expect(errorCodes(await subgraph.ask('{ secret }'))).toEqual(['secret UNAUTHORIZED_FIELD_OR_TYPE']);
  });
});

const RULE = { requiresScope: { scope: 'a' } };

/** `Query.a(x:)`, the enum `E`, the input `In` and the union `U`, each with directives in its extensions. */
function misplaced(
  at: Partial<Record<'onArgument' | 'onValue' | 'onInputField' | 'onInput' | 'onUnion' | 'onSchema', object>>,
): GraphQLSchema {
  const extensions = (directives: object | undefined): object =>
    directives === undefined ? {} : { extensions: { directives } };
  const E = new GraphQLEnumType({ name: 'E', values: { A: extensions(at.onValue) } });
  const In = new GraphQLInputObjectType({
    name: 'In',
    fields: { x: { type: GraphQLString, ...extensions(at.onInputField) } },
    ...extensions(at.onInput),
  });
  const T = new GraphQLObjectType({ name: 'T', fields: { y: { type: GraphQLString } } });
  const U = new GraphQLUnionType({ name: 'U', types: [T], ...extensions(at.onUnion) });
  return new GraphQLSchema({
    ...extensions(at.onSchema),
    query: new GraphQLObjectType({
      name: 'Query',
      fields: {
        a: { type: E, args: { x: { type: GraphQLString, ...extensions(at.onArgument) }, in: { type: In } } },
        u: { type: U },
      },
    }),
  });
}

function endless(): unknown[] {
  const list: unknown[] = [];
  list.push(list);
  return list;
}

describe('a directive in extensions that is almost one of ours', () => {
  it.each<[string, object, string]>([
    ['requireScope', { requireScope: { scope: 'x' } }, 'requiresScope'],
    ['minimise', { public: {}, minimise: { to: 'REDACT' } }, 'minimize'],
    ['@requiresScope', { '@requiresScope': { scope: 'x' } }, 'requiresScope'],
    ['Authenticated', { Authenticated: {} }, 'authenticated'],
    ['requires_scope', { requires_scope: { scope: 'x' } }, 'requiresScope'],
    ['requires-scopes', { 'requires-scopes': { scopes: [['x']] } }, 'requiresScopes'],
    ['polciy', { polciy: { policies: [['x']] } }, 'policy'],
    ['personaldata', { public: {}, personaldata: { category: 'x' } }, 'personalData'],
    ['lib__purpos', { lib__purpos: { of: ['x'] } }, 'purpose'],
    ['@@minimize', { public: {}, '@@minimize': { to: 'REDACT' } }, 'minimize'],
    [' minimize', { public: {}, ' minimize': { to: 'REDACT' } }, 'minimize'],
  ])('stops the start: %s', (name, directives, meant) => {
    for (const given of [
      directives,
      Object.entries(directives).map(([key, args]) => ({ name: key, args: args as object })),
    ]) {
      const refusal = {
        code: 'UNKNOWN_DIRECTIVE',
        coordinate: 'Query.secret',
        message: expect.stringContaining(
          `"${name}" is not one of Behalf's directives; did you mean ${meant}?`,
        ) as string,
      };
      expect(build(codeFirst(given), { coverage: 'open' })).toThrow(
        expect.objectContaining(refusal) as Error,
      );
    }
  });

  it('stops the start on a type, and in rules by coordinate', () => {
    const schema = codeFirst(undefined, undefined, {
      extensions: { directives: { subjct: { field: 'a' } } },
    });
    expect(build(schema, { coverage: 'open' })).toThrow('Query: "subjct" is not one of');
    const rules = { 'Query.secret': { '@authenticated': {} } } as CoordinateRules;
    expect(build(codeFirst(), { rules })).toThrow('did you mean authenticated?');
  });

  it.each([
    'cacheControl',
    'cost',
    'complexity',
    'auth',
    'hasRole',
    'rateLimit',
    'constraint',
    'upper',
    'key',
    'requires',
    'provides',
    'tag',
    'shareable',
    'deprecated',
    'mask',
    'scope',
    'private',
    'requiresAuth',
    'computed',
    'validate',
  ])('is not one of other libraries: %s', (name) => {
    expect(build(codeFirst({ [name]: { any: 1 } }), { coverage: 'open' })).not.toThrow();
  });

  it('is not one that the schema defines', () => {
    const schema = buildSchema('directive @publish on FIELD_DEFINITION type Query { a: Int @publish }');
    expect(build(schema, { coverage: 'open' })).not.toThrow();
  });
});

describe('protectSchema stops at what it cannot read, and names the coordinate', () => {
  it.each([
    ['a list of names', ['requiresScope'], 'Query.secret'],
    ['a string', '@requiresScope(scope: "a")', 'Query.secret'],
    ['a flag', { requiresScope: true }, 'Query.secret'],
    ['a name without arguments', { requiresScope: null }, 'Query.secret'],
    ['arguments that are not an object', [{ name: 'requiresScope', args: ['a'] }], 'Query.secret'],
    ['an argument of another type', { requiresScope: { scope: 1 } }, 'Query.secret'],
    ['an argument under another name', { requiresScope: { name: 'a' } }, 'Query.secret'],
    ['an argument that is code', { requiresScope: { scope: () => 'a' } }, 'Query.secret'],
    ['an argument that is not finite', { minimize: { to: 'MASK', last: Infinity } }, 'Query.secret'],
    ['a directive that belongs on a type', { subject: { field: 'owner' } }, 'Query.secret'],
    ['an unknown strategy', { minimize: { to: 'HIDE' } }, 'Query.secret'],
    ['a Map of directives', new Map([['authenticated', {}]]), 'Query.secret'],
    ['inherited directives', Object.create({ authenticated: {} }), 'Query.secret'],
    ['directives of a class', new Date(), 'Query.secret'],
    ['a Map of arguments', { requiresScope: new Map([['scope', 'a']]) }, 'Query.secret'],
    ['inherited arguments', { minimize: Object.create({ to: 'REDACT' }) as object }, 'Query.secret'],
    ['a list with a Map', [new Map([['name', 'authenticated']])], 'Query.secret'],
    ['scopes in a Set', { requiresScopes: { scopes: new Set(['a']) } }, 'Query.secret'],
    ['exemptions in a Map', { minimize: { to: 'REDACT', unless: new Map() } }, 'Query.secret'],
    ['an argument that contains itself', { requiresScopes: { scopes: endless() } }, 'Query.secret'],
  ])('%s', (_, directives, coordinate) => {
    expect(build(codeFirst(directives))).toThrow(expect.objectContaining({ code: 'INVALID_RULE' }) as Error);
    expect(build(codeFirst(directives))).toThrow(`${coordinate}: `);
  });

  it('on a type', () => {
    const schema = codeFirst(undefined, undefined, { extensions: { directives: 'authenticated' } });
    expect(build(schema)).toThrow('Query: directives must be');
  });

  it('in extensions that are not an object', () => {
    const schema = codeFirst();
    const field = schema.getQueryType()?.getFields().secret;
    Object.assign(field ?? {}, { extensions: new Map([['directives', { authenticated: {} }]]) });
    expect(build(schema)).toThrow('Query.secret: its extensions must be an object, not a Map');
  });

  it.each<[string, () => GraphQLSchema]>([
    ['Query.a(x:)', () => misplaced({ onArgument: RULE })],
    ['E.A', () => misplaced({ onValue: RULE })],
    ['In.x', () => misplaced({ onInputField: RULE })],
    ['In', () => misplaced({ onInput: RULE })],
    ['U', () => misplaced({ onUnion: RULE })],
    ['schema', () => misplaced({ onSchema: RULE })],
  ])('in extensions where no rule is read: %s', (coordinate, schema) => {
    const refusal = {
      code: 'INVALID_RULE',
      coordinate,
      message: `${coordinate}: @requiresScope protects nothing here`,
    };
    expect(build(schema())).toThrow(expect.objectContaining(refusal) as Error);
  });

  it('on an argument or enum value, where no rule is read', () => {
    const schema = buildSchema(
      `directive @authenticated on ARGUMENT_DEFINITION type Query { a(b: Int @authenticated): Int }`,
    );
    expect(build(schema)).toThrow('Query.a(b:): @authenticated protects nothing here');
    const onValue = buildSchema(
      'directive @authenticated on ENUM_VALUE type Query { a: E } enum E { A @authenticated }',
    );
    expect(build(onValue)).toThrow('E.A: @authenticated protects nothing here');
  });

  it.each([
    [
      'a field that does not exist',
      { 'Query.sekret': { authenticated: {} } },
      'INVALID_RULE',
      'Query.sekret',
    ],
    ['a type that does not exist', { Qury: { authenticated: {} } }, 'INVALID_RULE', 'Qury'],
    ['an argument', { 'Query.a(b:)': { authenticated: {} } }, 'INVALID_RULE', 'Query.a(b:)'],
    [
      'a property of every object',
      { 'Query.constructor': { authenticated: {} } },
      'INVALID_RULE',
      'Query.constructor',
    ],
    ['an unknown directive', { 'Query.secret': { requireScope: {} } }, 'UNKNOWN_DIRECTIVE', 'Query.secret'],
    ['no directive', { 'Query.secret': {} }, 'INVALID_RULE', 'Query.secret'],
    ['no directive but null', { 'Query.secret': null }, 'INVALID_RULE', 'Query.secret'],
    ['no directive but undefined', { 'Query.secret': undefined }, 'INVALID_RULE', 'Query.secret'],
    ['an empty list of directives', { 'Query.secret': [] }, 'INVALID_RULE', 'Query.secret'],
    [
      'an argument that is lowered away',
      { 'Query.secret': { requiresScope: { scope: 'a', extra: 1 } } },
      'INVALID_RULE',
      'Query.secret',
    ],
    ['an argument of none', { 'Query.secret': { public: { unless: [] } } }, 'INVALID_RULE', 'Query.secret'],
    [
      'an argument in another spelling',
      { 'Query.secret': { minimize: { to: 'TRUNCATE', kepp: 4 } } },
      'INVALID_RULE',
      'Query.secret',
    ],
    [
      'an unknown strategy',
      { 'Query.secret': { minimize: { to: 'MASKK' } } },
      'INVALID_RULE',
      'Query.secret',
    ],
    ['a directive of federation', { 'Query.secret': { shareable: {} } }, 'UNKNOWN_DIRECTIVE', 'Query.secret'],
  ])('rules for %s', (_, rules, code, coordinate) => {
    const protect = build(codeFirst(), { rules: rules as CoordinateRules });
    expect(protect).toThrow(expect.objectContaining({ code, coordinate }) as Error);
  });
});

it('says what an argument or a strategy was probably meant to be', () => {
  const refusal = (directives: object): (() => unknown) =>
    build(codeFirst(), { rules: { 'Query.secret': directives } });
  expect(refusal({ minimize: { to: 'MASKK' } })).toThrow('must be one of KEEP, REDACT, MASK');
  expect(refusal({ minimize: { to: 'MASKK' } })).toThrow('did you mean MASK?');
  expect(refusal({ minimize: { to: 'TRUNCATE', kepp: 4 } })).toThrow('did you mean keep?');
  expect(refusal({ subject: { colour: 1 } })).toThrow('the arguments are field');
});

describe('directiveDefinitions', () => {
  it('lets a library define every directive of Behalf, and publish each once', async () => {
    expect(directiveDefinitions.map(({ name }) => name)).toEqual([
      'requiresScope',
      'public',
      'minimize',
      'filters',
      'purpose',
      'subject',
      'personalData',
    ]);
    const sdl = `extend schema @link(url: "https://specs.apollo.dev/federation/v2.9", import: ["@key"])
      ${DEFINED}
      enum behalf__Strategy { MASK REDACT } enum behalf__DateUnit { DAY }
      enum behalf__MaskForm { IBAN } enum behalf__Part { EMAIL_DOMAIN }
      enum behalf__Distribution { LAPLACE }
      type Query { a: String @minimize(to: MASK, showLength: true) @requiresScope(scope: "a") }`;
    const { data } = await tested(buildSubgraphSchema(parse(sdl))).ask('{ _service { sdl } }');
    const published = (data as { _service: { sdl: string } })._service.sdl;
    for (const { name } of directiveDefinitions)
      expect(published.match(new RegExp(`directive @${name}\\b`, 'g')), name).toHaveLength(1);
    expect(published).not.toContain('@behalf__');
    expect(published).toContain('@federation__composeDirective(name: "@minimize")');
    const { errors } = composeServices([{ name: 'a', url: 'https://a.example', typeDefs: parse(published) }]);
    expect(errors).toBeUndefined();
  });
});

describe('protectSchema of a federation subgraph', () => {
  const entity = `${LINKS} ${DEFINITIONS.replace(/directive @authenticated.*/, '')}
    type Query { open: String @public }
    type Account @key(fields: "id") @authenticated {
      id: ID!
      balance: Int @requiresScope(scope: "a")
    }`;
  const resolvers = {
    Query: { open: () => 'open' },
    Account: { __resolveReference: ({ id }: { id: string }) => ({ id, balance: 7 }) },
  };
  const made = (): GraphQLSchema =>
    buildSubgraphSchema([{ typeDefs: parse(entity), resolvers: resolvers as never }]);
  const reference =
    '{ _entities(representations: [{ __typename: "Account", id: "1" }]) { ... on Account { id balance } } }';

  it('decides _entities by type and fields', async () => {
    const subgraph = tested(made());
    expect((await subgraph.ask(reference)).data).toEqual({ _entities: [null] });
    expect((await subgraph.ask(reference, {})).data).toEqual({ _entities: [{ id: '1', balance: null }] });
    expect((await subgraph.ask(reference, { scope: 'a' })).data).toEqual({
      _entities: [{ id: '1', balance: 7 }],
    });
  });

  it('publishes the lowered SDL, with rules of every source, without a token', async () => {
    const subgraph = tested(made(), { rules: { 'Query.open': { personalData: { category: 'none' } } } });
    const { data } = await subgraph.ask('{ _service { sdl } }');
    const { sdl } = (data as { _service: { sdl: string } })._service;
    expect(sdl).toContain('balance: Int @requiresScopes(scopes: [["a"]])');
    expect(sdl).toContain('@key(fields: "id")');
    expect(sdl).toContain('open: String @public @personalData(category: "none")');
    expect(sdl).not.toMatch(/@requiresScope\(scope: "/);
  });

  it('publishes an application kept in several places once, without the library’s own directives', async () => {
    const schema = made();
    const open = schema.getQueryType()?.getFields().open;
    if (open !== undefined) open.extensions = { directives: { public: {}, rateLimit: { max: 1 } } };
    const { data } = await tested(schema).ask('{ _service { sdl } }');
    const { sdl } = (data as { _service: { sdl: string } })._service;
    expect(sdl).toMatch(/open: String @public\n/);
    expect(sdl).not.toContain('rateLimit');
  });

  it('does not link federation for a team, which would reinterpret its directives', () => {
    const federation1 = buildSubgraphSchema(
      parse('type Query { a: Int } type T @key(fields: "id") { id: ID! }'),
    );
    expect(build(federation1)).toThrow(expect.objectContaining({ code: 'FEDERATION_NOT_LINKED' }) as Error);
  });

  it('refuses a federation version older than @requiresScopes', () => {
    const old = entity
      .replace('v2.9', 'v2.3')
      .replace('"@authenticated", "@policy", "@requiresScopes"', '"@shareable"');
    const schema = buildSubgraphSchema(parse(old.replace('@authenticated {', '{')));
    expect(build(schema)).toThrow('@requiresScope needs federation v2.5 or later; the schema links v2.3');
  });

  it('refuses a @subject entity without its own resolver: the sender would own its rows', () => {
    const schema = buildSubgraphSchema(parse(entity));
    expect(build(schema, { rules: { Account: { subject: { field: 'id' } } } })).toThrow(
      'Account: an entity with @subject needs a __resolveReference',
    );
  });

  it('leaves a union named _Entity alone if no field is federation’s', async () => {
    const union = new GraphQLUnionType({
      name: '_Entity',
      types: [new GraphQLObjectType({ name: 'T', fields: { a: { type: GraphQLInt } } })],
      resolveType: () => 'T',
    });
    const schema = new GraphQLSchema({
      query: new GraphQLObjectType({
        name: 'Query',
        fields: { any: { type: union, resolve: () => ({ a: 1 }) } },
      }),
    });
    expect((await tested(schema).ask('{ any { ... on T { a } } }', {})).data).toEqual({ any: null });
  });
});
