import { Kind } from 'graphql';
import type { DocumentNode, FieldNode, SelectionSetNode, ValueNode } from 'graphql';
import { fragmentsOf } from '../fragments.js';
import { add } from './count.js';

/**
 * Pairs of fields under one response key, each with the size of its arguments: validation compares all of them (GraphQL section
 * 5.3.2 Field Selection Merging), so its work grows quadratically.
 *
 * Fragments are expanded where they are spread, so their expansion must be limited before.
 */
export function countOverlaps(document: DocumentNode, roots: readonly SelectionSetNode[]): number {
  const fragments = fragmentsOf(document);
  return roots.reduce((total, root) => add(total, overlapsOf([root])), 0);

  /** Over all selection sets at one position. */
  function overlapsOf(sets: readonly SelectionSetNode[]): number {
    const fields = new Map<string, FieldNode[]>();
    for (const set of sets) collect(set, fields);
    let total = 0;
    for (const same of fields.values()) {
      const pairs = (same.length * (same.length - 1)) / 2;
      if (pairs > 0) total = add(total, pairs * Math.max(...same.map(sizeOf)));
      const below = same.flatMap(({ selectionSet }) => selectionSet ?? []);
      if (below.length > 0) total = add(total, overlapsOf(below));
    }
    return total;
  }

  function collect(set: SelectionSetNode, fields: Map<string, FieldNode[]>): void {
    for (const selection of set.selections) {
      if (selection.kind === Kind.FIELD) {
        const key = (selection.alias ?? selection.name).value;
        const same = fields.get(key);
        if (same === undefined) fields.set(key, [selection]);
        else same.push(selection);
      } else if (selection.kind === Kind.INLINE_FRAGMENT) collect(selection.selectionSet, fields);
      else {
        const fragment = fragments.get(selection.name.value);
        if (fragment !== undefined) collect(fragment.selectionSet, fields);
      }
    }
  }
}

/** One, plus the parts of its arguments, which are compared as text. */
function sizeOf({ arguments: given = [] }: FieldNode): number {
  let size = 1;
  const pending: ValueNode[] = given.map(({ value }) => value);
  for (let value = pending.pop(); value !== undefined; value = pending.pop()) {
    size += 1;
    if (value.kind === Kind.LIST) for (const each of value.values) pending.push(each);
    else if (value.kind === Kind.OBJECT) for (const field of value.fields) pending.push(field.value);
  }
  return size;
}
