import { describeRequirement, ruleText } from '@behalf/directives/internal';
import type { FieldNode } from 'graphql';
import type { OperationAnalysis } from './analysis.js';
import { coordinateOf } from './denial-errors.js';
import type { Denial } from './types.js';

/** By coordinate: a document with many aliases denies one field many times. */
export function denialsOf(analysis: OperationAnalysis, denied: readonly FieldNode[]): readonly Denial[] {
  const merged = new Map<string, { readonly node: FieldNode; selections: number }>();
  for (const node of denied) {
    const coordinate = coordinateOf(analysis, node);
    const known = merged.get(coordinate);
    if (known === undefined) merged.set(coordinate, { node, selections: 1 });
    else known.selections += 1;
  }
  return [...merged].map(([coordinate, { node, selections }]) => {
    const index = analysis.requirementOf.get(node);
    const requirement = index === undefined ? undefined : analysis.requirements[index];
    return {
      coordinate,
      requires: requirement === undefined ? {} : describeRequirement(requirement),
      rule: requirement === undefined ? '' : ruleText(requirement),
      selections,
    };
  });
}
