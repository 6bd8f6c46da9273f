import { Kind, visit } from 'graphql';
import type { ConstDirectiveNode, ConstValueNode, DocumentNode } from 'graphql';
import type { LinkedFeature } from './link.js';

/**
 * The document with more directives in the `import` of one of its links. Those applied under the feature's prefix are renamed
 * to their own names, because a directive has one name in a schema.
 *
 * @param names without `@`
 */
export function withImports(
  document: DocumentNode,
  { node: link, namespace }: LinkedFeature,
  names: readonly string[],
): DocumentNode {
  const imported = names.map((name): ConstValueNode => ({ kind: Kind.STRING, value: `@${name}` }));
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
  const ownNames = new Map(names.map((name) => [`${namespace}__${name}`, name]));
  return visit(document, {
    Directive(node) {
      if (node === link) return extended;
      const value = ownNames.get(node.name.value);
      return value === undefined ? undefined : { ...node, name: { ...node.name, value } };
    },
    DirectiveDefinition(node) {
      const value = ownNames.get(node.name.value);
      return value === undefined ? undefined : { ...node, name: { ...node.name, value } };
    },
  });
}
