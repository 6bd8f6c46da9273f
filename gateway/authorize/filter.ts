import { createHash } from 'node:crypto';
import { OperationTypeNode, print } from 'graphql';
import type { FieldNode } from 'graphql';
import type { OperationAnalysis } from './analysis.js';
import type { Conditions } from './conditions.js';
import type { RefusedFilter, RefusedFilters } from './filter-refusals.js';
import { buildDocument } from './filtered-document.js';
import { deniedSelections, placeholdersOfMutations } from './removals.js';
import type { Removals } from './removals.js';
import { NO_REFUSED_FILTERS, SelectionFilter } from './selection-filter.js';
import type { ClientOperation } from './types.js';

export interface FilteredOperation {
  /** Undefined when nothing is left. */
  readonly execute: ClientOperation | undefined;
  readonly removals: Removals;
  /** Denied fields that the client would have received, without those that `@skip` or `@include` exclude. */
  readonly denied: readonly FieldNode[];
  /** Of the fields whose own requirements are met: those that are denied for an argument. */
  readonly refusedFilters: RefusedFilters;
}

/**
 * Removes denied selections from an operation, before anything is planned.
 *
 * A field whose selections are all removed is removed as well, and so on upward; so are fragments and variables that are no
 * longer used. The result has its own hash: `@apollo/gateway` caches query plans by hash, and under the old one it would run the
 * plan of the whole operation.
 */
export function filterOperation(
  analysis: OperationAnalysis,
  isPermitted: (requirementIndex: number) => boolean,
  conditions: Conditions,
  refused: RefusedFilters = NO_REFUSED_FILTERS,
): FilteredOperation {
  // A field that may not be read at all is denied for that.
  const refusedFilters = new Map<FieldNode, RefusedFilter>();
  for (const [node, filter] of refused) {
    const requirement = analysis.requirementOf.get(node);
    if (requirement === undefined || isPermitted(requirement)) refusedFilters.set(node, filter);
  }
  const filter = new SelectionFilter(analysis, isPermitted, conditions, refusedFilters);
  let root = filter.filter();
  if (analysis.client.operation.operation === OperationTypeNode.MUTATION) {
    const placeholders = placeholdersOfMutations(analysis, filter.removals, conditions);
    if (placeholders.size > 0) root = filter.filter(placeholders);
  }
  const { removals } = filter;
  const denied = deniedSelections(analysis, removals, conditions);
  if (!root.live && root.lost) return { execute: undefined, removals, denied, refusedFilters };

  const { document, operation } = buildDocument(analysis, root, filter.fragments);
  const queryHash = createHash('sha256').update(print(document)).digest('hex');
  return { execute: { document, operation, queryHash }, removals, denied, refusedFilters };
}
