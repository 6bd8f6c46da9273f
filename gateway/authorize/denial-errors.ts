import { denialError } from '@behalf/directives';
import { describeRequirement } from '@behalf/directives/internal';
import type { Requires } from '@behalf/directives';
import { Kind } from 'graphql';
import type { FieldNode, GraphQLError, SelectionSetNode } from 'graphql';
import { withoutStack } from '../client-error.js';
import type { ErrorList } from '../client-error.js';
import type { OperationAnalysis } from './analysis.js';
import type { Executed } from './collect.js';
import { pathTo } from './position.js';
import type { Position } from './position.js';

/** The errors for denials: one per path, up to a number per selection. */
export class DenialErrors {
  readonly #pathsOf = new Map<FieldNode, number>();
  readonly #requirementsOf = new Map<FieldNode, Requires>();
  readonly #losses = new Map<FieldNode | string, readonly FieldNode[]>();
  readonly #executed: Executed;
  readonly #maxPathsPerSelection: number;
  readonly #errors: ErrorList;

  constructor(executed: Executed, maxPathsPerSelection: number, errors: ErrorList) {
    this.#executed = executed;
    this.#maxPathsPerSelection = maxPathsPerSelection;
    this.#errors = errors;
  }

  report(node: FieldNode, position: Position): void {
    const reported = this.#pathsOf.get(node) ?? 0;
    this.#pathsOf.set(node, reported + 1);
    if (reported < this.#maxPathsPerSelection) this.#errors.add(() => this.#errorOf(node, pathTo(position)));
  }

  /** For a field whose selections were all denied. */
  reportEmptied(field: FieldNode, position: Position): void {
    let losses = this.#losses.get(field);
    if (losses === undefined) {
      const found = new Set<FieldNode>();
      if (field.selectionSet !== undefined) this.#findLosses(field.selectionSet, found, new Set());
      losses = [...found].slice(0, this.#maxPathsPerSelection);
      this.#losses.set(field, losses);
    }
    for (const lost of losses) this.report(lost, position);
  }

  /** One error without a path for each selection that was denied at more paths than listed. */
  summarize(): void {
    for (const [node, count] of this.#pathsOf) {
      const omitted = count - this.#maxPathsPerSelection;
      if (omitted <= 0) continue;
      this.#errors.add(() => {
        const error = this.#errorOf(node);
        error.extensions.omittedPaths = omitted;
        return error;
      });
    }
  }

  #errorOf(node: FieldNode, path?: readonly (string | number)[]): GraphQLError {
    const { analysis } = this.#executed;
    let requires = this.#requirementsOf.get(node);
    if (requires === undefined) {
      const index = analysis.requirementOf.get(node);
      const requirement = index === undefined ? undefined : analysis.requirements[index];
      requires = requirement === undefined ? {} : describeRequirement(requirement);
      this.#requirementsOf.set(node, requires);
    }
    return withoutStack(denialError(coordinateOf(analysis, node), requires, path));
  }

  /** Denied selections below an emptied field: enough of them to fill its errors. */
  #findLosses(set: SelectionSetNode, found: Set<FieldNode>, visited: Set<string>): void {
    for (const selection of set.selections) {
      if (found.size >= this.#maxPathsPerSelection) return;
      if (this.#executed.conditions.leavesOut(selection)) continue;
      switch (selection.kind) {
        case Kind.FIELD: {
          const removal = this.#executed.removals.get(selection);
          if (removal === 'denied') found.add(selection);
          else if (removal === 'emptied' && selection.selectionSet !== undefined) {
            this.#findLosses(selection.selectionSet, found, visited);
          }
          break;
        }
        case Kind.INLINE_FRAGMENT:
          this.#findLosses(selection.selectionSet, found, visited);
          break;
        case Kind.FRAGMENT_SPREAD:
          if (visited.has(selection.name.value)) break;
          visited.add(selection.name.value);
          for (const lost of this.#lossesOfFragment(selection.name.value)) found.add(lost);
      }
    }
  }

  /** Searched once, however many fields it empties. */
  #lossesOfFragment(name: string): readonly FieldNode[] {
    let losses = this.#losses.get(name);
    if (losses === undefined) {
      // A valid document has no fragment cycle; a cyclic one would find nothing the second time.
      this.#losses.set(name, []);
      const found = new Set<FieldNode>();
      const fragment = this.#executed.analysis.fragments.get(name);
      if (fragment !== undefined) this.#findLosses(fragment.selectionSet, found, new Set());
      losses = [...found].slice(0, this.#maxPathsPerSelection);
      this.#losses.set(name, losses);
    }
    return losses;
  }
}

export function coordinateOf(analysis: OperationAnalysis, node: FieldNode): string {
  return `${analysis.parentOf.get(node)?.name ?? '?'}.${node.name.value}`;
}
