import { createHash } from 'node:crypto';
import { Kind, OperationTypeNode, print, visit } from 'graphql';
import type {
  DefinitionNode,
  DocumentNode,
  FieldNode,
  FragmentDefinitionNode,
  OperationDefinitionNode,
  SelectionNode,
  SelectionSetNode,
} from 'graphql';
import { responseKeyOf } from './analysis.js';
import type { Conditions, OperationAnalysis } from './analysis.js';
import type { ClientOperation } from './types.js';

/** Why a field is not executed. */
export type Removal =
  /** Its own requirement is not met. */
  | 'denied'
  /** All its selections are. */
  | 'emptied';

export interface FilteredOperation {
  /** Absent when nothing is left. */
  readonly execute: ClientOperation | undefined;
  readonly removals: ReadonlyMap<FieldNode, Removal>;
  /** Denied fields that the client would have been answered, without those that `@skip` or `@include` exclude. */
  readonly denied: readonly FieldNode[];
}

/** The rest of a selection set. */
interface Remainder {
  readonly selections: readonly SelectionNode[];
  /** Not all of it is excluded by `@skip` and `@include`. */
  readonly live: boolean;
  /** Something in it was denied that was not skipped anyway. */
  readonly lost: boolean;
}

const NOTHING: Remainder = Object.freeze({ selections: [], live: false, lost: false });

/** The rest of one selection. */
interface Filtered<Node> extends Pick<Remainder, 'live' | 'lost'> {
  readonly kept: Node | undefined;
}

/**
 * Removes denied selections from an operation, before anything is planned.
 *
 * A selection set that becomes empty takes its field with it, upward; unused fragments, variables and spreads go as well. Every
 * fragment is filtered once. The result has its own hash: the gateway caches query plans by hash, and under the old one it
 * would run the plan of the whole operation.
 */
export function filterOperation(
  analysis: OperationAnalysis,
  isPermitted: (requirementIndex: number) => boolean,
  conditions: Conditions,
): FilteredOperation {
  const removals = new Map<FieldNode, Removal>();
  const fragments = new Map<string, Remainder>();

  const { operation } = analysis.client;
  let placeholders: ReadonlySet<FieldNode> = new Set();
  let root = filterSelections(operation.selectionSet);
  if (operation.operation === OperationTypeNode.MUTATION) {
    placeholders = placesOfMutations(analysis, removals, conditions);
    if (placeholders.size > 0) {
      fragments.clear();
      root = filterSelections(operation.selectionSet);
    }
  }
  const denied = deniedSelections(analysis, removals, conditions);
  if (!root.live && root.lost) return { execute: undefined, removals, denied };

  const document = buildDocument(analysis, root, fragments);
  const filteredOperation = document.definitions.find(
    (definition): definition is OperationDefinitionNode => definition.kind === Kind.OPERATION_DEFINITION,
  );
  return {
    execute:
      filteredOperation === undefined
        ? undefined
        : {
            document,
            operation: filteredOperation,
            queryHash: createHash('sha256').update(print(document)).digest('hex'),
          },
    removals,
    denied,
  };

  function filterSelections(selectionSet: SelectionSetNode): Remainder {
    const selections: SelectionNode[] = [];
    let live = false;
    let lost = false;
    for (const selection of selectionSet.selections) {
      const remainder = filterSelection(selection);
      if (remainder.kept !== undefined) selections.push(remainder.kept);
      if (conditions.leavesOut(selection)) continue;
      live ||= remainder.live;
      lost ||= remainder.lost;
    }
    return { selections, live, lost };
  }

  function filterSelection(selection: SelectionNode): Filtered<SelectionNode> {
    switch (selection.kind) {
      case Kind.FIELD:
        return filterField(selection);
      case Kind.INLINE_FRAGMENT: {
        const inner = filterSelections(selection.selectionSet);
        if (inner.selections.length === 0) return { ...inner, kept: undefined };
        return { ...inner, kept: { ...selection, selectionSet: rebuild(selection.selectionSet, inner) } };
      }
      case Kind.FRAGMENT_SPREAD: {
        const inner = filterFragment(selection.name.value);
        return { ...inner, kept: inner.selections.length === 0 ? undefined : selection };
      }
    }
  }

  function filterField(field: FieldNode): Filtered<FieldNode> {
    const requirement = analysis.requirementOf.get(field);
    // A selection that the analysis did not see has no decision, so it has no permission; introspection has its own rule.
    const isKnown = analysis.parentOf.has(field) || isIntrospection(field);
    if (!isKnown || (requirement !== undefined && !isPermitted(requirement))) {
      removals.set(field, 'denied');
      return { kept: undefined, live: false, lost: true };
    }
    const executed = underExecutedKey(field, analysis);
    if (field.selectionSet === undefined || !analysis.parentOf.has(field))
      return { kept: executed, live: true, lost: false };
    const inner = filterSelections(field.selectionSet);
    // A skipped selection does not keep a field: it counts as absent.
    if (!inner.live && inner.lost) {
      removals.set(field, 'emptied');
      const kept = placeholders.has(field)
        ? { ...executed, selectionSet: { ...field.selectionSet, selections: [typenameField(analysis)] } }
        : undefined;
      return { kept, live: false, lost: true };
    }
    const kept = { ...executed, selectionSet: rebuild(field.selectionSet, inner) };
    return { kept, live: true, lost: inner.lost };
  }

  function filterFragment(name: string): Remainder {
    const known = fragments.get(name);
    if (known !== undefined) return known;
    const fragment = analysis.fragments.get(name);
    // A valid document has it and no fragment cycle; an invalid one is not selected.
    fragments.set(name, NOTHING);
    if (fragment === undefined) return NOTHING;
    const remainder = filterSelections(fragment.selectionSet);
    fragments.set(name, remainder);
    return remainder;
  }

  /**
   * The executed selection set. On an interface or union it adds `__typename`, which later shows which of the removed
   * selections would have applied; if only skipped selections were removed it adds nothing.
   */
  function rebuild(original: SelectionSetNode, remainder: Remainder): SelectionSetNode {
    const needsType = analysis.onAbstract.has(original) || remainder.selections.length === 0;
    return {
      kind: Kind.SELECTION_SET,
      selections: needsType ? [...remainder.selections, typenameField(analysis)] : remainder.selections,
    };
  }
}

/**
 * The denied selections that the client would have been answered. A fragment that is spread only where `@skip` or `@include`
 * excludes it was not requested, so this follows the unskipped selections.
 */
function deniedSelections(
  analysis: OperationAnalysis,
  removals: ReadonlyMap<FieldNode, Removal>,
  conditions: Conditions,
): readonly FieldNode[] {
  const denied: FieldNode[] = [];
  const visited = new Set<string>();
  visitSet(analysis.client.operation.selectionSet);
  return denied;

  function visitSet(selectionSet: SelectionSetNode): void {
    for (const selection of selectionSet.selections) {
      if (conditions.leavesOut(selection)) continue;
      switch (selection.kind) {
        case Kind.FIELD:
          if (removals.get(selection) === 'denied') denied.push(selection);
          // A denied selection hides those below it.
          else if (selection.selectionSet !== undefined) visitSet(selection.selectionSet);
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

/**
 * Mutations run in the order in which their response keys are first selected (GraphQL sections 6.2.2 and 6.3.2). If everything
 * of the first selection is denied and something of a later one is not, the first holds the position: these are they.
 */
function placesOfMutations(
  analysis: OperationAnalysis,
  removals: ReadonlyMap<FieldNode, Removal>,
  conditions: Conditions,
): ReadonlySet<FieldNode> {
  const emptied: FieldNode[] = [];
  const runs = new Set<string>();
  const visited = new Set<string>();
  visitSet(analysis.client.operation.selectionSet);
  return new Set(emptied.filter((field) => runs.has(responseKeyOf(field))));

  function visitSet(selectionSet: SelectionSetNode): void {
    for (const selection of selectionSet.selections) {
      if (conditions.leavesOut(selection)) continue;
      switch (selection.kind) {
        case Kind.FIELD:
          if (removals.get(selection) === 'emptied') emptied.push(selection);
          else if (!removals.has(selection)) runs.add(responseKeyOf(selection));
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

function isIntrospection(field: FieldNode): boolean {
  return field.name.value === '__schema' || field.name.value === '__type';
}

function underExecutedKey(field: FieldNode, analysis: OperationAnalysis): FieldNode {
  const key = analysis.executedKeyOf.get(field);
  return key === undefined ? field : { ...field, alias: { kind: Kind.NAME, value: key } };
}

function typenameField(analysis: OperationAnalysis): FieldNode {
  return {
    kind: Kind.FIELD,
    name: { kind: Kind.NAME, value: '__typename' },
    alias: { kind: Kind.NAME, value: analysis.hiddenTypenameKey },
  };
}

function buildDocument(
  analysis: OperationAnalysis,
  root: Remainder,
  fragments: ReadonlyMap<string, Remainder>,
): DocumentNode {
  const { operation } = analysis.client;
  const selectionSet: SelectionSetNode = {
    kind: Kind.SELECTION_SET,
    selections: root.selections.length > 0 ? root.selections : [typenameField(analysis)],
  };
  const kept = new Map<string, FragmentDefinitionNode>();
  const variables = new Set<string>();
  const pending: SelectionSetNode[] = [selectionSet];
  for (let node = pending.pop(); node !== undefined; node = pending.pop()) {
    visit(node, {
      Variable(variable) {
        variables.add(variable.name.value);
      },
      FragmentSpread({ name: { value: name } }) {
        const fragment = analysis.fragments.get(name);
        const remainder = fragments.get(name);
        if (fragment === undefined || remainder === undefined || kept.has(name)) return;
        const filtered: FragmentDefinitionNode = {
          ...fragment,
          selectionSet: { kind: Kind.SELECTION_SET, selections: remainder.selections },
        };
        kept.set(name, filtered);
        pending.push(filtered.selectionSet);
      },
    });
  }
  for (const directive of operation.directives ?? []) {
    visit(directive, {
      Variable(variable) {
        variables.add(variable.name.value);
      },
    });
  }
  const filtered: OperationDefinitionNode = {
    ...operation,
    variableDefinitions: (operation.variableDefinitions ?? []).filter((definition) =>
      variables.has(definition.variable.name.value),
    ),
    selectionSet,
  };
  const definitions: DefinitionNode[] = [filtered, ...kept.values()];
  return { kind: Kind.DOCUMENT, definitions };
}
