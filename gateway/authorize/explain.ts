import {
  defaultStatement,
  filterRefusal,
  holdsOne,
  isExemptFromSubject,
  isMet,
  liftedBy,
  requirementParts,
  requiresOf,
  ruleText,
  statementInForce,
  withoutUndefined,
} from '@behalf/directives/internal';
import type { Delegation, Requires } from '@behalf/directives';
import type { Requirement, RuleTable } from '@behalf/directives/internal';
import { isAbstractType, Kind } from 'graphql';
import type { FieldNode, GraphQLSchema, SelectionSetNode } from 'graphql';
import { strategyText } from '../supergraph/minimization.js';
import type { OperationAnalysis } from './analysis.js';
import type { Conditions } from './conditions.js';
import { coordinateOf } from './denials.js';
import type {
  ExplainedFilter,
  ExplainedMinimization,
  ExplainedRows,
  ExplainedRule,
  ExplainedSelection,
  Explanation,
  SelectionDecision,
} from './explanation.js';
import type { FilteredOperation } from './filter.js';
import type { FilterRefusals } from './filter-refusals.js';
import { needsOf, selectedRequirements, withoutHeld } from './needs.js';

/** The authorizer's decision and its basis. */
export interface Decided {
  readonly analysis: OperationAnalysis;
  readonly conditions: Conditions;
  readonly filters: FilterRefusals;
  readonly schema: GraphQLSchema;
  readonly rules: RuleTable;
  readonly filtered: FilteredOperation;
  readonly delegation: Delegation | undefined;
}

const MAX_SELECTIONS = 1_000;

/**
 * Explains a decision: which selections stay, which are removed and by which rule. It decides nothing itself: the filter
 * removed the selections, and `isMet` says which parts of a rule are met.
 *
 * Fragments are listed where they are spread, so the list is bounded; the needs are read from each selection once.
 */
export function explainDecision(decided: Decided): Explanation {
  const { analysis, conditions, filters, delegation } = decided;
  const { operation } = analysis.client;
  const { selections, truncated } = listSelections(decided);
  const asked = selectedRequirements(analysis, conditions, filters);
  const unmet = new Map([...asked].filter(([requirement]) => !isMet(requirement, delegation)));
  const denied = decided.filtered.denied;
  return withoutUndefined({
    operation: withoutUndefined({
      type: operation.operation,
      name: operation.name?.value,
    }),
    allowed: denied.length === 0,
    selections,
    truncated,
    needs: needsOf(asked, undefined),
    lacks: unmet.size === 0 ? undefined : needsOf(unmet, delegation),
  });
}

function listSelections(decided: Decided): {
  readonly selections: readonly ExplainedSelection[];
  readonly truncated: boolean;
} {
  const { analysis, conditions, filtered } = decided;
  const selections: ExplainedSelection[] = [];
  let truncated = false;
  list(analysis.client.operation.selectionSet, [], { lost: false, skipped: false });
  return { selections, truncated };

  function list(
    set: SelectionSetNode,
    above: readonly string[],
    { lost, skipped }: { readonly lost: boolean; readonly skipped: boolean },
  ): void {
    for (const selection of set.selections) {
      if (truncated) return;
      const isSkipped = skipped || conditions.leavesOut(selection);
      if (selection.kind === Kind.FIELD) {
        if (selections.length === MAX_SELECTIONS) {
          truncated = true;
          return;
        }
        const path = [...above, selection.alias?.value ?? selection.name.value];
        selections.push(explainSelection(decided, selection, path, { lost, skipped: isSkipped }));
        if (selection.selectionSet === undefined || !analysis.parentOf.has(selection)) continue;
        const isLost = lost || filtered.removals.get(selection) === 'denied';
        list(selection.selectionSet, path, { lost: isLost, skipped: isSkipped });
      } else if (selection.kind === Kind.INLINE_FRAGMENT) {
        list(selection.selectionSet, above, { lost, skipped: isSkipped });
      } else {
        const fragment = analysis.fragments.get(selection.name.value);
        if (fragment !== undefined) list(fragment.selectionSet, above, { lost, skipped: isSkipped });
      }
    }
  }
}

function explainSelection(
  decided: Decided,
  node: FieldNode,
  path: readonly string[],
  place: { readonly lost: boolean; readonly skipped: boolean },
): ExplainedSelection {
  const { analysis, rules, delegation } = decided;
  const parent = analysis.parentOf.get(node);
  if (parent === undefined) {
    return { path, coordinate: `Query.${node.name.value}`, decision: 'introspection', rules: [] };
  }
  const explained = rules
    .sourcesOf(parent.name, node.name.value)
    .flatMap(({ at, requirement }) =>
      requirementParts(requirement).map((part) => explainRule(at, part, delegation)),
    );
  const minimization = minimizationsOf(decided, parent.name, node.name.value);
  const filters = filtersOf(decided, node);
  const perRow = subjectsOf(decided, parent.name, node.name.value);
  const decision = ((): SelectionDecision => {
    if (place.skipped) return 'skipped';
    if (place.lost) return 'lost';
    const removal = decided.filtered.removals.get(node);
    if (removal !== undefined) return removal;
    return minimization.some(({ whole }) => !whole) ? 'minimized' : 'allowed';
  })();
  return withoutUndefined({
    path,
    coordinate: coordinateOf(analysis, node),
    decision,
    rules: explained,
    minimization: minimization.length === 0 ? undefined : minimization,
    filters: filters.length === 0 ? undefined : filters,
    perRow: perRow.length === 0 ? undefined : perRow,
  });
}

function explainRule(at: string, part: Requirement, delegation: Delegation | undefined): ExplainedRule {
  const met = isMet(part, delegation);
  return withoutUndefined({
    at,
    rule: ruleText(part),
    met,
    missing: met ? undefined : missingOf(part, delegation),
  });
}

/** The missing names of an unmet part, per alternative. */
function missingOf(part: Requirement, delegation: Delegation | undefined): Requires {
  if (part.uncovered) return { rule: 'missing' };
  return withoutUndefined({
    authenticated: part.authenticated ? true : undefined,
    scopes: part.scopes.length > 0 ? withoutHeld(part.scopes, delegation?.scopes) : undefined,
    policies: part.policies.length > 0 ? withoutHeld(part.policies, delegation?.policies) : undefined,
    purposes: part.purposes.length > 0 ? part.purposes : undefined,
  });
}

function minimizationsOf(decided: Decided, type: string, field: string): readonly ExplainedMinimization[] {
  return decided.rules.answersOf(type, field).flatMap(([, { coordinate, minimization }]) => {
    if (minimization === undefined) return [];
    const statement = statementInForce(minimization, decided.delegation);
    const shown = statement ?? defaultStatement(minimization);
    if (shown === undefined) return [];
    return [
      withoutUndefined({
        at: coordinate,
        strategy: strategyText(shown),
        level: shown.level,
        wholeWith: statement === undefined ? shown.unless : liftedBy(minimization, decided.delegation),
        whole: statement === undefined,
      }),
    ];
  });
}

function filtersOf({ filters, delegation }: Decided, node: FieldNode): readonly ExplainedFilter[] {
  return filters.usedBy(node).map((gate) => {
    const refusal = filterRefusal(gate, delegation);
    return withoutUndefined({
      at: gate.at,
      fields: gate.fields,
      rule: gate.rule,
      met: refusal === undefined,
      missing: refusal === undefined ? undefined : lackedOf(requiresOf(gate, refusal), delegation),
    });
  });
}

/** Without the scopes that the caller holds. */
function lackedOf(requires: Requires, delegation: Delegation | undefined): Requires {
  const held = delegation?.scopes;
  const unmet = requires.scopes?.filter((entry) => held === undefined || !holdsOne(entry, held));
  return withoutUndefined({
    ...requires,
    scopes: unmet === undefined ? undefined : withoutHeld(unmet, held),
  });
}

function subjectsOf(
  { rules, schema, delegation }: Decided,
  type: string,
  field: string,
): readonly ExplainedRows[] {
  const returned = schema.getType(rules.field(type, field)?.returns ?? '');
  const possible = isAbstractType(returned) ? schema.getPossibleTypes(returned) : [returned];
  return possible.flatMap((candidate) => {
    const subject = candidate === undefined ? undefined : rules.type(candidate.name)?.subject;
    if (candidate === undefined || subject === undefined) return [];
    const { property, unless } = subject;
    return [
      { type: candidate.name, property, everyWith: unless, every: isExemptFromSubject(unless, delegation) },
    ];
  });
}
