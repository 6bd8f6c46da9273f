import type { RuleTable } from '@behalf/directives/internal';

/** The possible object types of a type's values. */
export class PossibleTypes {
  readonly #implementers = new Map<string, string[]>();
  readonly #rules: RuleTable;

  constructor(rules: RuleTable) {
    this.#rules = rules;
    for (const type of rules.allTypes()) {
      if (type.kind !== 'object') continue;
      for (const parent of type.related) {
        const known = this.#implementers.get(parent) ?? [];
        known.push(type.name);
        this.#implementers.set(parent, known);
      }
    }
  }

  of(name: string): readonly string[] {
    const type = this.#rules.type(name);
    if (type?.kind === 'object') return [name];
    if (type?.kind === 'union') return type.related;
    return this.#implementers.get(name) ?? [];
  }
}
