import { coordinateOf } from '@behalf/directives/internal';
import type { RuleTable } from '@behalf/directives/internal';
import { visit } from 'graphql';
import type { DocumentNode } from 'graphql';
import type { StatingSubgraph } from '../inspect/statements.js';

/**
 * The `@filters` of subgraphs that composition dropped, or that the subgraph which takes a field over does not state. An argument that not all subgraphs have is not in the supergraph, where nobody can use it; likewise an
 * input field or enum value.
 */
export function filtersLost(
  subgraphs: readonly StatingSubgraph[],
  { filters }: RuleTable,
  document: DocumentNode,
): string[] {
  const lost = subgraphs.flatMap(({ name, written }) =>
    [...written.filters.stated.values()].flatMap(({ coordinate, fields }) => {
      const kept = filters.stated.get(coordinate)?.fields ?? [];
      const isKept = fields.every((own) =>
        kept.some(({ type, field }) => own.type === type && own.field === field),
      );
      return isKept ? [] : [{ name, coordinate }];
    }),
  );
  if (lost.length === 0) return [];
  const elements = inputCoordinates(document);
  return lost
    .filter(({ coordinate }) => elements.has(coordinate))
    .map(
      ({ name, coordinate }) =>
        `RULE_LOST: [${name}] ${coordinate} filters by a field, and not in the supergraph`,
    );
}

/** Coordinates of all arguments, input fields and enum values. */
function inputCoordinates(document: DocumentNode): ReadonlySet<string | undefined> {
  const found = new Set<string | undefined>();
  visit(document, {
    InputValueDefinition(node, _key, _parent, _path, ancestors) {
      found.add(coordinateOf([...ancestors, node]));
    },
    EnumValueDefinition(node, _key, _parent, _path, ancestors) {
      found.add(coordinateOf([...ancestors, node]));
    },
  });
  return found;
}
