import type { RuleTable } from '@behalf/directives/internal';
import type { SelectionSetNode } from 'graphql';
import { fieldsRead, outermostFields, readFieldSet, selectedOn } from './field-set.js';
import type { FieldJoin, JoinedType, JoinMetadata } from './join.js';
import type { PossibleTypes } from './possible-types.js';

/**
 * Which subgraphs the planner can ask for a field. It is read from what composition wrote down, and where that leaves room,
 * a subgraph counts: one too many must state a rule, one too few would bypass it.
 */
export class Resolvers {
  /** Coordinate → subgraphs that resolve it although it is external there: by `@provides`, or as the key of an extension. */
  private readonly besides = new Map<string, Set<string>>();

  constructor(
    private readonly join: JoinMetadata,
    private readonly rules: RuleTable,
    private readonly possible: PossibleTypes,
  ) {
    for (const type of join.types.values()) {
      for (const { graph, key, isExtension } of type.joins)
        if (key !== undefined && isExtension) this.add(graph, type.name, key);
      for (const [field, joins] of type.fields) {
        for (const { graph, provides } of joins) {
          const returns = rules.field(type.name, field)?.returns;
          if (graph !== undefined && provides !== undefined && returns !== undefined)
            this.add(graph, returns, provides);
        }
      }
    }
  }

  /** @returns names of subgraphs */
  ofField(typeName: string, field: string): ReadonlySet<string> {
    const resolvers = new Set<string>();
    for (const type of this.placesOf(typeName)) {
      for (const graph of this.graphsOf(type, typeName, field))
        if (this.resolves(graph, type, field)) resolvers.add(graph);
    }
    return resolvers;
  }

  /** Subgraphs that an `@override` takes the field from. They resolve it no more, but may be who stated its rule. */
  overriddenOf(typeName: string, field: string): ReadonlySet<string> {
    const joins = this.placesOf(typeName).flatMap((type) => type.fields.get(field) ?? []);
    const overridden = joins.flatMap(({ graph, isOverridden, overrides }) => [
      overrides,
      isOverridden ? graph : undefined,
    ]);
    // One that is there no more stated nothing of what was composed.
    return new Set(this.join.graphs.filter((graph) => overridden.includes(graph)));
  }

  /**
   * Subgraphs that resolve more of a type than the keys by which they refer to it, each with the fields that it resolves
   * beside them. A key is what the others join by: one that only references have makes no reference of a row.
   */
  ofType(typeName: string): ReadonlyMap<string, readonly string[]> {
    const resolved = this.resolvedOn(typeName);
    const keys = new Map([...resolved.keys()].map((graph) => [graph, this.keysOf(typeName, graph)]));
    const beside = (graph: string, but: ReadonlySet<string> | undefined): readonly string[] =>
      (resolved.get(graph) ?? []).filter((field) => but?.has(field) !== true);
    const homes = [...keys].filter(([graph, own]) => beside(graph, own).length > 0);
    const joining = homes.length > 0 ? union(homes.map(([, own]) => own)) : common([...keys.values()]);

    const resolvers = new Map<string, readonly string[]>();
    for (const [graph, own] of keys) {
      // Without a key nothing is a reference: whatever is resolved is a row.
      const references = [...own].filter(
        (field) => joining.has(field) && !this.givesMoreThanKey(typeName, graph, field),
      );
      const rows = beside(graph, new Set(references));
      if (rows.length > 0) resolvers.set(graph, rows);
    }
    return resolvers;
  }

  private resolvedOn(typeName: string): ReadonlyMap<string, readonly string[]> {
    const resolved = new Map<string, string[]>();
    for (const field of this.join.types.get(typeName)?.fields.keys() ?? []) {
      for (const graph of this.ofField(typeName, field)) {
        const known = resolved.get(graph) ?? [];
        known.push(field);
        resolved.set(graph, known);
      }
    }
    return resolved;
  }

  /** Outermost fields of the keys by which a subgraph has a type. */
  keysOf(typeName: string, graph: string): ReadonlySet<string> {
    return new Set(this.keySetsOf(typeName, graph).keys());
  }

  /** Field of a key → what the keys select on it. */
  private keySetsOf(typeName: string, graph: string): ReadonlyMap<string, readonly SelectionSetNode[]> {
    const keys = this.placesOf(typeName).flatMap(({ joins }) =>
      joins.flatMap((each) => (each.graph === graph && each.key !== undefined ? [each.key] : [])),
    );
    return selectedOn(keys.map(readFieldSet));
  }

  /** Whether a subgraph resolves more below a field of its keys than the keys select there: that is of the row. */
  private givesMoreThanKey(typeName: string, graph: string, field: string): boolean {
    const sets = this.keySetsOf(typeName, graph).get(field) ?? [];
    return this.givesMore(this.rules.field(typeName, field)?.returns, graph, sets);
  }

  private givesMore(returns: string | undefined, graph: string, sets: readonly SelectionSetNode[]): boolean {
    const selected = selectedOn(sets);
    return this.possible.of(returns ?? '').some((name) =>
      (this.resolvedOn(name).get(graph) ?? []).some((field) => {
        const below = selected.get(field);
        return below === undefined || this.givesMore(this.rules.field(name, field)?.returns, graph, below);
      }),
    );
  }

  /** Whether a subgraph is given one field of an object whenever it resolves another one. */
  isGivenFor(typeName: string, graph: string, given: string, field: string): boolean {
    const joins = this.placesOf(typeName)
      .flatMap((type) => type.fields.get(field) ?? [])
      .filter((each) => each.graph === graph);
    return (
      joins.length > 0 &&
      joins.every(({ requires }) => requires !== undefined && outermostFields(requires).has(given))
    );
  }

  /** The type itself, and the interfaces of which a subgraph may have an object in its place (`@interfaceObject`). */
  private placesOf(typeName: string): readonly JoinedType[] {
    const type = this.join.types.get(typeName);
    return [typeName, ...(type?.interfaces ?? [])].flatMap((name) => this.join.types.get(name) ?? []);
  }

  private graphsOf(place: JoinedType, typeName: string, field: string): ReadonlySet<string> {
    if (place.name !== typeName)
      return new Set(
        place.joins.flatMap(({ graph, isInterfaceObject }) => (isInterfaceObject ? [graph] : [])),
      );
    // No current composition leaves a type without its subgraphs.
    if (place.joins.length === 0) return new Set(this.join.graphs);
    const ofField = (place.fields.get(field) ?? []).flatMap(({ graph }) => graph ?? []);
    return new Set([...place.joins.map(({ graph }) => graph), ...ofField]);
  }

  private resolves(graph: string, type: JoinedType, field: string): boolean {
    const joins = type.fields.get(field);
    if (joins === undefined) return false;
    if (this.besides.get(`${type.name}.${field}`)?.has(graph) === true) return true;
    // Composition says nothing where every subgraph that has the type has the field.
    if (joins.length === 0) return true;
    return joins.some((each) => each.graph === graph && isResolved(each));
  }

  private add(graph: string, type: string, fieldSet: string): void {
    for (const read of fieldsRead(type, readFieldSet(fieldSet), this.rules)) {
      for (const name of new Set([read.type, ...this.possible.of(read.type)])) {
        const coordinate = `${name}.${read.field}`;
        const known = this.besides.get(coordinate) ?? new Set<string>();
        known.add(graph);
        this.besides.set(coordinate, known);
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
