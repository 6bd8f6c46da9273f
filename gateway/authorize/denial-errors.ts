import { denialError } from '@behalf/directives';
import type { Requires } from '@behalf/directives';
import type { FieldNode, GraphQLError } from 'graphql';
import { withoutStack } from '../client-error.js';
import type { ErrorList } from '../client-error.js';
import type { Executed } from './collect.js';
import { requiresFor, toldCoordinate } from './denials.js';
import { Losses, positionBelow } from './losses.js';
import type { MaxLosses } from './losses.js';
import { pathTo } from './position.js';
import type { Position } from './position.js';

/** The errors for denials: one per path, up to a number per selection. */
export class DenialErrors {
  readonly #pathsOf = new Map<FieldNode, number>();
  readonly #requirementsOf = new Map<FieldNode, Requires>();
  readonly #losses: Losses;
  readonly #executed: Executed;
  readonly #maxPathsPerSelection: number;
  readonly #errors: ErrorList;

  constructor(executed: Executed, errors: ErrorList, max: MaxLosses) {
    this.#executed = executed;
    this.#maxPathsPerSelection = max.maxPathsPerSelection;
    this.#errors = errors;
    this.#losses = new Losses(executed, max);
  }

  report(node: FieldNode, position: Position): void {
    const reported = this.#pathsOf.get(node) ?? 0;
    this.#pathsOf.set(node, reported + 1);
    if (reported < this.#maxPathsPerSelection) this.#errors.add(() => this.#errorOf(node, pathTo(position)));
  }

  /**
   * For a response key of which nothing was executed: at the position that each denied selection would have.
   *
   * @param fields all that were selected under the key
   */
  reportEmptied(fields: readonly FieldNode[], position: Position): void {
    if (this.#errors.isFull) {
      this.#errors.omit(this.#losses.count(fields));
      return;
    }
    const { losses, isCut } = this.#losses.below(fields);
    for (const loss of losses) this.report(loss.node, positionBelow(position, loss));
    if (isCut) this.#errors.omit(Math.max(1, this.#losses.count(fields) - losses.length));
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
    const { analysis, refusedFilters } = this.#executed;
    let requires = this.#requirementsOf.get(node);
    if (requires === undefined) {
      requires = requiresFor(analysis, refusedFilters, node);
      this.#requirementsOf.set(node, requires);
    }
    return withoutStack(denialError(toldCoordinate(analysis, refusedFilters, node), requires, path));
  }
}
