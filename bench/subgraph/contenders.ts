import { createRequire } from 'node:module';
import { buildProtectedSubgraph, finishProtectedRequest, protectedContext } from '@behalf/directives';
import { envelop, useEngine, useSchema } from '@envelop/core';
import { useGenericAuth } from '@envelop/generic-auth';
import { buildSchema, execute, parse, specifiedRules, subscribe, validate } from 'graphql';
import type { ExecutionResult, GraphQLSchema } from 'graphql';
import type * as middlewareModule from 'graphql-middleware';
import type * as shieldModule from 'graphql-shield';
import { BENCH_ISSUER, BenchTokens } from './tokens.js';

// As CommonJS: on Node 23 and later graphql-shield's ESM build does not load, and both must share one copy of graphql.
const require = createRequire(import.meta.url);
const { rule, shield, allow } = require('graphql-shield') as typeof shieldModule;
const { applyMiddleware } = require('graphql-middleware') as typeof middlewareModule;

export const ROWS = 1_000;
export const FIELDS = 10;
const SCOPE = 'rows:read';
const names = Array.from({ length: FIELDS }, (_, index) => `f${index}`);
const rows = Array.from({ length: ROWS }, (_, row) =>
  Object.fromEntries(names.map((name) => [name, `${name} of ${row}`])),
);
const query = `{ rows { ${names.join(' ')} } }`;
const rootValue = { rows };

/** Answers the same query for a caller with or without the scope. */
export interface FieldContender {
  readonly name: string;
  execute(isGranted: boolean): Promise<ExecutionResult>;
}

/** A protected schema, and the same schema without protection. */
export async function fieldContenders(): Promise<readonly FieldContender[]> {
  return [
    bare(),
    await behalf(),
    bareEnvelop(),
    genericAuth(),
    shieldOf('allow'),
    shieldOf('a function rule'),
  ];
}

function plainSchema(directive = ''): GraphQLSchema {
  return buildSchema(
    `directive @requiresScopes(scopes: [[String!]!]!) on FIELD_DEFINITION | OBJECT | INTERFACE
     type Query { rows: [Row!]! } type Row { ${names.map((name) => `${name}: String ${directive}`).join(' ')} }`,
  );
}

const document = parse(query);

function bare(): FieldContender {
  const schema = plainSchema();
  return { name: 'graphql-js, no protection', execute: async () => execute({ schema, document, rootValue }) };
}

async function behalf(): Promise<FieldContender> {
  const tokens = await BenchTokens.for('rows');
  const schema = buildProtectedSubgraph({
    name: 'rows',
    typeDefs: `extend schema
        @link(url: "https://specs.apollo.dev/federation/v2.9", import: ["@requiresScopes"])
        @link(url: "https://specs.behalf.dev/behalf/v0.1", import: ["@requiresScope", "@public"])
      type Query { rows: [Row!]! @public }
      type Row { ${names.map((name) => `${name}: String @requiresScope(scope: "${SCOPE}")`).join(' ')} }`,
    resolvers: { Query: { rows: () => rows } },
    gateway: { issuer: BENCH_ISSUER, keys: [tokens.key] },
  });
  return {
    name: 'behalf: token verified, protected, recorded',
    async execute(isGranted) {
      const contextValue = await protectedContext(schema, {
        'txn-token': await tokens.of(isGranted ? SCOPE : 'other'),
      });
      const result = await execute({ schema, document, contextValue });
      const facts = finishProtectedRequest(schema, contextValue);
      if (facts?.fields?.length !== FIELDS + 1) throw new Error('not every coordinate was recorded');
      return result;
    },
  };
}

function shieldOf(kind: 'allow' | 'a function rule'): FieldContender {
  // Not cached, because a rule about rows could not be; its decision is a single look-up.
  const hasScope = rule({ cache: 'no_cache' })(
    (_parent: unknown, _args: unknown, { scopes }: { scopes: ReadonlySet<string> }) => scopes.has(SCOPE),
  );
  const each = kind === 'allow' ? allow : hasScope;
  const schema = applyMiddleware(
    plainSchema(),
    shield(
      { Query: { rows: allow }, Row: Object.fromEntries(names.map((name) => [name, each])) },
      { allowExternalErrors: true },
    ),
  );
  return {
    name: `graphql-shield, ${kind}`,
    execute: async (isGranted) =>
      execute({
        schema,
        document,
        rootValue,
        contextValue: { scopes: new Set(isGranted ? [SCOPE] : []) },
      }),
  };
}

const engine = useEngine({ parse, validate, execute, subscribe, specifiedRules });

function bareEnvelop(): FieldContender {
  const getEnveloped = envelop({ plugins: [engine, useSchema(plainSchema())] });
  return {
    name: 'envelop, no protection',
    async execute() {
      const proxy = getEnveloped({});
      const contextValue: unknown = await proxy.contextFactory();
      return (await proxy.execute({
        schema: proxy.schema as GraphQLSchema,
        document,
        rootValue,
        contextValue,
      })) as ExecutionResult;
    },
  };
}

function genericAuth(): FieldContender {
  const getEnveloped = envelop({
    plugins: [
      engine,
      useSchema(plainSchema(`@requiresScopes(scopes: [["${SCOPE}"]])`)),
      useGenericAuth<{ scope: string }, { user?: { scope: string } }>({
        mode: 'protect-granular',
        resolveUserFn: ({ user }) => user ?? null,
        rejectUnauthenticated: false,
      }),
    ],
  });
  return {
    name: '@envelop/generic-auth, @requiresScopes',
    async execute(isGranted) {
      const proxy = getEnveloped({ user: { scope: isGranted ? SCOPE : 'other' } });
      const contextValue: unknown = await proxy.contextFactory();
      return (await proxy.execute({
        schema: proxy.schema as GraphQLSchema,
        document,
        rootValue,
        contextValue,
      })) as ExecutionResult;
    },
  };
}
