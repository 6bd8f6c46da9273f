import { Kind, visit } from 'graphql';
import type { ASTNode, DocumentNode, FragmentDefinitionNode } from 'graphql';

/** The fragments that an operation uses. */
export interface Reachable {
  /** In the order in which they are first spread. */
  readonly fragments: ReadonlyMap<string, FragmentDefinitionNode>;
  /** Names of variables: in arguments, and in directives of operations, fragments and selections. */
  readonly variables: ReadonlySet<string>;
}

/**
 * Follows fragment spreads. Each fragment is visited once, however often it is spread.
 *
 * @param fragmentOf undefined for a fragment that is left out
 */
export function reachableFrom(
  roots: readonly ASTNode[],
  fragmentOf: (name: string) => FragmentDefinitionNode | undefined,
): Reachable {
  const fragments = new Map<string, FragmentDefinitionNode>();
  const variables = new Set<string>();
  const pending = [...roots];
  for (let node = pending.pop(); node !== undefined; node = pending.pop()) {
    visit(node, {
      Variable: ({ name }) => void variables.add(name.value),
      FragmentSpread({ name: { value: name } }) {
        if (fragments.has(name)) return;
        const fragment = fragmentOf(name);
        if (fragment === undefined) return;
        fragments.set(name, fragment);
        // A directive of the fragment can use a variable that nothing in it uses.
        pending.push(fragment.selectionSet, ...(fragment.directives ?? []));
      },
    });
  }
  return { fragments, variables };
}

/** The fragment definitions of a document, by name. */
export function fragmentsOf(document: DocumentNode): ReadonlyMap<string, FragmentDefinitionNode> {
  return new Map(
    document.definitions.flatMap((node) =>
      node.kind === Kind.FRAGMENT_DEFINITION ? [[node.name.value, node] as const] : [],
    ),
  );
}
