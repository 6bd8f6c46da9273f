import { Kind } from 'graphql';
import type {
  DocumentNode,
  FragmentDefinitionNode,
  OperationDefinitionNode,
  SelectionSetNode,
} from 'graphql';
import { reachableFrom } from '../fragments.js';
import type { OperationAnalysis } from './analysis.js';
import { typenameField } from './selection-filter.js';
import type { Remainder } from './selection-filter.js';

/** Builds the operation of the remaining selections and its document, without the fragments and variables that they do not use. */
export function buildDocument(
  analysis: OperationAnalysis,
  root: Remainder,
  remainders: ReadonlyMap<string, Remainder>,
): { readonly document: DocumentNode; readonly operation: OperationDefinitionNode } {
  const { operation } = analysis.client;
  const selectionSet: SelectionSetNode = {
    kind: Kind.SELECTION_SET,
    selections: root.selections.length > 0 ? root.selections : [typenameField(analysis)],
  };
  const remainderOf = (name: string): FragmentDefinitionNode | undefined => {
    const fragment = analysis.fragments.get(name);
    if (analysis.introspectionFragments.has(name)) return fragment;
    const remainder = remainders.get(name);
    if (fragment === undefined || remainder === undefined) return undefined;
    return { ...fragment, selectionSet: { kind: Kind.SELECTION_SET, selections: remainder.selections } };
  };
  const { fragments, variables } = reachableFrom(
    [selectionSet, ...(operation.directives ?? [])],
    remainderOf,
  );
  const filtered: OperationDefinitionNode = {
    ...operation,
    variableDefinitions: (operation.variableDefinitions ?? []).filter((definition) =>
      variables.has(definition.variable.name.value),
    ),
    selectionSet,
  };
  const document: DocumentNode = { kind: Kind.DOCUMENT, definitions: [filtered, ...fragments.values()] };
  return { document, operation: filtered };
}
