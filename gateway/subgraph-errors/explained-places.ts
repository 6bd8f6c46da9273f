import type { SubgraphError } from './subgraph-error.js';

/** The positions of an answer's errors, as a tree of keys and indices. */
export class ExplainedPlaces {
  /** An error concerns this position, and so everything below it. */
  #isHere = false;
  readonly #below = new Map<string | number, ExplainedPlaces>();

  /** Errors of the whole fetch, or too many to read, explain everything. */
  static of(errors: readonly SubgraphError[]): ExplainedPlaces {
    const root = new ExplainedPlaces();
    for (const { details, further } of errors) {
      const { entity, steps } = details;
      if (steps === undefined || further > 0) root.#isHere = true;
      else root.#add([...(entity === undefined ? [] : [entity]), ...steps.map(({ key }) => key)]);
    }
    return root;
  }

  /** One step further; undefined if no error is there, or above or below it. */
  at(key: string | number): ExplainedPlaces | undefined {
    return this.#isHere ? this : this.#below.get(key);
  }

  #add(keys: readonly (string | number)[], index = 0): void {
    const key = keys[index];
    if (key === undefined) {
      this.#isHere = true;
      return;
    }
    const next = this.#below.get(key) ?? new ExplainedPlaces();
    this.#below.set(key, next);
    next.#add(keys, index + 1);
  }
}
