import { isMet, requirementParts, ruleText, isExemptFromMinimize } from '@behalf/directives/internal';
import type { Delegation, Requires } from '@behalf/directives';
import type { Minimization, Requirement, RuleTable } from '@behalf/directives/internal';
import { isAbstractType, Kind } from 'graphql';
import type { FieldNode, GraphQLSchema, SelectionSetNode } from 'graphql';
import type { Conditions, OperationAnalysis } from './analysis.js';
import { coordinateOf } from './denial-errors.js';
import type { FilteredOperation } from './filter.js';
import { sufficientSets } from './sufficient.js';
import type { SufficientSets } from './sufficient.js';

/** The outcome of one selection. */
export type SelectionDecision =
  | 'allowed'
  /** Allowed, and the subgraph returns less than the stored value. */
  | 'minimized'
  /** Its own rules are not met. */
  | 'denied'
  /** It is below a denied one, whatever its own rules. */
  | 'lost'
  /** All its selections are denied. */
  | 'emptied'
  /** `@skip` or `@include` excludes it. */
  | 'skipped'
  /** Introspection, which the gateway's own setting decides. */
  | 'introspection';

/** One rule that an {@link ExplainedSelection} must meet, and whether the delegation meets it. */
export interface ExplainedRule {
  /** The type or field that states it. */
  readonly at: string;
  /** In the schema's words. */
  readonly rule: string;
  readonly met: boolean;
  /** What is missing, per alternative. Absent if it is met. */
  readonly missing?: Requires;
}

/** One `@minimize` on an {@link ExplainedSelection}, and whether the delegation holds enough for the whole value. */
export interface ExplainedMinimization {
  readonly at: string;
  /** The directive without `unless`, in the words of the schema. */
  readonly strategy: string;
  /** The scopes that reveal the whole value; empty: none do. */
  readonly wholeWith: readonly (readonly string[])[];
  readonly whole: boolean;
}

/** The decision on one selection of an operation, and the rules that it follows from. */
export interface ExplainedSelection {
  /** Response keys from the operation down; lists have no index here. */
  readonly path: readonly string[];
  readonly coordinate: string;
  readonly decision: SelectionDecision;
  readonly rules: readonly ExplainedRule[];
  readonly minimization?: readonly ExplainedMinimization[];
  /** Possible return types with `@subject`: at run time, other subjects' rows are omitted. */
  readonly perRow?: readonly { readonly type: string; readonly property: string }[];
}

/** What every selection requires. */
export interface Needs {
  readonly authenticated: boolean;
  /** Any one of the sets, together with all that follows. */
  readonly scopes: SufficientSets;
  /** All of them, each an OR of ANDs. */
  readonly policies: readonly (readonly (readonly string[])[])[];
  /** One of each. */
  readonly purposes: readonly (readonly string[])[];
  /** Places whose rules nobody can ever meet. */
  readonly impossible: readonly string[];
}

/** The gateway's decision on an operation, selection by selection. */
export interface Explanation {
  readonly operation: { readonly type: string; readonly name?: string };
  /** Whether nothing is denied. Ownership of rows is unknown here. */
  readonly allowed: boolean;
  readonly selections: readonly ExplainedSelection[];
  /** True if the operation selects more than is listed. The needs cover all of it. */
  readonly truncated: boolean;
  readonly needs: Needs;
  /** What the delegation lacks. Absent if it lacks nothing. */
  readonly lacks?: Needs;
}

/** The authorizer's decision and its basis. */
export interface Decided {
  readonly analysis: OperationAnalysis;
  readonly conditions: Conditions;
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
  const { analysis, delegation } = decided;
  const { operation } = analysis.client;
  const { selections, truncated } = listSelections(decided);
  const asked = selectedRequirements(decided);
  const unmet = new Map([...asked].filter(([requirement]) => !isMet(requirement, delegation)));
  const denied = decided.filtered.denied;
  return {
    operation: {
      type: operation.operation,
      ...(operation.name === undefined ? {} : { name: operation.name.value }),
    },
    allowed: denied.length === 0,
    selections,
    truncated,
    needs: needsOf(asked, undefined),
    ...(unmet.size === 0 ? {} : { lacks: needsOf(unmet, delegation) }),
  };
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
  const perRow = subjectsOf(decided, parent.name, node.name.value);
  const decision = ((): SelectionDecision => {
    if (place.skipped) return 'skipped';
    if (place.lost) return 'lost';
    const removal = decided.filtered.removals.get(node);
    if (removal !== undefined) return removal;
    return minimization.some(({ whole }) => !whole) ? 'minimized' : 'allowed';
  })();
  return {
    path,
    coordinate: coordinateOf(analysis, node),
    decision,
    rules: explained,
    ...(minimization.length === 0 ? {} : { minimization }),
    ...(perRow.length === 0 ? {} : { perRow }),
  };
}

function explainRule(at: string, part: Requirement, delegation: Delegation | undefined): ExplainedRule {
  const met = isMet(part, delegation);
  return { at, rule: ruleText(part), met, ...(met ? {} : { missing: missingOf(part, delegation) }) };
}

/** The missing names of an unmet part, per alternative. */
function missingOf(part: Requirement, delegation: Delegation | undefined): Requires {
  if (part.uncovered) return { rule: 'missing' };
  return {
    ...(part.authenticated ? { authenticated: true } : {}),
    ...(part.scopes.length > 0 ? { scopes: withoutHeld(part.scopes, delegation?.scopes) } : {}),
    ...(part.policies.length > 0 ? { policies: withoutHeld(part.policies, delegation?.policies) } : {}),
    ...(part.purposes.length > 0 ? { purposes: part.purposes } : {}),
  };
}

function withoutHeld(
  entries: readonly (readonly (readonly string[])[])[],
  held: ReadonlySet<string> | undefined,
): readonly (readonly (readonly string[])[])[] {
  if (held === undefined) return entries;
  return entries.map((entry) => entry.map((names) => names.filter((name) => !held.has(name))));
}

function minimizationsOf(decided: Decided, type: string, field: string): readonly ExplainedMinimization[] {
  return decided.rules.answersOf(type, field).flatMap(([, { coordinate, minimization }]) =>
    minimization === undefined
      ? []
      : [
          {
            at: coordinate,
            strategy: strategyText(minimization),
            wholeWith: minimization.unless,
            whole: isExemptFromMinimize(minimization.unless, decided.delegation),
          },
        ],
  );
}

function strategyText(minimization: Minimization): string {
  const { to } = minimization;
  switch (to) {
    case 'MASK':
    case 'TRUNCATE':
      return `${to}, keep ${minimization.keep}`;
    case 'GENERALIZE':
      return `${to}, ${Object.entries(minimization.by)
        .map(([name, value]) => `${name} ${String(value)}`)
        .join(', ')}`;
    case 'NOISE':
      return `${to}, spread ${minimization.spread}${minimization.step === undefined ? '' : `, step ${minimization.step}`}`;
    case 'REDACT':
    case 'PSEUDONYMIZE':
      return to;
  }
}

function subjectsOf(
  { rules, schema }: Decided,
  type: string,
  field: string,
): readonly { readonly type: string; readonly property: string }[] {
  const returned = schema.getType(rules.field(type, field)?.returns ?? '');
  const possible = isAbstractType(returned) ? schema.getPossibleTypes(returned) : [returned];
  return possible.flatMap((candidate) => {
    const property = candidate === undefined ? undefined : rules.type(candidate.name)?.subject;
    return candidate === undefined || property === undefined ? [] : [{ type: candidate.name, property }];
  });
}

/** The distinct requirements of all unskipped selections, each with an example coordinate. Every fragment is visited once. */
function selectedRequirements({ analysis, conditions }: Decided): ReadonlyMap<Requirement, string> {
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
        if (requirement !== undefined && !found.has(requirement)) {
          found.set(requirement, coordinateOf(analysis, selection));
        }
      }
      if (selection.selectionSet !== undefined) pending.push(selection.selectionSet);
    }
  }
  return found;
}

/** @param delegation its rights are not needed again; undefined: none */
function needsOf(asked: ReadonlyMap<Requirement, string>, delegation: Delegation | undefined): Needs {
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

/** An OR without alternatives, or a field without a rule where coverage is required. */
function isImpossible({ uncovered, scopes, policies, purposes }: Requirement): boolean {
  return uncovered || [...scopes, ...policies, ...purposes].some((entry) => entry.length === 0);
}

function distinct<Entry>(entries: readonly Entry[]): readonly Entry[] {
  return [...new Map(entries.map((entry) => [JSON.stringify(entry), entry])).values()];
}
