import { Kind } from 'graphql';
import type { FieldNode, SelectionSetNode } from 'graphql';
import type { OperationAnalysis } from './analysis.js';
import type { Conditions } from './conditions.js';
import { responseKeyOf } from './response-key.js';

/** Why a field is not executed. */
export type Removal =
  /** Its own requirement is not met. */
  | 'denied'
  /** All the selections on it were removed. */
  | 'emptied';

/** The fields that were removed from an operation, each with the reason. */
export type Removals = ReadonlyMap<FieldNode, Removal>;

/** The denied fields that the client would have received, without those below another denied field. */
export function deniedSelections(
  analysis: OperationAnalysis,
  removals: Removals,
  conditions: Conditions,
): readonly FieldNode[] {
  const denied: FieldNode[] = [];
  forEachSelected(analysis, conditions, (field) => {
    // A denied selection hides those below it.
    if (removals.get(field) !== 'denied') return true;
    denied.push(field);
    return false;
  });
  return denied;
}

/**
 * Mutations run in the order in which their response keys are first selected (GraphQL sections 6.2.2 and 6.3.2). An emptied
 * field must hold the place of its key if another field with the same key is executed, or the order would change.
 *
 * @returns the emptied fields that must stay
 */
export function placeholdersOfMutations(
  analysis: OperationAnalysis,
  removals: Removals,
  conditions: Conditions,
): ReadonlySet<FieldNode> {
  const emptied: FieldNode[] = [];
  const executed = new Set<string>();
  forEachSelected(analysis, conditions, (field) => {
    const removal = removals.get(field);
    if (removal === 'emptied') emptied.push(field);
    else if (removal === undefined) executed.add(responseKeyOf(field));
    return false;
  });
  return new Set(emptied.filter((field) => executed.has(responseKeyOf(field))));
}

/**
 * Visits the fields that `@skip` and `@include` do not exclude, in the order of the document. Each fragment is visited once, at
 * its first spread that is not excluded either.
 *
 * @param visitField returns whether to visit the selections on the field
 */
function forEachSelected(
  analysis: OperationAnalysis,
  conditions: Conditions,
  visitField: (field: FieldNode) => boolean,
): void {
  const visited = new Set<string>();
  visitSet(analysis.client.operation.selectionSet);

  function visitSet(selectionSet: SelectionSetNode): void {
    for (const selection of selectionSet.selections) {
      if (conditions.leavesOut(selection)) continue;
      switch (selection.kind) {
        case Kind.FIELD:
          if (visitField(selection) && selection.selectionSet !== undefined) visitSet(selection.selectionSet);
          break;
        case Kind.INLINE_FRAGMENT:
          visitSet(selection.selectionSet);
          break;
        case Kind.FRAGMENT_SPREAD: {
          const fragment = analysis.fragments.get(selection.name.value);
          if (fragment === undefined || visited.has(fragment.name.value)) break;
          visited.add(fragment.name.value);
          visitSet(fragment.selectionSet);
        }
      }
    }
  }
}
