import type { RuleTable } from '@behalf/directives';
import type { DocumentNode } from 'graphql';
import { checkProtection } from '../gateway/supergraph/lost-protection.js';
import type { LostProtection } from '../gateway/supergraph/lost-protection.js';
import { checkDifferences } from './statements.js';
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
  const found = new Map<string, LostProtection>();
  // Of one place, what a subgraph states otherwise tells more than that it does not state the same.
  for (const each of [
    ...checkDifferences(document, composed, subgraphs),
    ...checkProtection(document, composed),
  ]) {
    const key = [each.code, each.coordinate, each.subgraph ?? ''].join(' ');
    const isOfStatement = each.code.startsWith('SHARED_');
    const place = isOfStatement ? key : `${key} ${each.message}`;
    if (!found.has(place)) found.set(place, each);
  }
  return [...found.values()];
}
