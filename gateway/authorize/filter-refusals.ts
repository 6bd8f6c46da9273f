import { filterRefusal, gatesInValue } from '@behalf/directives/internal';
import type { Delegation } from '@behalf/directives';
import type { FilterGate, FilterRefusal } from '@behalf/directives/internal';
import type { FieldNode } from 'graphql';
import type { OperationAnalysis } from './analysis.js';
import { gatesInLiteral } from './filter-uses.js';
import type { FilterUses, VariableUse } from './filter-uses.js';

/** An argument that the caller may not use, because it filters by a field that they may not read whole. */
export interface RefusedFilter {
  readonly argument: string;
  readonly gate: FilterGate;
  readonly refusal: FilterRefusal;
}

/** Selections that are denied for an argument. */
export type RefusedFilters = ReadonlyMap<FieldNode, RefusedFilter>;

/**
 * Decides the conditions of `@filters` in one request. Each condition is decided once, and the value of each variable visited
 * once, however often the operation uses them.
 */
export class FilterRefusals {
  /** For each of the analysis's uses: the first condition that is not met. */
  readonly #outcomes: readonly (RefusedFilter | undefined)[];
  readonly #refusals = new Map<FilterGate, FilterRefusal | undefined>();
  /** By variable and type: the conditions that its value comes under. */
  readonly #gatesOf = new Map<string, ReadonlySet<FilterGate>>();
  /** By variable and type: the first of them that is not met. */
  readonly #firstOf = new Map<string, FilterGate | undefined>();
  readonly #analysis: OperationAnalysis;
  readonly #variables: Readonly<Record<string, unknown>>;
  readonly #delegation: Delegation | undefined;

  constructor(
    analysis: OperationAnalysis,
    variables: Readonly<Record<string, unknown>>,
    delegation: Delegation | undefined,
  ) {
    this.#analysis = analysis;
    this.#variables = variables;
    this.#delegation = delegation;
    this.#outcomes = analysis.filterUses.map((uses) => this.#firstRefused(uses));
  }

  /** Whether nothing is denied for its arguments. */
  get areNone(): boolean {
    return this.#outcomes.every((outcome) => outcome === undefined);
  }

  /** Part of a decision's key: whatever a denial says depends on it. */
  get key(): string {
    return this.#outcomes
      .map((outcome) =>
        outcome === undefined ? '' : `${outcome.argument}:${outcome.gate.index}${outcome.refusal}`,
      )
      .join(',');
  }

  get refused(): RefusedFilters {
    const refused = new Map<FieldNode, RefusedFilter>();
    for (const [node, index] of this.#analysis.filterUsesOf) {
      const outcome = this.#outcomes[index];
      if (outcome !== undefined) refused.set(node, outcome);
    }
    return refused;
  }

  /** Every condition that a selection's arguments come under in this request, for an explanation. */
  usedBy(node: FieldNode): readonly FilterGate[] {
    const index = this.#analysis.filterUsesOf.get(node);
    const { uses = [], variables = [] } = index === undefined ? {} : (this.#analysis.filterUses[index] ?? {});
    const used = uses.filter(({ variable }) => this.#hasValue(variable)).map(({ gate }) => gate);
    return [...new Set([...used, ...variables.flatMap((use) => [...this.#gatesOfVariable(use)])])];
  }

  #firstRefused({ uses, variables }: FilterUses): RefusedFilter | undefined {
    for (const { gate, argument, variable } of uses) {
      const refusal = this.#hasValue(variable) ? this.#refusalOf(gate) : undefined;
      if (refusal !== undefined) return { argument, gate, refusal };
    }
    for (const use of variables) {
      const gate = this.#firstOfVariable(use);
      const refusal = gate === undefined ? undefined : this.#refusalOf(gate);
      if (gate !== undefined && refusal !== undefined) return { argument: use.argument, gate, refusal };
    }
    return undefined;
  }

  #refusalOf(gate: FilterGate): FilterRefusal | undefined {
    if (!this.#refusals.has(gate)) this.#refusals.set(gate, filterRefusal(gate, this.#delegation));
    return this.#refusals.get(gate);
  }

  #firstOfVariable(use: VariableUse): FilterGate | undefined {
    const key = `${use.type} ${use.variable}`;
    if (!this.#firstOf.has(key)) {
      const gates = [...this.#gatesOfVariable(use)];
      this.#firstOf.set(
        key,
        gates.find((gate) => this.#refusalOf(gate) !== undefined),
      );
    }
    return this.#firstOf.get(key);
  }

  #gatesOfVariable({ variable, type }: VariableUse): ReadonlySet<FilterGate> {
    const key = `${type} ${variable}`;
    let gates = this.#gatesOf.get(key);
    if (gates === undefined) {
      const { filterInputs, variableDefaults } = this.#analysis;
      const given = this.#given(variable);
      const fallback = variableDefaults.get(variable);
      gates =
        given !== undefined || fallback === undefined
          ? gatesInValue(given, type, filterInputs, 'sent')
          : gatesInLiteral(fallback, type, filterInputs);
      this.#gatesOf.set(key, gates);
    }
    return gates;
  }

  #hasValue(variable: string | null): boolean {
    return (
      variable === null ||
      this.#given(variable) !== undefined ||
      this.#analysis.variableDefaults.has(variable)
    );
  }

  #given(variable: string): unknown {
    return Object.hasOwn(this.#variables, variable) ? this.#variables[variable] : undefined;
  }
}
