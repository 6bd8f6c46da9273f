import { isMet, requirementParts } from '@behalf/directives/internal';
import type { Delegation } from '@behalf/directives';
import type { Requirement } from '@behalf/directives/internal';
import { Kind } from 'graphql';
import type { SelectionSetNode } from 'graphql';
import type { OperationAnalysis } from './analysis.js';
import type { Conditions } from './conditions.js';
import { coordinateOf } from './denials.js';
import type { FilterRefusals } from './filter-refusals.js';
import type { Needs } from './explanation.js';
import { sufficientSets } from './sufficient.js';

/** The distinct requirements of all unskipped selections and their arguments, each with an example coordinate. Every fragment is visited once. */
export function selectedRequirements(
  analysis: OperationAnalysis,
  conditions: Conditions,
  filters: FilterRefusals,
): ReadonlyMap<Requirement, string> {
  const found = new Map<Requirement, string>();
  const seenFragments = new Set<string>();
  const pending: SelectionSetNode[] = [analysis.client.operation.selectionSet];
  for (let set = pending.pop(); set !== undefined; set = pending.pop()) {
    for (const selection of set.selections) {
      if (conditions.leavesOut(selection)) continue;
      if (selection.kind === Kind.FRAGMENT_SPREAD) {
        const name = selection.name.value;
        const fragment = analysis.fragments.get(name);
        if (fragment === undefined || seenFragments.has(name)) continue;
        seenFragments.add(name);
        pending.push(fragment.selectionSet);
        continue;
      }
      if (selection.kind === Kind.FIELD) {
        const requirement = analysis.requirements[analysis.requirementOf.get(selection) ?? -1];
        const coordinate = coordinateOf(analysis, selection);
        if (requirement !== undefined && !found.has(requirement)) found.set(requirement, coordinate);
        for (const gate of filters.usedBy(selection))
          if (!found.has(gate.requirement)) found.set(gate.requirement, gate.at);
      }
      if (selection.selectionSet !== undefined) pending.push(selection.selectionSet);
    }
  }
  return found;
}

/**
 * The rights that a caller lacks to meet all of the requirements.
 *
 * @param delegation the rights that the caller has; undefined for an anonymous one
 */
export function needsOf(asked: ReadonlyMap<Requirement, string>, delegation: Delegation | undefined): Needs {
  const impossible: string[] = [];
  const parts: Requirement[] = [];
  for (const [requirement, coordinate] of asked) {
    if (isImpossible(requirement)) impossible.push(coordinate);
    for (const part of requirementParts(requirement)) {
      if (!isImpossible(part) && (delegation === undefined || !isMet(part, delegation))) parts.push(part);
    }
  }
  return {
    // A caller who holds a scope, a policy or a purpose has a token.
    authenticated: parts.length > 0 && delegation === undefined,
    scopes: sufficientSets(withoutHeld(distinct(parts.flatMap(({ scopes }) => scopes)), delegation?.scopes)),
    policies: withoutHeld(distinct(parts.flatMap(({ policies }) => policies)), delegation?.policies),
    purposes: distinct(parts.flatMap(({ purposes }) => purposes)),
    impossible,
  };
}

/** Removes the names that the caller holds from each alternative. */
export function withoutHeld(
  entries: readonly (readonly (readonly string[])[])[],
  held: ReadonlySet<string> | undefined,
): readonly (readonly (readonly string[])[])[] {
  if (held === undefined) return entries;
  return entries.map((entry) => entry.map((names) => names.filter((name) => !held.has(name))));
}

/** Whether nobody can meet it: an OR has no alternatives, or the field has no rule although coverage is required. */
function isImpossible({ uncovered, scopes, policies, purposes }: Requirement): boolean {
  return uncovered || [...scopes, ...policies, ...purposes].some((entry) => entry.length === 0);
}

function distinct<Entry>(entries: readonly Entry[]): readonly Entry[] {
  return [...new Map(entries.map((entry) => [JSON.stringify(entry), entry])).values()];
}
