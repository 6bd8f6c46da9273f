import { isAbstractType, isCompositeType, isInterfaceType, isObjectType, Kind } from 'graphql';
import type {
  FieldNode,
  GraphQLCompositeType,
  GraphQLOutputType,
  GraphQLSchema,
  SelectionSetNode,
} from 'graphql';
import type { SentOperation } from './sent-operation.js';

/** A member that an object of an answer should have, because it was requested. */
export interface ExpectedField {
  readonly key: string;
  readonly name: string;
  /** In the supergraph, which is at most as strict as the subgraph. Undefined if the supergraph has no such field. */
  readonly type: GraphQLOutputType | undefined;
  readonly sets: SelectionSetNode[];
  /** Whether the object must have it. A selection on a type that it may not be of, or under an unknown condition, need not be. */
  isRequired: boolean;
}

export type ExpectedFields = ReadonlyMap<string, ExpectedField>;

export const TYPENAME = '__typename';

/** The type of an object: exactly this one, or one of those that it stands for. */
export interface ObjectType {
  readonly type: GraphQLCompositeType;
  readonly isExact: boolean;
}

/** Finds what a subgraph was asked for on each type, once for each selection and type that an answer contains. */
export class Expectations {
  readonly #known = new WeakMap<readonly SelectionSetNode[], Map<string, ExpectedFields>>();
  readonly #sent: SentOperation;
  readonly #schema: GraphQLSchema;
  readonly #variables: Readonly<Record<string, unknown>>;

  constructor(sent: SentOperation, schema: GraphQLSchema, variables: Readonly<Record<string, unknown>>) {
    this.#sent = sent;
    this.#schema = schema;
    this.#variables = variables;
  }

  of(sets: readonly SelectionSetNode[], on: ObjectType): ExpectedFields {
    const byType = this.#known.get(sets) ?? new Map<string, ExpectedFields>();
    this.#known.set(sets, byType);
    const identity = `${on.type.name} ${on.isExact}`;
    let fields = byType.get(identity);
    if (fields === undefined) {
      fields = this.#collect(sets, on);
      byType.set(identity, fields);
    }
    return fields;
  }

  /** Each fragment once, or twice if it is first found where it need not apply. */
  #collect(sets: readonly SelectionSetNode[], on: ObjectType): ExpectedFields {
    const fields = new Map<string, ExpectedField>();
    const visited = new Set<string>();
    const visit = (set: SelectionSetNode, parent: GraphQLCompositeType, isCertain: boolean): void => {
      for (const selection of set.selections) {
        const condition = this.#sent.conditionOf(selection, this.#variables);
        if (condition === false) continue;
        const isRequired = isCertain && condition === true;
        if (selection.kind === Kind.FIELD) {
          addField(fields, selection, on.isExact ? on.type : parent, isRequired);
          continue;
        }
        const isSpread = selection.kind === Kind.FRAGMENT_SPREAD;
        const fragment = isSpread ? this.#sent.fragment(selection.name.value) : selection;
        if (fragment === undefined) continue;
        if (isSpread) {
          const visit = `${selection.name.value} ${isRequired}`;
          if (visited.has(visit)) continue;
          visited.add(visit);
        }
        const named = fragment.typeCondition?.name.value;
        const applies = named === undefined ? true : this.#applies(named, on);
        if (applies === false) continue;
        const type = named === undefined ? parent : this.#schema.getType(named);
        if (isCompositeType(type)) visit(fragment.selectionSet, type, isRequired && applies === true);
      }
    };
    for (const set of sets) visit(set, on.type, true);
    return fields;
  }

  /** Whether a fragment on this type applies; undefined if it depends on the object. */
  #applies(condition: string, { type, isExact }: ObjectType): boolean | undefined {
    if (condition === type.name) return true;
    const conditionType = this.#schema.getType(condition);
    if (isAbstractType(conditionType) && (isObjectType(type) || isInterfaceType(type))) {
      if (this.#schema.isSubType(conditionType, type)) return true;
    }
    return isExact ? false : undefined;
  }
}

function addField(
  fields: Map<string, ExpectedField>,
  node: FieldNode,
  parent: GraphQLCompositeType,
  isRequired: boolean,
): void {
  const key = (node.alias ?? node.name).value;
  const name = node.name.value;
  const type = 'getFields' in parent ? parent.getFields()[name]?.type : undefined;
  const field = fields.get(key) ?? { key, name, type, sets: [], isRequired };
  if (node.selectionSet !== undefined) field.sets.push(node.selectionSet);
  field.isRequired ||= isRequired;
  fields.set(key, field);
}
