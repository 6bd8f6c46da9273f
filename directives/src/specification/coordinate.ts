import { Kind } from 'graphql';
import type { ASTNode } from 'graphql';

/**
 * The schema coordinate of the element in a schema's document that a visitor is at: `Query.a(x:)`, `In.x`, `E.A`. The schema
 * itself has none in the specification, and is called `schema`.
 *
 * @param ancestors the element last, as `visit` passes them for a directive
 *
 * Source: https://spec.graphql.org/September2025/#sec-Schema-Coordinates
 */
export function coordinateOf(ancestors: readonly (ASTNode | readonly ASTNode[])[]): string | undefined {
  const nodes = ancestors.filter((each): each is ASTNode => 'kind' in each && each.kind !== Kind.DOCUMENT);
  const [definition, member, argument] = nodes;
  if (definition === undefined) return undefined;
  if (definition.kind === Kind.SCHEMA_DEFINITION || definition.kind === Kind.SCHEMA_EXTENSION)
    return 'schema';
  const owner = nameOf(definition);
  if (definition.kind === Kind.DIRECTIVE_DEFINITION)
    return member === undefined ? `@${owner}` : `@${owner}(${nameOf(member)}:)`;
  if (member === undefined) return owner;
  const path = `${owner}.${nameOf(member)}`;
  return argument === undefined ? path : `${path}(${nameOf(argument)}:)`;
}

function nameOf(node: ASTNode): string {
  return 'name' in node ? node.name.value : '';
}
