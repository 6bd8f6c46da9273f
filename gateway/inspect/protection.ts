import type { RuleTable } from '@behalf/directives/internal';
import type { DocumentNode } from 'graphql';
import { checkProtection } from '../supergraph/lost-protection.js';
import type { LostProtection } from '../supergraph/lost-protection.js';
import { checkDifferences, statesSomething } from './statements.js';
import type { StatingSubgraph } from './statements.js';

/**
 * What a federation promises and does not keep: all that is seen in its supergraph, and what only its subgraphs tell.
 *
 * @param document The supergraph, with the record that composition makes.
 * @param composed Its rules, with coverage `open`.
 * @param subgraphs Empty when only the supergraph is known.
 */
export function checkFederation(
  document: DocumentNode,
  composed: RuleTable,
  subgraphs: readonly StatingSubgraph[],
): readonly LostProtection[] {
  const differences = checkDifferences(document, composed, subgraphs);
  const differing = new Set(differences.map(({ coordinate }) => coordinate));
  // Where statements differ composition takes one of them, and the record has none of the others: that says nothing more of
  // those who state something.
  const isToldBetter = ({ code, coordinate, subgraph }: LostProtection): boolean =>
    code.startsWith('SHARED_') &&
    differing.has(coordinate) &&
    subgraphs.some((each) => each.name === subgraph && statesSomething(each, coordinate));
  return [...differences, ...checkProtection(document, composed).filter((each) => !isToldBetter(each))];
}
