import { Kind } from 'graphql';
import type { BooleanValueNode, SelectionNode } from 'graphql';
import type { OperationAnalysis } from './analysis.js';
import { valuesOf } from './variable-values.js';

/** The values of `@skip` and `@include` in one request, which distinguish skipped from denied selections. */
export class Conditions {
  readonly #names: readonly string[];
  readonly #values = new Map<string, boolean>();

  constructor(analysis: OperationAnalysis, variables: Readonly<Record<string, unknown>>) {
    this.#names = analysis.conditionVariables;
    const values = valuesOf(analysis.client.operation, variables);
    for (const name of this.#names) {
      const value = values.get(name);
      if (typeof value === 'boolean') this.#values.set(name, value);
    }
  }

  /** Part of a decision's key: one letter per variable. */
  get key(): string {
    return this.#names
      .map((name) => {
        const value = this.#values.get(name);
        return value === undefined ? '?' : value ? '1' : '0';
      })
      .join('');
  }

  /** Whether the selection is skipped. One with an unknown condition counts as selected. */
  leavesOut(selection: SelectionNode): boolean {
    for (const directive of selection.directives ?? []) {
      const name = directive.name.value;
      if (name !== 'skip' && name !== 'include') continue;
      const condition = directive.arguments?.find((argument) => argument.name.value === 'if')?.value;
      const value =
        condition?.kind === Kind.VARIABLE
          ? this.#values.get(condition.name.value)
          : (condition as BooleanValueNode | undefined)?.value;
      // An unknown value is neither.
      if (value === (name === 'skip')) return true;
    }
    return false;
  }
}
