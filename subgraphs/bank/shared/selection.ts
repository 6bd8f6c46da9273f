import { type FieldNode, type GraphQLResolveInfo, Kind, type SelectionNode } from 'graphql';

const known = new WeakMap<readonly FieldNode[], Map<string, ReadonlySet<string>>>();

/**
 * The fields that the operation selects below the one being resolved. Fragments count whatever their type and `@include`, so the
 * result never lacks a field that will be resolved. It takes time linear in the operation, once for all rows of a list.
 *
 * @param paths also the fields below these, for example `address.location`; they are named with their path
 */
export function requestedFields(info: GraphQLResolveInfo, ...paths: readonly string[]): ReadonlySet<string> {
  let byPaths = known.get(info.fieldNodes);
  if (byPaths === undefined) known.set(info.fieldNodes, (byPaths = new Map<string, ReadonlySet<string>>()));
  const key = paths.join(' ');
  let names = byPaths.get(key);
  if (names === undefined) byPaths.set(key, (names = collect(info, paths)));
  return names;
}

function collect(info: GraphQLResolveInfo, paths: readonly string[]): Set<string> {
  const names = new Set<string>();
  for (const path of ['', ...paths]) {
    let nodes: readonly FieldNode[] = info.fieldNodes;
    for (const name of path === '' ? [] : path.split('.')) {
      nodes = below(nodes, info).filter((node) => node.name.value === name);
    }
    const prefix = path === '' ? '' : `${path}.`;
    for (const node of below(nodes, info)) names.add(prefix + node.name.value);
  }
  return names;
}

function below(parents: readonly FieldNode[], { fragments }: GraphQLResolveInfo): FieldNode[] {
  const fields: FieldNode[] = [];
  const spread = new Set<string>();
  const pending: SelectionNode[] = parents.flatMap((parent) => parent.selectionSet?.selections ?? []);
  for (let node = pending.pop(); node !== undefined; node = pending.pop()) {
    if (node.kind === Kind.FIELD) {
      fields.push(node);
    } else if (node.kind === Kind.INLINE_FRAGMENT) {
      pending.push(...node.selectionSet.selections);
    } else if (!spread.has(node.name.value)) {
      spread.add(node.name.value);
      pending.push(...(fragments[node.name.value]?.selectionSet.selections ?? []));
    }
  }
  return fields;
}
