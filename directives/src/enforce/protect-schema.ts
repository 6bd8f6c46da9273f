import { isSchema, print } from 'graphql';
import type { GraphQLSchema } from 'graphql';
import { DirectiveError } from '../errors.js';
import { codeFirstDocument, withoutPrivateDirectives } from '../schema/code-first-document.js';
import { compileRules } from '../schema/compile-rules.js';
import type { CoordinateRules } from '../schema/coordinate-rules.js';
import { publishSdl, serviceFieldOf } from '../schema/federation-fields.js';
import { checkOptions, SCHEMA_OPTIONS } from './check-options.js';
import { guardSchema } from './guard.js';
import type { ProtectionOptions } from './protection-options.js';

/** The options of {@link protectSchema}. */
export interface ProtectSchemaOptions extends ProtectionOptions {
  /** Rules by schema coordinate, in addition to the schema's own directives: all must be met. */
  readonly rules?: CoordinateRules;
}

/**
 * Enforces rules in a schema built in code: by graphql-js, NestJS, Pothos, TypeGraphQL, Yoga, graphql-tools or anything else
 * that returns a GraphQLSchema. It does not need `@apollo/subgraph`, and works with graphql 16 and 17.
 *
 * Rules are read from the schema's directives, in `astNode`, `extensionASTNodes` and `extensions.directives`, and from the
 * option `rules`. If the schema does not `@link` Behalf's specification, its directives have their own names. A field without a
 * rule is refused, as with `buildProtectedSubgraph`.
 *
 * The schema is changed in place and returned, so that nobody serves an unprotected copy by mistake. Do this last: code that
 * wraps its resolvers later sees values before and after the decision. In a federation subgraph `_service.sdl` becomes the
 * lowered SDL, so that every composer keeps the rules; without `_service` it is a plain protected schema.
 *
 * @throws {DirectiveError} `INVALID_OPTIONS`; if a rule cannot be read or compiled, with the coordinate in the message; `UNREADABLE_SCHEMA` for a
 * schema of another copy of the `graphql` package; `ALREADY_PROTECTED`; `FEDERATION_NOT_LINKED` for a subgraph of Federation 1
 *
 * @example
 * ```ts
 * import { protectSchema } from '@behalf/directives';
 * import { GraphQLInt, GraphQLObjectType, GraphQLSchema } from 'graphql';
 *
 * const Query = new GraphQLObjectType({
 *   name: 'Query',
 *   fields: {
 *     balance: {
 *       type: GraphQLInt,
 *       resolve: () => 1200,
 *       extensions: { directives: { requiresScope: { scope: 'accounts:read' } } },
 *     },
 *     limit: { type: GraphQLInt, resolve: () => 5000 },
 *   },
 * });
 *
 * export const schema = protectSchema(new GraphQLSchema({ query: Query }), {
 *   name: 'accounts',
 *   gateway: {
 *     issuer: 'https://gateway.example',
 *     jwksUri: 'https://gateway.example/.well-known/jwks.json',
 *   },
 *   rules: { 'Query.limit': { authenticated: {} } },
 * });
 * ```
 */
export function protectSchema(schema: GraphQLSchema, options: ProtectSchemaOptions): GraphQLSchema {
  refuseForeignSchema(schema);
  checkOptions(options, SCHEMA_OPTIONS, ['name', 'gateway']);
  const isFederated = serviceFieldOf(schema) !== undefined;
  const source = codeFirstDocument(schema, options.rules ?? {}, isFederated);
  const { document, rules } = compileRules(source, { coverage: options.coverage, isFederated });
  guardSchema(schema, rules, options);
  publishSdl(schema, print(withoutPrivateDirectives(document)));
  return schema;
}

function refuseForeignSchema(schema: unknown): void {
  let isOurs = false;
  try {
    isOurs = isSchema(schema);
  } catch {
    // graphql-js throws for a schema of another copy of itself, except in production.
  }
  if (isOurs) return;
  throw new DirectiveError(
    'UNREADABLE_SCHEMA',
    'not a GraphQLSchema of the graphql package that @behalf/directives finds; install graphql once',
  );
}
