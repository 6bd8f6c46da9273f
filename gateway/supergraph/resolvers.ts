import type { RuleTable } from '@behalf/directives/internal';
import type { SelectionSetNode } from 'graphql';
import { fieldsRead, outermostFields, readFieldSet, selectedOn } from './field-set.js';
import type { FieldJoin, JoinedType, JoinMetadata } from './join.js';
import type { PossibleTypes } from './possible-types.js';

/**
 * Which subgraphs the planner can ask for a field, by what composition recorded. In doubt a subgraph counts: one too many must
 * state a rule, one too few would bypass it.
 */
export class Resolvers {
  /** Coordinate → subgraphs that resolve it although it is external there: by `@provides`, or as the key of an extension. */
  readonly #besides = new Map<string, Set<string>>();
  readonly #join: JoinMetadata;
  readonly #rules: RuleTable;
  readonly #possible: PossibleTypes;

  constructor(join: JoinMetadata, rules: RuleTable, possible: PossibleTypes) {
    this.#join = join;
    this.#rules = rules;
    this.#possible = possible;
    for (const type of join.types.values()) {
      for (const { graph, key, isExtension } of type.joins)
        if (key !== undefined && isExtension) this.#add(graph, type.name, key);
      for (const [field, joins] of type.fields) {
        for (const { graph, provides } of joins) {
          const returns = rules.field(type.name, field)?.returns;
          if (graph !== undefined && provides !== undefined && returns !== undefined)
            this.#add(graph, returns, provides);
        }
      }
    }
  }

  /** @returns names of subgraphs */
  ofField(typeName: string, field: string): ReadonlySet<string> {
    const resolvers = new Set<string>();
    for (const type of this.#placesOf(typeName)) {
      for (const graph of this.#graphsOf(type, typeName, field))
        if (this.#resolves(graph, type, field)) resolvers.add(graph);
    }
    return resolvers;
  }

  /** Subgraphs from which an `@override` takes the field. They no longer resolve it, but may have stated its rule. */
  overriddenOf(typeName: string, field: string): ReadonlySet<string> {
    const joins = this.#placesOf(typeName).flatMap((type) => type.fields.get(field) ?? []);
    const overridden = joins.flatMap(({ graph, isOverridden, overrides }) => [
      overrides,
      isOverridden ? graph : undefined,
    ]);
    // A removed subgraph stated nothing of the composition.
    return new Set(this.#join.graphs.filter((graph) => overridden.includes(graph)));
  }

  /**
   * Subgraphs that resolve more of a type than the keys by which they refer to it, each with those fields. Others join by the
   * key; a key that only references carry does not make a reference a row.
   */
  ofType(typeName: string): ReadonlyMap<string, readonly string[]> {
    const resolved = this.#resolvedOn(typeName);
    const keys = new Map([...resolved.keys()].map((graph) => [graph, this.keysOf(typeName, graph)]));
    const beside = (graph: string, but: ReadonlySet<string> | undefined): readonly string[] =>
      (resolved.get(graph) ?? []).filter((field) => but?.has(field) !== true);
    const homes = [...keys].filter(([graph, own]) => beside(graph, own).length > 0);
    const joining = homes.length > 0 ? union(homes.map(([, own]) => own)) : common([...keys.values()]);

    const resolvers = new Map<string, readonly string[]>();
    for (const [graph, own] of keys) {
      // Without a key nothing is a reference: whatever is resolved is a row.
      const references = [...own].filter(
        (field) => joining.has(field) && !this.#givesMoreThanKey(typeName, graph, field),
      );
      const rows = beside(graph, new Set(references));
      if (rows.length > 0) resolvers.set(graph, rows);
    }
    return resolvers;
  }

  #resolvedOn(typeName: string): ReadonlyMap<string, readonly string[]> {
    const resolved = new Map<string, string[]>();
    for (const field of this.#join.types.get(typeName)?.fields.keys() ?? []) {
      for (const graph of this.ofField(typeName, field)) {
        const known = resolved.get(graph) ?? [];
        known.push(field);
        resolved.set(graph, known);
      }
    }
    return resolved;
  }

  /** Outermost fields of a subgraph's keys of a type. */
  keysOf(typeName: string, graph: string): ReadonlySet<string> {
    return new Set(this.#keySetsOf(typeName, graph).keys());
  }

  /** Key field → the key's selections on it. */
  #keySetsOf(typeName: string, graph: string): ReadonlyMap<string, readonly SelectionSetNode[]> {
    const keys = this.#placesOf(typeName).flatMap(({ joins }) =>
      joins.flatMap((each) => (each.graph === graph && each.key !== undefined ? [each.key] : [])),
    );
    return selectedOn(keys.map(readFieldSet));
  }

  /** Whether a subgraph resolves more below a field of its keys than the keys select there: that belongs to the row. */
  #givesMoreThanKey(typeName: string, graph: string, field: string): boolean {
    const sets = this.#keySetsOf(typeName, graph).get(field) ?? [];
    return this.#givesMore(this.#rules.field(typeName, field)?.returns, graph, sets);
  }

  #givesMore(returns: string | undefined, graph: string, sets: readonly SelectionSetNode[]): boolean {
    const selected = selectedOn(sets);
    return this.#possible.of(returns ?? '').some((name) =>
      (this.#resolvedOn(name).get(graph) ?? []).some((field) => {
        const below = selected.get(field);
        return below === undefined || this.#givesMore(this.#rules.field(name, field)?.returns, graph, below);
      }),
    );
  }

  /** Whether a subgraph gets one field of an object whenever it resolves another one. */
  isGivenFor(typeName: string, graph: string, given: string, field: string): boolean {
    const joins = this.#placesOf(typeName)
      .flatMap((type) => type.fields.get(field) ?? [])
      .filter((each) => each.graph === graph);
    return (
      joins.length > 0 &&
      joins.every(({ requires }) => requires !== undefined && outermostFields(requires).has(given))
    );
  }

  /** The type itself, and the interfaces that a subgraph may have an object of in its place (`@interfaceObject`). */
  #placesOf(typeName: string): readonly JoinedType[] {
    const type = this.#join.types.get(typeName);
    return [typeName, ...(type?.interfaces ?? [])].flatMap((name) => this.#join.types.get(name) ?? []);
  }

  #graphsOf(place: JoinedType, typeName: string, field: string): ReadonlySet<string> {
    if (place.name !== typeName)
      return new Set(
        place.joins.flatMap(({ graph, isInterfaceObject }) => (isInterfaceObject ? [graph] : [])),
      );
    // Every current composition records a type's subgraphs.
    if (place.joins.length === 0) return new Set(this.#join.graphs);
    const ofField = (place.fields.get(field) ?? []).flatMap(({ graph }) => graph ?? []);
    return new Set([...place.joins.map(({ graph }) => graph), ...ofField]);
  }

  #resolves(graph: string, type: JoinedType, field: string): boolean {
    const joins = type.fields.get(field);
    if (joins === undefined) return false;
    if (this.#besides.get(`${type.name}.${field}`)?.has(graph) === true) return true;
    // Composition records nothing if every subgraph with the type has the field.
    if (joins.length === 0) return true;
    return joins.some((each) => each.graph === graph && isResolved(each));
  }

  #add(graph: string, type: string, fieldSet: string): void {
    for (const read of fieldsRead(type, readFieldSet(fieldSet), this.#rules)) {
      for (const name of new Set([read.type, ...this.#possible.of(read.type)])) {
        const coordinate = `${name}.${read.field}`;
        const known = this.#besides.get(coordinate) ?? new Set<string>();
        known.add(graph);
        this.#besides.set(coordinate, known);
      }
    }
  }
}

function isResolved({ isExternal, isOverridden }: FieldJoin): boolean {
  return !isExternal && !isOverridden;
}

function union(sets: readonly ReadonlySet<string>[]): ReadonlySet<string> {
  return new Set(sets.flatMap((set) => [...set]));
}

function common(sets: readonly ReadonlySet<string>[]): ReadonlySet<string> {
  const [first, ...others] = sets;
  return new Set([...(first ?? [])].filter((entry) => others.every((set) => set.has(entry))));
}
