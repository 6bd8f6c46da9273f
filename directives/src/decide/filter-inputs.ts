import { coerceInputValue, getNamedType, isEnumType, isInputObjectType, valueFromASTUntyped } from 'graphql';
import type {
  GraphQLArgument,
  GraphQLEnumType,
  GraphQLInputField,
  GraphQLInputType,
  GraphQLSchema,
  ValueNode,
} from 'graphql';
import type { FilterGate } from './filter-gate.js';
import type { FilterTable } from './filter-table.js';

/** An argument, or a field of an input object, through which a caller can reach a condition. */
export interface FilteredMember {
  /** The condition for using it. */
  readonly gate: FilterGate | undefined;
  /** Name of its type, if that one leads to conditions. */
  readonly inside: string | undefined;
  /** As the schema sets it in the caller's place, in the form for resolvers; undefined for none. */
  readonly fallback: unknown;
}

/** By name; only those that lead to a condition. */
export type FilteredMembers = ReadonlyMap<string, FilteredMember>;

/** An input object or enum through which a caller can reach a condition. */
export type FilteredInput =
  | { readonly kind: 'object'; readonly members: FilteredMembers }
  | {
      readonly kind: 'enum';
      readonly byName: ReadonlyMap<string, FilterGate>;
      /** By the values that resolvers get, of which two names can have the same. */
      readonly byValue: ReadonlyMap<unknown, readonly FilterGate[]>;
    };

/** The part of a schema's input that leads to conditions of `@filters`. Compiled once; what leads to none costs nothing. */
export class FilterInputs {
  readonly #inputs: ReadonlyMap<string, FilteredInput>;
  readonly #table: FilterTable;
  readonly #arguments = new Map<string, FilteredMembers | undefined>();

  constructor(schema: GraphQLSchema, table: FilterTable) {
    this.#table = table;
    const reaching = reachingTypes(schema, table);
    const inputs = new Map<string, FilteredInput>();
    for (const name of reaching) {
      const type = schema.getType(name);
      if (isEnumType(type)) inputs.set(name, this.#enum(type));
      else if (isInputObjectType(type))
        inputs.set(name, {
          kind: 'object',
          members: this.#members(Object.values(type.getFields()), (field) => `${name}.${field}`, reaching),
        });
    }
    this.#inputs = inputs;
  }

  /** @returns undefined for a type that leads to no condition */
  input(typeName: string): FilteredInput | undefined {
    return this.#inputs.get(typeName);
  }

  /** Every condition that a value of the type can come under. */
  gatesWithin(typeName: string): ReadonlySet<FilterGate> {
    const gates = new Set<FilterGate>();
    const seen = new Set<string>();
    const pending = [typeName];
    for (let name = pending.pop(); name !== undefined; name = pending.pop()) {
      const input = this.#inputs.get(name);
      if (input === undefined || seen.has(name)) continue;
      seen.add(name);
      if (input.kind === 'enum') for (const gate of input.byName.values()) gates.add(gate);
      else
        for (const { gate, inside } of input.members.values()) {
          if (gate !== undefined) gates.add(gate);
          if (inside !== undefined) pending.push(inside);
        }
    }
    return gates;
  }

  /** The arguments of a field. @returns undefined if none leads to a condition */
  argumentsOf(
    typeName: string,
    { name: field, args }: { readonly name: string; readonly args: readonly GraphQLArgument[] },
  ): FilteredMembers | undefined {
    if (this.#table.gates.length === 0) return undefined;
    const coordinate = `${typeName}.${field}`;
    if (!this.#arguments.has(coordinate)) {
      const members = this.#members(args, (name) => `${coordinate}(${name}:)`, this.#inputs);
      this.#arguments.set(coordinate, members.size === 0 ? undefined : members);
    }
    return this.#arguments.get(coordinate);
  }

  #members(
    given: readonly (GraphQLArgument | GraphQLInputField)[],
    coordinateOf: (name: string) => string,
    reaching: { has(name: string): boolean },
  ): FilteredMembers {
    const members = new Map<string, FilteredMember>();
    for (const element of given) {
      const gate = this.#table.gateAt(coordinateOf(element.name));
      const { name } = getNamedType(element.type);
      const inside = reaching.has(name) ? name : undefined;
      if (gate === undefined && inside === undefined) continue;
      members.set(element.name, { gate, inside, fallback: fallbackOf(element) });
    }
    return members;
  }

  #enum(type: GraphQLEnumType): FilteredInput {
    const byName = new Map<string, FilterGate>();
    const byValue = new Map<unknown, FilterGate[]>();
    for (const { name, value } of type.getValues()) {
      const gate = this.#table.gateAt(`${type.name}.${name}`);
      if (gate === undefined) continue;
      byName.set(name, gate);
      byValue.set(value, [...(byValue.get(value) ?? []), gate]);
    }
    return { kind: 'enum', byName, byValue };
  }
}

/** graphql 17 has the default as it is written. */
interface WrittenDefault {
  readonly default?: { readonly value?: unknown; readonly literal?: ValueNode };
}

/** The default as graphql-js gives it to resolvers. */
function fallbackOf(element: (GraphQLArgument | GraphQLInputField) & WrittenDefault): unknown {
  const { default: written, defaultValue, type } = element;
  if (written === undefined) return defaultValue;
  const { literal, value } = written;
  // `valueFromAST` of graphql 17 does not know the defaults inside of a default.
  return readDefault(literal === undefined ? value : valueFromASTUntyped(literal), type);
}

/** An invalid default stands in nobody's place: graphql-js reports it. */
function readDefault(value: unknown, type: GraphQLInputType): unknown {
  try {
    return coerceInputValue(value, type);
  } catch {
    return undefined;
  }
}

/** Names of the input types that have a condition, and of those that contain one of them. */
function reachingTypes(schema: GraphQLSchema, { gates }: FilterTable): ReadonlySet<string> {
  const containers = new Map<string, string[]>();
  for (const type of Object.values(schema.getTypeMap())) {
    if (!isInputObjectType(type)) continue;
    for (const field of Object.values(type.getFields())) {
      const { name } = getNamedType(field.type);
      const known = containers.get(name);
      if (known === undefined) containers.set(name, [type.name]);
      else known.push(type.name);
    }
  }
  const reaching = new Set<string>();
  // The owner of an argument is an output type, which no input contains.
  const pending = gates.map(({ at }) => at.slice(0, at.indexOf('.')));
  for (let name = pending.pop(); name !== undefined; name = pending.pop()) {
    if (reaching.has(name)) continue;
    reaching.add(name);
    pending.push(...(containers.get(name) ?? []));
  }
  return reaching;
}
