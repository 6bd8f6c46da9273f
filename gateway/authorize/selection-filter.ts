import { Kind } from 'graphql';
import type { FieldNode, SelectionNode, SelectionSetNode } from 'graphql';
import type { OperationAnalysis } from './analysis.js';
import type { Conditions } from './conditions.js';
import type { RefusedFilters } from './filter-refusals.js';
import type { Removal, Removals } from './removals.js';

/** The rest of a selection set after filtering. */
export interface Remainder {
  readonly selections: readonly SelectionNode[];
  /** Whether something in it is executed: not removed, and not excluded by `@skip` or `@include`. */
  readonly live: boolean;
  /** Whether something in it was removed that `@skip` and `@include` would not have excluded anyway. */
  readonly lost: boolean;
}

const NOTHING: Remainder = Object.freeze({ selections: [], live: false, lost: false });

/** The rest of one selection after filtering. */
interface Filtered<Node> extends Pick<Remainder, 'live' | 'lost'> {
  readonly kept: Node | undefined;
}

const NO_PLACEHOLDERS: ReadonlySet<FieldNode> = new Set();
export const NO_REFUSED_FILTERS: RefusedFilters = new Map();

/** Removes denied selections from one operation. Each fragment is filtered once. */
export class SelectionFilter {
  readonly #analysis: OperationAnalysis;
  readonly #isPermitted: (requirementIndex: number) => boolean;
  readonly #conditions: Conditions;
  readonly #refusedFilters: RefusedFilters;
  readonly #removals = new Map<FieldNode, Removal>();
  readonly #fragments = new Map<string, Remainder>();
  #placeholders = NO_PLACEHOLDERS;

  constructor(
    analysis: OperationAnalysis,
    isPermitted: (requirementIndex: number) => boolean,
    conditions: Conditions,
    refusedFilters: RefusedFilters = NO_REFUSED_FILTERS,
  ) {
    this.#refusedFilters = refusedFilters;
    this.#analysis = analysis;
    this.#isPermitted = isPermitted;
    this.#conditions = conditions;
  }

  /** The fields that were removed, and why. */
  get removals(): Removals {
    return this.#removals;
  }

  /** The rest of each fragment, by name. */
  get fragments(): ReadonlyMap<string, Remainder> {
    return this.#fragments;
  }

  /** @param placeholders emptied fields that stay, with only `__typename` selected */
  filter(placeholders = NO_PLACEHOLDERS): Remainder {
    this.#placeholders = placeholders;
    this.#fragments.clear();
    return this.#filterSelections(this.#analysis.client.operation.selectionSet);
  }

  #filterSelections(selectionSet: SelectionSetNode): Remainder {
    const selections: SelectionNode[] = [];
    let live = false;
    let lost = false;
    for (const selection of selectionSet.selections) {
      const remainder = this.#filterSelection(selection);
      if (remainder.kept !== undefined) selections.push(remainder.kept);
      if (this.#conditions.leavesOut(selection)) continue;
      live ||= remainder.live;
      lost ||= remainder.lost;
    }
    return { selections, live, lost };
  }

  #filterSelection(selection: SelectionNode): Filtered<SelectionNode> {
    switch (selection.kind) {
      case Kind.FIELD:
        return this.#filterField(selection);
      case Kind.INLINE_FRAGMENT: {
        const inner = this.#filterSelections(selection.selectionSet);
        if (inner.selections.length === 0) return { ...inner, kept: undefined };
        return {
          ...inner,
          kept: { ...selection, selectionSet: this.#rebuild(selection.selectionSet, inner) },
        };
      }
      case Kind.FRAGMENT_SPREAD: {
        const inner = this.#filterFragment(selection.name.value);
        return { ...inner, kept: inner.selections.length === 0 ? undefined : selection };
      }
    }
  }

  #filterField(field: FieldNode): Filtered<FieldNode> {
    const requirement = this.#analysis.requirementOf.get(field);
    // A selection that the analysis did not see has no decision, so it has no permission; introspection has its own rule.
    const isKnown = this.#analysis.parentOf.has(field) || isIntrospection(field);
    const isPermitted = requirement === undefined || this.#isPermitted(requirement);
    if (!isKnown || !isPermitted || this.#refusedFilters.has(field)) {
      this.#removals.set(field, 'denied');
      return { kept: undefined, live: false, lost: true };
    }
    const executed = underExecutedKey(field, this.#analysis);
    if (field.selectionSet === undefined || !this.#analysis.parentOf.has(field))
      return { kept: executed, live: true, lost: false };
    const inner = this.#filterSelections(field.selectionSet);
    // A skipped selection does not keep a field: it counts as absent.
    if (!inner.live && inner.lost) {
      this.#removals.set(field, 'emptied');
      const kept = this.#placeholders.has(field)
        ? {
            ...executed,
            selectionSet: { ...field.selectionSet, selections: [typenameField(this.#analysis)] },
          }
        : undefined;
      return { kept, live: false, lost: true };
    }
    const kept = { ...executed, selectionSet: this.#rebuild(field.selectionSet, inner) };
    return { kept, live: true, lost: inner.lost };
  }

  #filterFragment(name: string): Remainder {
    const known = this.#fragments.get(name);
    if (known !== undefined) return known;
    const fragment = this.#analysis.fragments.get(name);
    // A valid document has it and no fragment cycle; an invalid one is not selected.
    this.#fragments.set(name, NOTHING);
    if (fragment === undefined) return NOTHING;
    const remainder = this.#filterSelections(fragment.selectionSet);
    this.#fragments.set(name, remainder);
    return remainder;
  }

  /**
   * The executed selection set. On an interface or union it adds `__typename`, by which completion knows which of the removed
   * selections would have applied. It also adds it if nothing is left, because an empty set would be invalid.
   */
  #rebuild(original: SelectionSetNode, remainder: Remainder): SelectionSetNode {
    const needsType = this.#analysis.onAbstract.has(original) || remainder.selections.length === 0;
    return {
      kind: Kind.SELECTION_SET,
      selections: needsType ? [...remainder.selections, typenameField(this.#analysis)] : remainder.selections,
    };
  }
}

function isIntrospection(field: FieldNode): boolean {
  return field.name.value === '__schema' || field.name.value === '__type';
}

function underExecutedKey(field: FieldNode, analysis: OperationAnalysis): FieldNode {
  const key = analysis.executedKeyOf.get(field);
  return key === undefined ? field : { ...field, alias: { kind: Kind.NAME, value: key } };
}

/** Selects `__typename` under a response key that the client does not use. */
export function typenameField(analysis: OperationAnalysis): FieldNode {
  return {
    kind: Kind.FIELD,
    name: { kind: Kind.NAME, value: '__typename' },
    alias: { kind: Kind.NAME, value: analysis.hiddenTypenameKey },
  };
}
