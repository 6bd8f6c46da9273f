import { getNamedType, isObjectType, isUnionType } from 'graphql';
import type { GraphQLField, GraphQLObjectType, GraphQLSchema } from 'graphql';

/** https://www.apollographql.com/docs/graphos/reference/federation/subgraph-spec */
const SERVICE_TYPE = '_Service';
const ENTITY_UNION = '_Entity';

/** The field `Query._service` of a federation subgraph, in a schema that has it. */
export function serviceFieldOf(schema: GraphQLSchema): GraphQLField<unknown, unknown> | undefined {
  const field = schema.getQueryType()?.getFields()._service;
  return field !== undefined && getNamedType(field.type).name === SERVICE_TYPE ? field : undefined;
}

/** The field `Query._entities` of a federation subgraph, in a schema that has it. */
export function entitiesFieldOf(schema: GraphQLSchema): GraphQLField<unknown, unknown> | undefined {
  const field = schema.getQueryType()?.getFields()._entities;
  if (field === undefined) return undefined;
  const returned = getNamedType(field.type);
  return isUnionType(returned) && returned.name === ENTITY_UNION ? field : undefined;
}

/**
 * Whether a field is federation's own: `Query._service` and its `sdl`, which composition reads without a token, and
 * `Query._entities`, whose entities are decided separately. Their types are checked too, since anybody may use the names.
 */
export function isFederationField(
  schema: GraphQLSchema,
  type: GraphQLObjectType,
  field: GraphQLField<unknown, unknown>,
): boolean {
  if (type.name === SERVICE_TYPE) return field.name === 'sdl' && serviceFieldOf(schema) !== undefined;
  return field === serviceFieldOf(schema) || field === entitiesFieldOf(schema);
}

/** Makes `_service.sdl` return this SDL, whichever of the two fields has the library's resolver. */
export function publishSdl(schema: GraphQLSchema, sdl: string): void {
  const service = serviceFieldOf(schema);
  if (service === undefined) return;
  service.resolve = () => ({ sdl });
  const type = getNamedType(service.type);
  const field = isObjectType(type) ? type.getFields().sdl : undefined;
  if (field !== undefined) field.resolve = () => sdl;
}
