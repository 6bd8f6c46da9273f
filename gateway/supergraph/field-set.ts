import type { RuleTable } from '@behalf/directives/internal';
import { GraphQLError, Kind, parse, visit } from 'graphql';
import type { SelectionSetNode } from 'graphql';

/** A field that a field set reads, and its parent type there. */
export interface FieldRead {
  readonly type: string;
  readonly field: string;
}

/**
 * A field set is the inside of a selection set; with `@fromContext` it may have its own braces.
 *
 * @throws GraphQLError if it is invalid
 */
export function readFieldSet(text: string): SelectionSetNode {
  const trimmed = text.trim();
  const document = parse(trimmed.startsWith('{') ? trimmed : `{ ${trimmed} }`, { noLocation: true });
  const refuse = (): never => {
    throw new GraphQLError(`Not a field set: ${text}`);
  };
  const [definition, ...others] = document.definitions;
  // Text after the closing brace would go unchecked.
  if (definition?.kind !== Kind.OPERATION_DEFINITION || others.length > 0) return refuse();
  // The fields of a named fragment are defined outside the field set, so they would go unchecked.
  visit(definition, { FragmentSpread: refuse });
  return definition.selectionSet;
}

/** Every field that a field set reads, including those in fragments and below other fields. */
export function* fieldsRead(type: string, set: SelectionSetNode, rules: RuleTable): Iterable<FieldRead> {
  for (const selection of set.selections) {
    if (selection.kind === Kind.FIELD) {
      const field = selection.name.value;
      if (field === '__typename') continue;
      yield { type, field };
      if (selection.selectionSet === undefined) continue;
      // Below an unknown field, types are unknown; the unknown field itself was reported.
      const returned = rules.field(type, field)?.returns;
      if (returned !== undefined) yield* fieldsRead(returned, selection.selectionSet, rules);
    } else if (selection.kind === Kind.INLINE_FRAGMENT) {
      yield* fieldsRead(selection.typeCondition?.name.value ?? type, selection.selectionSet, rules);
    }
  }
}

/** Field → its selections; none for a leaf. */
export function selectedOn(sets: readonly SelectionSetNode[]): ReadonlyMap<string, SelectionSetNode[]> {
  const selected = new Map<string, SelectionSetNode[]>();
  const collect = (set: SelectionSetNode): void => {
    for (const selection of set.selections) {
      if (selection.kind === Kind.FIELD) {
        const known = selected.get(selection.name.value) ?? [];
        if (selection.selectionSet !== undefined) known.push(selection.selectionSet);
        selected.set(selection.name.value, known);
      } else if (selection.kind === Kind.INLINE_FRAGMENT) collect(selection.selectionSet);
    }
  };
  for (const set of sets) collect(set);
  return selected;
}

/** The outermost fields of a field set. */
export function outermostFields(text: string): ReadonlySet<string> {
  return new Set(selectedOn([readFieldSet(text)]).keys());
}
