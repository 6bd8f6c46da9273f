import { DirectiveError } from '../errors.js';
import { nearest } from '../nearest.js';
import type { FilteredField } from '../specification/filters.js';
import type { StatedFilters } from './compile-filters.js';
import type { FieldRule, TypeRule } from './compile-types.js';
import { filterGate } from './filter-gate.js';
import type { FilterGate } from './filter-gate.js';
import { NO_REQUIREMENT } from './requirement.js';
import type { Requirement } from './requirement.js';

/** The rules that the fields named by `@filters` are under. */
export interface FilteredRules {
  type(name: string): TypeRule | undefined;
  allTypes(): Iterable<TypeRule>;
  requirementOf(typeName: string, fieldName: string): Requirement;
  answersOf(typeName: string, fieldName: string): readonly (readonly [TypeRule, FieldRule])[];
}

/** The conditions of all arguments, input fields and enum values with `@filters`, by coordinate. */
export class FilterTable {
  readonly gates: readonly FilterGate[];
  readonly #byCoordinate: ReadonlyMap<string, FilterGate>;
  readonly #fields: ReadonlyMap<string, ReadonlyMap<string, FilteredField>>;
  readonly #rules: FilteredRules;

  /**
   * @param stated as the schema writes it
   * @throws {DirectiveError} `INVALID_RULE` for a field that the schema does not have
   */
  constructor(
    readonly stated: ReadonlyMap<string, StatedFilters>,
    rules: FilteredRules,
  ) {
    for (const { coordinate, fields } of stated.values())
      for (const named of fields) refuseUnknown(named, coordinate, rules);
    this.#rules = rules;
    this.#fields = withInterfaces(stated, rules);
    const gates: FilterGate[] = [];
    for (const [at, fields] of this.#fields) {
      const gate = gateOf(
        { index: gates.length, at, fields: [...fields.keys()] },
        [...fields.values()],
        rules,
      );
      if (gate !== undefined) gates.push(gate);
    }
    this.gates = gates;
    this.#byCoordinate = new Map(gates.map((gate) => [gate.at, gate]));
  }

  /** @param coordinate `Type.field(argument:)`, `Input.field` or `Enum.VALUE` */
  gateAt(coordinate: string): FilterGate | undefined {
    return this.#byCoordinate.get(coordinate);
  }

  /** The coordinates of all arguments, input fields and enum values that filter by a field. */
  get coordinates(): Iterable<string> {
    return this.#fields.keys();
  }

  /** What the argument, input field or enum value filters by: by its own directives, and those of interfaces and implementers. */
  fieldsAt(coordinate: string): readonly FilteredField[] {
    return [...(this.#fields.get(coordinate)?.values() ?? [])];
  }

  /** What an argument that filters by these fields requires. The scopes of `unless` are among it, since the values must be whole. */
  requirementFor(fields: readonly FilteredField[]): Requirement {
    return gateOf({ index: -1, at: '', fields: [] }, fields, this.#rules)?.requirement ?? NO_REQUIREMENT;
  }
}

function gateOf(
  place: Pick<FilterGate, 'index' | 'at' | 'fields'>,
  fields: readonly FilteredField[],
  rules: FilteredRules,
): FilterGate | undefined {
  return filterGate(
    place,
    fields.map(({ type, field }) => rules.requirementOf(type, field)),
    fields.flatMap(({ type, field }) => rules.answersOf(type, field).map(([, rule]) => rule)),
  );
}

/** Coordinate of a place → the fields that it filters by, by their coordinates. */
type Effective = Map<string, Map<string, FilteredField>>;

/**
 * An object's argument is also under what the same argument of its interfaces states, and an interface's argument under what
 * every implementer states: a selection on the one is answered by the other.
 */
function withInterfaces(
  stated: ReadonlyMap<string, StatedFilters>,
  rules: FilteredRules,
): ReadonlyMap<string, ReadonlyMap<string, FilteredField>> {
  const effective: Effective = new Map();
  const add = (coordinate: string, fields: readonly FilteredField[]): void => {
    const known = effective.get(coordinate) ?? new Map<string, FilteredField>();
    effective.set(coordinate, known);
    for (const named of fields) known.set(`${named.type}.${named.field}`, named);
  };
  if (stated.size === 0) return effective;
  const relatives = relativesOf(rules);
  for (const { coordinate, takenBy, name, fields } of stated.values()) {
    add(coordinate, fields);
    if (takenBy === undefined) continue;
    for (const relative of relatives(takenBy.type)) {
      if (relative.fields.has(takenBy.field)) add(`${relative.name}.${takenBy.field}(${name}:)`, fields);
    }
  }
  return effective;
}

/** The types that can answer a selection on a type, and those on which it can be selected as well. */
function relativesOf(rules: FilteredRules): (typeName: string) => Iterable<TypeRule> {
  const implementers = new Map<string, TypeRule[]>();
  for (const type of rules.allTypes()) {
    // Its members do not answer for each other.
    if (type.kind === 'union') continue;
    for (const parent of type.related) {
      const known = implementers.get(parent);
      if (known === undefined) implementers.set(parent, [type]);
      else known.push(type);
    }
  }
  const interfacesOf = (type: TypeRule | undefined): readonly TypeRule[] =>
    type?.related.flatMap((name) => rules.type(name) ?? []) ?? [];
  return (typeName) => {
    const below = implementers.get(typeName) ?? [];
    // What an interface states reaches its implementers, and through them their other interfaces.
    return new Set([...below, ...interfacesOf(rules.type(typeName)), ...below.flatMap(interfacesOf)]);
  };
}

/** @throws {DirectiveError} `INVALID_RULE` */
function refuseUnknown({ type, field }: FilteredField, coordinate: string, rules: FilteredRules): void {
  const owner = rules.type(type);
  const named = `@filters names ${type}.${field}`;
  if (owner === undefined || (owner.kind !== 'object' && owner.kind !== 'interface')) {
    const meant = nearest(
      type,
      [...rules.allTypes()].filter(({ kind }) => kind === 'object').map(({ name }) => name),
    );
    throw new DirectiveError(
      'INVALID_RULE',
      `${named}, and this schema has no such type${suggestion(meant)}. The rules of the field decide, so it must be in this schema with them, if need be as a @shareable one`,
      coordinate,
    );
  }
  if (owner.fields.has(field)) return;
  throw new DirectiveError(
    'INVALID_RULE',
    `${named}, and this schema's ${type} has no such field${suggestion(nearest(field, [...owner.fields.keys()]))}`,
    coordinate,
  );
}

function suggestion(meant: string | undefined): string {
  return meant === undefined ? '' : `; did you mean ${meant}?`;
}
