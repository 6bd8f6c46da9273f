import { Kind, visit } from 'graphql';
import type { DocumentNode, NameNode } from 'graphql';

const STANDARD_NAMES = { query: 'Query', mutation: 'Mutation', subscription: 'Subscription' } as const;

/** Renames a subgraph's root types as composition does, so that coordinates can be compared. */
export function withStandardRootNames(document: DocumentNode): DocumentNode {
  const renamed = new Map<string, string>();
  for (const definition of document.definitions) {
    if (definition.kind !== Kind.SCHEMA_DEFINITION && definition.kind !== Kind.SCHEMA_EXTENSION) continue;
    for (const { operation, type } of definition.operationTypes ?? [])
      renamed.set(type.name.value, STANDARD_NAMES[operation]);
  }
  const rename = <Node extends { readonly name: NameNode }>(node: Node): Node | undefined => {
    const name = renamed.get(node.name.value);
    return name === undefined || name === node.name.value
      ? undefined
      : { ...node, name: { ...node.name, value: name } };
  };
  return visit(document, {
    NamedType: rename,
    ObjectTypeDefinition: rename,
    ObjectTypeExtension: rename,
  });
}
