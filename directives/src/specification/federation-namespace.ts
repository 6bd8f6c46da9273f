import { Kind, visit } from 'graphql';
import type { ConstDirectiveNode, DocumentNode, NameNode } from 'graphql';
import { FEDERATION_IDENTITY } from './feature.js';
import { Links } from './link.js';

const STANDARD = 'federation';

/**
 * Replaces another prefix for federation's elements (`@link(url: "…/federation/v2.9", as: "fed")`) by the standard one.
 * `@apollo/subgraph` 2.15 does not read `as`, and would not know `@fed__key`. Composition reads both alike.
 */
export function withFederationNamespace(document: DocumentNode): DocumentNode {
  const link = new Links(document).feature(FEDERATION_IDENTITY);
  if (link === undefined || link.namespace === STANDARD) return document;
  const prefix = `${link.namespace}__`;
  const standardLink: ConstDirectiveNode = {
    ...link.node,
    arguments: (link.node.arguments ?? []).filter(({ name }) => name.value !== 'as'),
  };
  const rename = <Node extends { readonly name: NameNode }>(node: Node): Node | undefined => {
    const { value } = node.name;
    if (!value.startsWith(prefix)) return undefined;
    return { ...node, name: { ...node.name, value: `${STANDARD}__${value.slice(prefix.length)}` } };
  };
  return visit(document, {
    [Kind.DIRECTIVE]: (node) => (node === link.node ? standardLink : rename(node)),
    [Kind.DIRECTIVE_DEFINITION]: rename,
    [Kind.NAMED_TYPE]: rename,
    [Kind.SCALAR_TYPE_DEFINITION]: rename,
    [Kind.ENUM_TYPE_DEFINITION]: rename,
  });
}
