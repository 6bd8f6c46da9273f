import { buildASTSchema, parse } from 'graphql';
import type { GraphQLDirective } from 'graphql';
import { MINIMIZE_ENUMS } from '../specification/minimize.js';
import { behalfDirectives } from '../specification/specified-directives.js';

/**
 * Definitions of Behalf's directives, under their own names, for libraries that only apply directives which the schema defines:
 * NestJS (`buildSchemaOptions: { directives }`) and Pothos (`toSubGraphSchema({ directives })`) for federation. The standard
 * ones (`@authenticated`, `@requiresScopes`, `@policy`) come with the federation link.
 *
 * @example
 * ```ts
 * import { directiveDefinitions } from '@behalf/directives';
 * import { GraphQLInt, GraphQLObjectType, GraphQLSchema, specifiedDirectives } from 'graphql';
 *
 * export const schema = new GraphQLSchema({
 *   query: new GraphQLObjectType({ name: 'Query', fields: { limit: { type: GraphQLInt } } }),
 *   directives: [...specifiedDirectives, ...directiveDefinitions],
 * });
 * ```
 */
export const directiveDefinitions: readonly GraphQLDirective[] = Object.freeze(defineDirectives());

function defineDirectives(): GraphQLDirective[] {
  const definitions = behalfDirectives.flatMap(({ name, definition }) => definition?.(name) ?? []);
  const document = parse([...definitions, ...MINIMIZE_ENUMS].join('\n'), { noLocation: true });
  const names = new Set(behalfDirectives.map(({ name }) => name));
  return buildASTSchema(document)
    .getDirectives()
    .filter(({ name }) => names.has(name));
}
