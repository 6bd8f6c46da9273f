import { plainKeyFields } from '@behalf/directives/internal';
import type { Minimization, RuleTable } from '@behalf/directives/internal';
import { fieldsRead, readFieldSet } from './field-set.js';
import type { JoinMetadata } from './join.js';

/** A type of one subgraph that has minimized fields. */
export interface MinimizedType {
  readonly name: string;
  /** The minimized fields that the subgraph can resolve. */
  readonly fields: ReadonlyMap<string, Minimization>;
  /** The first `@key` in this subgraph whose fields are all plain values; empty without one. */
  readonly key: readonly string[];
  readonly owner: MinimizedOwner | undefined;
  /** The interfaces that it implements in this subgraph. */
  readonly interfaces: ReadonlySet<string>;
}

/** Whose the rows of a type are (`@subject`). */
interface MinimizedOwner {
  /** The field with their name; undefined if the subgraph has none of that name. */
  readonly field: string | undefined;
}

/**
 * The minimized fields of a subgraph, by type.
 *
 * @param coordinates that the subgraph can resolve
 */
export function minimizedTypes(
  subgraph: string,
  coordinates: ReadonlyMap<string, unknown>,
  join: JoinMetadata,
  rules: RuleTable,
): ReadonlyMap<string, MinimizedType> {
  const types = new Map<string, MinimizedType>();
  for (const { name, fields, joins, implementations } of join.types.values()) {
    const minimized = new Map<string, Minimization>();
    for (const field of fields.keys()) {
      const minimization = rules.field(name, field)?.minimization;
      if (minimization !== undefined && coordinates.has(`${name}.${field}`))
        minimized.set(field, minimization);
    }
    if (minimized.size === 0) continue;
    const property = rules.type(name)?.subject?.property;
    const isField = property !== undefined && coordinates.has(`${name}.${property}`);
    types.set(name, {
      name,
      fields: minimized,
      key:
        joins
          .flatMap(({ graph, key }) => (graph === subgraph && key !== undefined ? [plainKeyFields(key)] : []))
          .find((names) => names.length > 0) ?? [],
      owner: property === undefined ? undefined : { field: isField ? property : undefined },
      interfaces: new Set(
        implementations.flatMap((each) => (each.graph === subgraph ? [each.interface] : [])),
      ),
    });
  }
  return types;
}

/** Coordinates by which subgraphs join the objects of a type that several of them have. */
export function joiningCoordinates(join: JoinMetadata, rules: RuleTable): ReadonlySet<string> {
  const coordinates = new Set<string>();
  for (const { name, joins } of join.types.values()) {
    if (new Set(joins.map(({ graph }) => graph)).size < 2) continue;
    for (const { key } of joins) {
      if (key === undefined) continue;
      for (const { type, field } of fieldsRead(name, readFieldSet(key), rules))
        coordinates.add(`${type}.${field}`);
    }
  }
  return coordinates;
}
