import { isAbstractType, Kind, SchemaMetaFieldDef, TypeMetaFieldDef, TypeNameMetaFieldDef } from 'graphql';
import type {
  FieldNode,
  GraphQLObjectType,
  GraphQLOutputType,
  GraphQLSchema,
  SelectionSetNode,
} from 'graphql';
import type { OperationAnalysis } from './analysis.js';
import type { Conditions } from './conditions.js';
import type { RefusedFilters } from './filter-refusals.js';
import type { Removal } from './removals.js';
import { responseKeyOf } from './response-key.js';

const META_FIELDS = [TypeNameMetaFieldDef, SchemaMetaFieldDef, TypeMetaFieldDef];

/** One selection of a response key. */
export interface Occurrence {
  readonly node: FieldNode;
  /** Its denied ancestor: the selection was then never executed, whatever its own rule. */
  readonly lostTo: FieldNode | undefined;
}

/** Selections of one response key, merged over fragments (GraphQL section 6.3.2 CollectFields). */
export interface CollectedField {
  readonly key: string;
  /** The key under which it was executed. */
  readonly executedKey: string;
  readonly name: string;
  readonly occurrences: readonly Occurrence[];
  readonly executed: readonly FieldNode[];
  readonly denied: FieldNode | undefined;
  readonly lostTo: FieldNode | undefined;
  readonly emptied: readonly FieldNode[];
  readonly type: GraphQLOutputType;
  readonly isTypename: boolean;
  /** For each type of object that was met below: what is selected on it. */
  readonly below: Map<string, readonly CollectedField[]>;
}

/** How the client's operation was executed. */
export interface Executed {
  readonly schema: GraphQLSchema;
  readonly analysis: OperationAnalysis;
  readonly conditions: Conditions;
  /** Fields that were not executed. */
  readonly removals: ReadonlyMap<FieldNode, Removal>;
  readonly executedKeyOf: ReadonlyMap<FieldNode, string>;
  readonly refusedFilters: RefusedFilters;
}

const UNKNOWN_TYPE = '';

/** Collects the client's selections at a position of the response, and the outcome of each. */
export class FieldCollector {
  constructor(readonly executed: Executed) {}

  /** The selections at the root; empty if the schema has no such operation. */
  atRoot(): readonly CollectedField[] {
    const { schema, analysis } = this.executed;
    const { operation } = analysis.client;
    const root = schema.getRootType(operation.operation);
    return root === undefined || root === null
      ? []
      : this.#collect(root, [{ set: operation.selectionSet, lostTo: undefined }]);
  }

  /** @param type undefined if it is unknown which of several it is: then selections on any of them are collected */
  below(field: CollectedField, type: GraphQLObjectType | undefined): readonly CollectedField[] {
    const key = type?.name ?? UNKNOWN_TYPE;
    let fields = field.below.get(key);
    if (fields === undefined) {
      // A selection below a denied one of the same key has no value, but has its position.
      const sets = field.occurrences.flatMap(({ node, lostTo }) =>
        node.selectionSet === undefined
          ? []
          : [{ set: node.selectionSet, lostTo: lostTo ?? (this.isDenied(node) ? node : undefined) }],
      );
      fields = this.#collect(type, sets);
      field.below.set(key, fields);
    }
    return fields;
  }

  isDenied(node: FieldNode): boolean {
    return this.executed.removals.get(node) === 'denied';
  }

  #collect(
    type: GraphQLObjectType | undefined,
    sets: readonly { readonly set: SelectionSetNode; readonly lostTo: FieldNode | undefined }[],
  ): readonly CollectedField[] {
    const grouped = new Map<string, Occurrence[]>();
    // A fragment that is reached both executed and denied counts for both, so each has its own record of visits.
    const visited = new Set<string>();
    const visitedLost = new Set<string>();
    for (const { set, lostTo } of sets) {
      this.#collectInto(grouped, lostTo === undefined ? visited : visitedLost, type, set, lostTo);
    }
    return [...grouped].flatMap(([key, occurrences]) => this.#classify(type, key, occurrences) ?? []);
  }

  #classify(
    type: GraphQLObjectType | undefined,
    key: string,
    occurrences: readonly Occurrence[],
  ): CollectedField | undefined {
    const { removals, executedKeyOf } = this.executed;
    const [one] = occurrences;
    const fieldType = one === undefined ? undefined : this.#fieldType(type, one.node);
    if (one === undefined || fieldType === undefined) return undefined;
    const own = occurrences.filter(({ lostTo }) => lostTo === undefined).map(({ node }) => node);
    const executed = own.filter((node) => !removals.has(node));
    const [first] = executed;
    const name = one.node.name.value;
    return {
      key,
      executedKey: (first === undefined ? undefined : executedKeyOf.get(first)) ?? key,
      name,
      occurrences,
      executed,
      denied: own.find((node) => this.isDenied(node)),
      lostTo: occurrences.find(({ lostTo }) => lostTo !== undefined)?.lostTo,
      emptied: own.filter((node) => removals.get(node) === 'emptied'),
      type: fieldType,
      isTypename: name === TypeNameMetaFieldDef.name,
      below: new Map(),
    };
  }

  #fieldType(type: GraphQLObjectType | undefined, node: FieldNode): GraphQLOutputType | undefined {
    const name = node.name.value;
    const meta = META_FIELDS.find((each) => each.name === name);
    if (meta !== undefined) return meta.type;
    if (type === undefined) {
      const parent = this.executed.analysis.parentOf.get(node);
      return parent !== undefined && 'getFields' in parent ? parent.getFields()[name]?.type : undefined;
    }
    const field = type.getFields()[name];
    if (field === undefined)
      throw new Error(`${type.name}.${name} is not in the schema it was validated against`);
    return field.type;
  }

  /** GraphQL section 6.3.2: each fragment once per set. */
  #collectInto(
    grouped: Map<string, Occurrence[]>,
    visited: Set<string>,
    type: GraphQLObjectType | undefined,
    set: SelectionSetNode,
    lostTo: FieldNode | undefined,
  ): void {
    const { analysis, conditions } = this.executed;
    for (const selection of set.selections) {
      if (conditions.leavesOut(selection)) continue;
      switch (selection.kind) {
        case Kind.FIELD: {
          const key = responseKeyOf(selection);
          const occurrence = { node: selection, lostTo };
          const known = grouped.get(key);
          if (known === undefined) grouped.set(key, [occurrence]);
          else known.push(occurrence);
          break;
        }
        case Kind.INLINE_FRAGMENT:
          if (this.#applies(selection.typeCondition?.name.value, type)) {
            this.#collectInto(grouped, visited, type, selection.selectionSet, lostTo);
          }
          break;
        case Kind.FRAGMENT_SPREAD: {
          const fragment = analysis.fragments.get(selection.name.value);
          if (fragment === undefined || visited.has(fragment.name.value)) break;
          visited.add(fragment.name.value);
          if (this.#applies(fragment.typeCondition.name.value, type)) {
            this.#collectInto(grouped, visited, type, fragment.selectionSet, lostTo);
          }
        }
      }
    }
  }

  #applies(condition: string | undefined, type: GraphQLObjectType | undefined): boolean {
    if (condition === undefined || type === undefined || condition === type.name) return true;
    const { schema } = this.executed;
    const conditionType = schema.getType(condition);
    return isAbstractType(conditionType) && schema.isSubType(conditionType, type);
  }
}
