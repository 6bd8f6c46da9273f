import type { DocumentNode } from 'graphql';
import { checkSpecifications } from '../specification/check.js';
import { Links } from '../specification/link.js';
import { checkStatistics } from './check-statistics.js';
import { compileFilters } from './compile-filters.js';
import { compileTypes } from './compile-types.js';
import type { FieldRule, TypeRule } from './compile-types.js';
import { FilterTable } from './filter-table.js';
import { isUnrestricted, combine, NO_REQUIREMENT, UNCOVERED } from './requirement.js';
import type { Requirement } from './requirement.js';

/** A type or a field, and its requirement. */
export interface RuleSource {
  readonly at: string;
  readonly requirement: Requirement;
}

export interface RuleTableOptions {
  /** `required`: a field without a rule of its own or an inherited one, and not `@public`, is refused. */
  readonly coverage: 'required' | 'open';
}

/**
 * Every rule of one schema, by coordinate: compiled once, at load, from a subgraph's schema (lowered) or from a supergraph.
 *
 * @throws {DirectiveError} if a rule cannot be compiled; the message has the coordinate
 */
export class RuleTable {
  /** The conditions of arguments, input fields and enum values. */
  readonly filters: FilterTable;
  readonly #types: ReadonlyMap<string, TypeRule>;
  /** Object types by the interfaces that they implement. */
  readonly #implementers = new Map<string, TypeRule[]>();
  readonly #requirements = new Map<string, Requirement>();

  readonly #options: RuleTableOptions;

  constructor(document: DocumentNode, options: RuleTableOptions) {
    this.#options = options;
    const links = new Links(document);
    checkSpecifications(document, links);
    this.#types = compileTypes(document, links);
    checkStatistics(document, this.#types);
    for (const type of this.#types.values()) {
      if (type.kind !== 'object') continue;
      for (const parent of type.related) {
        const known = this.#implementers.get(parent) ?? [];
        known.push(type);
        this.#implementers.set(parent, known);
      }
    }
    this.filters = new FilterTable(compileFilters(document, links), this);
  }

  type(name: string): TypeRule | undefined {
    return this.#types.get(name);
  }

  allTypes(): Iterable<TypeRule> {
    return this.#types.values();
  }

  field(typeName: string, fieldName: string): FieldRule | undefined {
    return this.#types.get(typeName)?.fields.get(fieldName);
  }

  /**
   * The requirement of selecting this field on this type: its own rule, the type's and the return type's; on an interface, also
   * those of every possible implementer.
   *
   * An unknown coordinate is uncovered, hence refused.
   */
  requirementOf(typeName: string, fieldName: string): Requirement {
    const coordinate = `${typeName}.${fieldName}`;
    let requirement = this.#requirements.get(coordinate);
    if (requirement === undefined) {
      requirement = this.#compileRequirement(typeName, fieldName);
      this.#requirements.set(coordinate, requirement);
    }
    return requirement;
  }

  /**
   * Where the parts of {@link requirementOf} are stated: the field, its type, its return type, and for an interface the same of
   * every possible implementer. Places without a requirement are omitted.
   */
  sourcesOf(typeName: string, fieldName: string): readonly RuleSource[] {
    const type = this.#types.get(typeName);
    if (type === undefined) return [{ at: `${typeName}.${fieldName}`, requirement: UNCOVERED }];
    // `__typename` is free: the rules of the field that returned the object were met, and each type of a union or an interface
    // is judged where its fields are selected.
    if (fieldName === '__typename') return [];
    const answers = this.answersOf(typeName, fieldName);
    if (answers.length === 0) return [{ at: `${typeName}.${fieldName}`, requirement: UNCOVERED }];
    const places = new Map<string, Requirement>();
    for (const [answering, field] of answers) {
      for (const { at, requirement } of this.#sourcesOnObject(answering, field)) places.set(at, requirement);
    }
    return [...places].map(([at, requirement]) => ({ at, requirement }));
  }

  /** The rules of a field by each type that can answer it: the type itself, and an interface's implementers. */
  answersOf(typeName: string, fieldName: string): readonly (readonly [TypeRule, FieldRule])[] {
    const type = this.#types.get(typeName);
    if (type === undefined) return [];
    const field = type.fields.get(fieldName);
    if (field === undefined) return [];
    const answers: (readonly [TypeRule, FieldRule])[] = [[type, field]];
    for (const implementer of this.#implementers.get(typeName) ?? []) {
      const answer = implementer.fields.get(fieldName);
      if (answer !== undefined) answers.push([implementer, answer]);
    }
    return answers;
  }

  #compileRequirement(typeName: string, fieldName: string): Requirement {
    return combine(this.sourcesOf(typeName, fieldName).map(({ requirement }) => requirement));
  }

  #sourcesOnObject(type: TypeRule, field: FieldRule): readonly RuleSource[] {
    const returned = this.#types.get(field.returns);
    const stated = [
      { at: type.name, requirement: type.own },
      { at: field.coordinate, requirement: field.own },
      { at: field.returns, requirement: returned?.own ?? NO_REQUIREMENT },
      // Composition copies the implementers' rules to the interface; a subgraph alone, and an older supergraph, must not
      // require less.
      ...(this.#implementers.get(field.returns) ?? []).map(({ name, own }) => ({
        at: name,
        requirement: own,
      })),
    ].filter(({ requirement }) => !isUnrestricted(requirement));
    if (this.#options.coverage === 'open' || stated.length > 0) return stated;
    if (field.isPublic || type.isPublic || returned?.isPublic === true) return stated;
    // An interface answers through its implementers, so it may leave the rule to them.
    if (type.kind === 'interface') return stated;
    return [{ at: field.coordinate, requirement: UNCOVERED }];
  }
}
