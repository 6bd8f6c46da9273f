import { Kind, visit } from 'graphql';
import type {
  DefinitionNode,
  DocumentNode,
  FragmentDefinitionNode,
  OperationDefinitionNode,
  SelectionSetNode,
} from 'graphql';
import type { OperationAnalysis } from './analysis.js';
import { typenameField } from './selection-filter.js';
import type { Remainder } from './selection-filter.js';

/** Builds the document of the remaining selections, without the fragments and variables that they do not use. */
export function buildDocument(
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
