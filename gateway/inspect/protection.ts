import type { RuleTable } from '@behalf/directives/internal';
import type { DocumentNode } from 'graphql';
import { checkProtection } from '../supergraph/lost-protection.js';
import type { LostProtection } from '../supergraph/lost-protection.js';
import { checkDifferences, statesSomething } from './statements.js';
import type { StatingSubgraph } from './statements.js';

/**
 * Rules of a federation that can be bypassed: those that the supergraph shows, and those that only its subgraphs show.
 *
 * @param document the supergraph, with the statements that composition records
 * @param composed its rules, with coverage `open`
 * @param subgraphs empty when only the supergraph is known
 */
export function checkFederation(
  document: DocumentNode,
  composed: RuleTable,
  subgraphs: readonly StatingSubgraph[],
): readonly LostProtection[] {
  const differences = checkDifferences(subgraphs);
  const differing = new Set(differences.map(({ coordinate }) => coordinate));
  // Where statements differ, composition keeps one of them and records only the subgraphs that state that one. The others are
  // reported as differing already.
  const isReportedAlready = ({ code, coordinate, subgraph }: LostProtection): boolean =>
    code.startsWith('SHARED_') &&
    differing.has(coordinate) &&
    subgraphs.some((each) => each.name === subgraph && statesSomething(each, coordinate));
  return [...differences, ...checkProtection(document, composed).filter((each) => !isReportedAlready(each))];
}
