import { Kind } from 'graphql';
import type { BooleanValueNode, SelectionNode } from 'graphql';
import type { OperationAnalysis } from './analysis.js';

/** The values of `@skip` and `@include` in one request, which distinguish skipped from denied selections. */
export class Conditions {
  readonly #names: readonly string[];
  readonly #values = new Map<string, boolean>();

  constructor(analysis: OperationAnalysis, variables: Readonly<Record<string, unknown>>) {
    this.#names = analysis.conditionVariables;
    for (const name of this.#names) {
      const given = Object.hasOwn(variables, name) ? variables[name] : undefined;
      if (typeof given === 'boolean') this.#values.set(name, given);
      else if (given === undefined) {
        const definition = analysis.client.operation.variableDefinitions?.find(
          (candidate) => candidate.variable.name.value === name,
        );
        if (definition?.defaultValue?.kind === Kind.BOOLEAN)
          this.#values.set(name, definition.defaultValue.value);
      }
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
      if (value === undefined) continue;
      if (value === (name === 'skip')) return true;
    }
    return false;
  }
}
