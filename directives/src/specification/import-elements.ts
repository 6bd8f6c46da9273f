import { Kind } from 'graphql';
import type { ConstDirectiveNode, ConstValueNode, DocumentNode } from 'graphql';

/** The document with more elements in the `import` of one of its links. */
export function withImports(
  document: DocumentNode,
  link: ConstDirectiveNode,
  elements: readonly string[],
): DocumentNode {
  const imported = elements.map((value): ConstValueNode => ({ kind: Kind.STRING, value }));
  const before = link.arguments?.find(({ name }) => name.value === 'import')?.value;
  const extended: ConstDirectiveNode = {
    ...link,
    arguments: [
      ...(link.arguments ?? []).filter(({ name }) => name.value !== 'import'),
      {
        kind: Kind.ARGUMENT,
        name: { kind: Kind.NAME, value: 'import' },
        value: {
          kind: Kind.LIST,
          values: [...(before?.kind === Kind.LIST ? before.values : []), ...imported],
        },
      },
    ],
  };
  return {
    ...document,
    definitions: document.definitions.map((definition) =>
      definition.kind === Kind.SCHEMA_DEFINITION || definition.kind === Kind.SCHEMA_EXTENSION
        ? {
            ...definition,
            directives: (definition.directives ?? []).map((node) => (node === link ? extended : node)),
          }
        : definition,
    ),
  };
}
