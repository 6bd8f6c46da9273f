import { Kind } from 'graphql';
import type { FieldNode, SelectionSetNode } from 'graphql';
import type { OperationAnalysis } from './analysis.js';
import type { Conditions } from './conditions.js';
import { responseKeyOf } from './response-key.js';

/** Why a field is not executed. */
export type Removal =
  /** Its own requirement is not met. */
  | 'denied'
  /** All its selections are. */
  | 'emptied';

/** Of an operation that was filtered. */
export type Removals = ReadonlyMap<FieldNode, Removal>;

/** The denied selections that the client would have been answered. */
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
 * Mutations run in the order in which their response keys are first selected (GraphQL sections 6.2.2 and 6.3.2). Where
 * everything of the first selection is denied and something of a later one is not, the first must hold the place.
 *
 * @returns the first selections that must
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
 * Visits the fields that `@skip` and `@include` leave in, in the order of their response keys. Each fragment is visited once,
 * and only where it is spread: one that is spread only where that is left out was not asked for.
 *
 * @param visitField Returns whether the selections on the field are visited too.
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
