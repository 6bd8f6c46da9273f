import type {
  FilteredMember,
  FilteredMembers,
  FilterGate,
  FilterInputs,
  Requirement,
} from '@behalf/directives/internal';
import { Kind } from 'graphql';
import type { FieldNode, GraphQLField, ValueNode } from 'graphql';

/** A condition of `@filters` that a selection's arguments come under. */
export interface FilterUse {
  readonly gate: FilterGate;
  /** The argument through which it is used. */
  readonly argument: string;
  /** It is used only if this variable has a value; null: it is used. */
  readonly variable: string | null;
}

/** A variable whose value may come under conditions. */
export interface VariableUse {
  readonly variable: string;
  /** Name of the input type where it stands. */
  readonly type: string;
  readonly argument: string;
}

/** The conditions that one selection's arguments come under, as far as the document says. */
export interface FilterUses {
  /** The same for equal ones. */
  readonly key: string;
  readonly uses: readonly FilterUse[];
  readonly variables: readonly VariableUse[];
}

/** Gathers the uses of an operation's selections. */
export class SelectionFilters {
  readonly distinct: FilterUses[] = [];
  /** Index into `distinct`. */
  readonly usesOf = new Map<FieldNode, number>();
  readonly #indices = new Map<string, number>();
  readonly #inputs: FilterInputs;

  constructor(inputs: FilterInputs) {
    this.#inputs = inputs;
  }

  visit(node: FieldNode, typeName: string, field: GraphQLField<unknown, unknown>): void {
    if (node.arguments === undefined || node.arguments.length === 0) return;
    const members = this.#inputs.argumentsOf(typeName, field);
    const uses = members === undefined ? undefined : filterUsesIn(node, members, this.#inputs);
    if (uses === undefined) return;
    let index = this.#indices.get(uses.key);
    if (index === undefined) {
      index = this.distinct.push(uses) - 1;
      this.#indices.set(uses.key, index);
    }
    this.usesOf.set(node, index);
  }

  /** What the arguments can require, whatever the values of the variables are. */
  requirements(): readonly Requirement[] {
    const gates = new Set(this.distinct.flatMap(({ uses }) => uses.map(({ gate }) => gate)));
    const types = new Set(this.distinct.flatMap(({ variables }) => variables.map(({ type }) => type)));
    for (const type of types) for (const gate of this.#inputs.gatesWithin(type)) gates.add(gate);
    return [...gates].map(({ requirement }) => requirement);
  }
}

/**
 * Reads the arguments of one selection, each literal once. Everything that the client writes counts as used, null as well: a
 * resolver may take it for "is null". What they leave out does not, even if the schema sets a default in its place.
 *
 * @returns undefined if nothing in the arguments can come under a condition
 */
function filterUsesIn(
  node: FieldNode,
  members: FilteredMembers,
  inputs: FilterInputs,
): FilterUses | undefined {
  const reader = new LiteralReader(inputs);
  for (const { name, value } of node.arguments ?? []) {
    const member = members.get(name.value);
    if (member !== undefined) reader.readMember(value, member, name.value);
  }
  const { uses, variables } = reader;
  return uses.size === 0 && variables.size === 0
    ? undefined
    : {
        key: [...uses.keys(), '', ...variables.keys()].join('\n'),
        uses: [...uses.values()],
        variables: [...variables.values()],
      };
}

/** The conditions that a literal without variables comes under, such as the default of a variable. */
export function gatesInLiteral(
  value: ValueNode,
  type: string,
  inputs: FilterInputs,
): ReadonlySet<FilterGate> {
  const reader = new LiteralReader(inputs);
  reader.readValue(value, type, '');
  return new Set([...reader.uses.values()].map(({ gate }) => gate));
}

class LiteralReader {
  readonly uses = new Map<string, FilterUse>();
  readonly variables = new Map<string, VariableUse>();
  readonly #inputs: FilterInputs;

  constructor(inputs: FilterInputs) {
    this.#inputs = inputs;
  }

  readMember(value: ValueNode, { gate, inside }: FilteredMember, argument: string): void {
    this.#use(gate, argument, value.kind === Kind.VARIABLE ? value.name.value : null);
    if (inside !== undefined) this.readValue(value, inside, argument);
  }

  /** @param type name of the input type; lists do not matter */
  readValue(value: ValueNode, type: string, argument: string): void {
    const input = this.#inputs.input(type);
    switch (value.kind) {
      case Kind.VARIABLE: {
        const variable = value.name.value;
        this.variables.set(`${argument} ${type} ${variable}`, { variable, type, argument });
        break;
      }
      case Kind.LIST:
        for (const entry of value.values) this.readValue(entry, type, argument);
        break;
      case Kind.OBJECT:
        if (input?.kind !== 'object') break;
        for (const field of value.fields) {
          const member = input.members.get(field.name.value);
          if (member !== undefined) this.readMember(field.value, member, argument);
        }
        break;
      case Kind.ENUM:
        if (input?.kind === 'enum') this.#use(input.byName.get(value.value), argument, null);
        break;
      default:
    }
  }

  #use(gate: FilterGate | undefined, argument: string, variable: string | null): void {
    if (gate === undefined) return;
    this.uses.set(`${argument} ${gate.index} ${variable ?? ''}`, { gate, argument, variable });
  }
}
