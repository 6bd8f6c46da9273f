import { getNamedType, isInputObjectType, Kind } from 'graphql';
import type { FieldNode, GraphQLField, GraphQLInputType, OperationDefinitionNode, ValueNode } from 'graphql';
import { add } from './count.js';
import type { StatedCosts } from './field-costs.js';

/** Cost of each input object, as in Apollo Router. Other values cost nothing unless `@cost` says so. */
const INPUT_OBJECT_WEIGHT = 1;

/** The cost of one operation's arguments, and the list sizes that they give. */
export class ArgumentCosts {
  /** Other variables may change the cost. */
  dependsOnVariables = false;
  readonly #defaults: ReadonlyMap<string, ValueNode | undefined>;
  readonly #stated: StatedCosts;
  readonly #variables: Readonly<Record<string, unknown>>;

  constructor(
    stated: StatedCosts,
    operation: OperationDefinitionNode,
    variables: Readonly<Record<string, unknown>>,
  ) {
    this.#stated = stated;
    this.#variables = variables;
    this.#defaults = new Map(
      operation.variableDefinitions?.map(({ variable, defaultValue }) => [variable.name.value, defaultValue]),
    );
  }

  /** All arguments of a field. An omitted one costs nothing, whatever its default. */
  costOf(node: FieldNode, field: GraphQLField<unknown, unknown>, coordinate: string): number {
    let cost = 0;
    for (const { name, value } of node.arguments ?? []) {
      const argument = field.args.find((each) => each.name === name.value);
      if (argument === undefined) continue;
      const weight = this.#stated.weights.get(`${coordinate}(${name.value}:)`);
      cost = add(cost, this.#costOfValue(this.#plain(value), argument.type, weight));
    }
    return cost;
  }

  /** The size given by a slicing argument or its default; undefined if there is none. */
  slice(node: FieldNode, field: GraphQLField<unknown, unknown>, name: string): number | undefined {
    const given = node.arguments?.find((each) => each.name.value === name);
    const passed = given === undefined ? undefined : this.#plain(given.value);
    const value: unknown =
      passed === undefined ? field.args.find((each) => each.name === name)?.defaultValue : passed;
    return typeof value === 'number' ? Math.max(0, value) : undefined;
  }

  #costOfValue(value: unknown, type: GraphQLInputType, weight: number | undefined): number {
    if (value === undefined || value === null) return 0;
    if (Array.isArray(value)) {
      return value.reduce<number>((sum, each) => add(sum, this.#costOfValue(each, type, weight)), 0);
    }
    const named = getNamedType(type);
    if (!isInputObjectType(named)) return weight ?? this.#stated.weights.get(named.name) ?? 0;
    let cost = weight ?? INPUT_OBJECT_WEIGHT;
    if (typeof value !== 'object') return cost;
    const fields = named.getFields();
    for (const [member, memberValue] of Object.entries(value)) {
      const field = Object.hasOwn(fields, member) ? fields[member] : undefined;
      if (field === undefined) continue;
      const ofField = this.#stated.weights.get(`${named.name}.${member}`);
      cost = add(cost, this.#costOfValue(memberValue, field.type, ofField));
    }
    return cost;
  }

  /** A value of the document as plain JSON, with variables filled in. Undefined for a variable without a value. */
  #plain(node: ValueNode): unknown {
    switch (node.kind) {
      case Kind.VARIABLE: {
        this.dependsOnVariables = true;
        const name = node.name.value;
        if (Object.hasOwn(this.#variables, name)) return this.#variables[name];
        const otherwise = this.#defaults.get(name);
        return otherwise === undefined ? undefined : this.#plain(otherwise);
      }
      case Kind.LIST:
        return node.values.map((each) => this.#plain(each));
      case Kind.OBJECT:
        return Object.fromEntries(node.fields.map((field) => [field.name.value, this.#plain(field.value)]));
      case Kind.INT:
      case Kind.FLOAT:
        return Number(node.value);
      case Kind.NULL:
        return null;
      default:
        return node.value;
    }
  }
}
