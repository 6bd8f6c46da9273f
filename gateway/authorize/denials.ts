import { describeRequirement, requiresOf, ruleText } from '@behalf/directives/internal';
import type { Requires } from '@behalf/directives';
import type { FieldNode } from 'graphql';
import type { OperationAnalysis } from './analysis.js';
import type { FilteredOperation } from './filter.js';
import type { RefusedFilters } from './filter-refusals.js';
import type { Denial } from './types.js';

/** By coordinate and reason: a document with many aliases denies one field many times. */
export function denialsOf(
  analysis: OperationAnalysis,
  { denied, refusedFilters }: Pick<FilteredOperation, 'denied' | 'refusedFilters'>,
): readonly Denial[] {
  const merged = new Map<string, { readonly node: FieldNode; selections: number }>();
  for (const node of denied) {
    const filter = refusedFilters.get(node);
    const reason = filter === undefined ? '' : `${filter.argument} ${filter.gate.at}`;
    const key = `${coordinateOf(analysis, node)} ${reason}`;
    const known = merged.get(key);
    if (known === undefined) merged.set(key, { node, selections: 1 });
    else known.selections += 1;
  }
  return [...merged.values()].map(({ node, selections }) => ({
    coordinate: coordinateOf(analysis, node),
    toldAs: toldCoordinate(analysis, refusedFilters, node),
    requires: requiresFor(analysis, refusedFilters, node),
    rule: ruleOf(analysis, refusedFilters, node),
    selections,
  }));
}

export function coordinateOf(analysis: OperationAnalysis, node: FieldNode): string {
  return `${analysis.parentOf.get(node)?.name ?? '?'}.${node.name.value}`;
}

/** As the client is told: the argument, if it is denied for one. */
export function toldCoordinate(
  analysis: OperationAnalysis,
  refusedFilters: RefusedFilters,
  node: FieldNode,
): string {
  const argument = refusedFilters.get(node)?.argument;
  const coordinate = coordinateOf(analysis, node);
  return argument === undefined ? coordinate : `${coordinate}(${argument}:)`;
}

/** The requirement of a denied selection, in the schema's names. */
export function requiresFor(
  analysis: OperationAnalysis,
  refusedFilters: RefusedFilters,
  node: FieldNode,
): Requires {
  const filter = refusedFilters.get(node);
  if (filter !== undefined) return requiresOf(filter.gate, filter.refusal);
  const requirement = analysis.requirements[analysis.requirementOf.get(node) ?? -1];
  return requirement === undefined ? {} : describeRequirement(requirement);
}

function ruleOf(analysis: OperationAnalysis, refusedFilters: RefusedFilters, node: FieldNode): string {
  const filter = refusedFilters.get(node);
  if (filter !== undefined) return filter.gate.rule;
  const requirement = analysis.requirements[analysis.requirementOf.get(node) ?? -1];
  return requirement === undefined ? '' : ruleText(requirement);
}
