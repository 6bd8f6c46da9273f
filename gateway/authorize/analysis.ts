import { isUnrestricted, Interned } from '@behalf/directives/internal';
import type { FilterInputs, Requirement, RuleTable } from '@behalf/directives/internal';
import { getNamedType, isAbstractType, isCompositeType, isIntrospectionType, Kind } from 'graphql';
import type {
  ConstValueNode,
  FieldNode,
  FragmentDefinitionNode,
  GraphQLCompositeType,
  GraphQLSchema,
  OperationDefinitionNode,
  SelectionNode,
  SelectionSetNode,
} from 'graphql';
import { fragmentsOf, reachableFrom } from '../fragments.js';
import { SelectionFilters } from './filter-uses.js';
import type { FilterUses } from './filter-uses.js';
import { responseKeyOf } from './response-key.js';
import type { ClientOperation } from './types.js';

/** An operation's analysis, independent of any caller. */
export interface OperationAnalysis {
  readonly client: ClientOperation;
  readonly fragments: ReadonlyMap<string, FragmentDefinitionNode>;
  /** The distinct requirements of its selections. A decision is a vector over these. */
  readonly requirements: readonly Requirement[];
  /** Fields with a requirement: index into `requirements`. */
  readonly requirementOf: ReadonlyMap<FieldNode, number>;
  /** The distinct uses of arguments that `@filters` puts under rules. A decision has an outcome for each. */
  readonly filterUses: readonly FilterUses[];
  /** Fields with such arguments: index into `filterUses`. */
  readonly filterUsesOf: ReadonlyMap<FieldNode, number>;
  readonly filterInputs: FilterInputs;
  /** By the variable's name. */
  readonly variableDefaults: ReadonlyMap<string, ConstValueNode>;
  /** The type that each field is selected on. */
  readonly parentOf: ReadonlyMap<FieldNode, GraphQLCompositeType>;
  /** Fragments that introspection of the schema uses. Nobody's data is in them, and all of them stay. */
  readonly introspectionFragments: ReadonlySet<string>;
  /** Selection sets on an interface or a union. */
  readonly onAbstract: ReadonlySet<SelectionSetNode>;
  /** Variables that `@skip` and `@include` depend on. */
  readonly conditionVariables: readonly string[];
  readonly policies: readonly string[];
  /** A response key that the client does not use. */
  readonly hiddenTypenameKey: string;
  /**
   * Fields that are executed under another response key, because the client's is the name of a field that joins subgraphs,
   * which @apollo/gateway keeps at that position. If the field had no value, the client would get the key (`{ user { id: city }
   * }`).
   */
  readonly executedKeyOf: ReadonlyMap<FieldNode, string>;
}

/**
 * Finds the requirements of an operation. Each selection and each fragment definition is visited once, however often it is
 * spread, so the cost grows with the length of the document (CVE-2025-32031).
 *
 * The document must be valid for the schema. For an unknown type or field, the rule table refuses.
 */
export function analyzeOperation(
  client: ClientOperation,
  schema: GraphQLSchema,
  rules: RuleTable,
  joinNames: ReadonlySet<string>,
  filterInputs: FilterInputs,
): OperationAnalysis {
  const fragments = fragmentsOf(client.document);
  const selected = new SelectionAnalysis(fragments, schema, rules, joinNames, filterInputs);
  selected.visitOperation(client.operation);

  const { requirements, requirementOf, parentOf, onAbstract, conditionVariables } = selected;
  const { colliding, responseKeys } = selected;
  let hiddenTypenameKey = '__behalf_typename';
  while (responseKeys.has(hiddenTypenameKey)) hiddenTypenameKey += '_';
  let prefix = '__behalf_key_';
  while (colliding.some((field) => responseKeys.has(prefix + responseKeyOf(field)))) prefix += '_';
  const executedKeyOf = new Map(colliding.map((field) => [field, prefix + responseKeyOf(field)]));
  const asked = [...requirements.values, ...selected.filters.requirements()];
  const policies = new Set(asked.flatMap((requirement) => requirement.policies.flat(2)));
  return {
    client,
    fragments,
    requirements: requirements.values,
    requirementOf,
    filterUses: selected.filters.distinct,
    filterUsesOf: selected.filters.usesOf,
    filterInputs,
    variableDefaults: new Map(
      (client.operation.variableDefinitions ?? []).flatMap(({ variable, defaultValue }) =>
        defaultValue === undefined ? [] : [[variable.name.value, defaultValue]],
      ),
    ),
    parentOf,
    introspectionFragments: introspectionFragments(selected.introspection, fragments, schema),
    onAbstract,
    conditionVariables: [...conditionVariables],
    policies: [...policies],
    hiddenTypenameKey,
    executedKeyOf,
  };
}

/** Follows the spreads below these fields, only to fragments on the types of introspection: other fragments read data. */
function introspectionFragments(
  fields: readonly FieldNode[],
  fragments: OperationAnalysis['fragments'],
  schema: GraphQLSchema,
): ReadonlySet<string> {
  const { fragments: used } = reachableFrom(fields, (name) => {
    const fragment = fragments.get(name);
    const type = fragment === undefined ? undefined : schema.getType(fragment.typeCondition.name.value);
    return type !== undefined && isIntrospectionType(type) ? fragment : undefined;
  });
  return new Set(used.keys());
}

/** Visits the selections of one operation and gathers what they ask for. */
class SelectionAnalysis {
  readonly requirements = new Interned<Requirement>();
  readonly requirementOf = new Map<FieldNode, number>();
  readonly filters: SelectionFilters;
  readonly parentOf = new Map<FieldNode, GraphQLCompositeType>();
  readonly onAbstract = new Set<SelectionSetNode>();
  readonly conditionVariables = new Set<string>();
  readonly responseKeys = new Set<string>();
  /** Fields whose alias is the name of something that joins subgraphs. */
  readonly colliding: FieldNode[] = [];
  /** The fields `__schema` and `__type`. */
  readonly introspection: FieldNode[] = [];
  readonly #seenFragments = new Set<string>();
  readonly #fragments: ReadonlyMap<string, FragmentDefinitionNode>;
  readonly #schema: GraphQLSchema;
  readonly #rules: RuleTable;
  readonly #joinNames: ReadonlySet<string>;

  constructor(
    fragments: ReadonlyMap<string, FragmentDefinitionNode>,
    schema: GraphQLSchema,
    rules: RuleTable,
    joinNames: ReadonlySet<string>,
    filterInputs: FilterInputs,
  ) {
    this.filters = new SelectionFilters(filterInputs);
    this.#fragments = fragments;
    this.#schema = schema;
    this.#rules = rules;
    this.#joinNames = joinNames;
  }

  visitOperation({ operation, selectionSet }: OperationDefinitionNode): void {
    const root = this.#schema.getRootType(operation);
    if (root !== undefined && root !== null) this.#visitSelections(selectionSet, root);
  }

  #visitSelections(selectionSet: SelectionSetNode, parent: GraphQLCompositeType): void {
    if (isAbstractType(parent)) this.onAbstract.add(selectionSet);
    for (const selection of selectionSet.selections) {
      this.#noteConditions(selection);
      switch (selection.kind) {
        case Kind.FIELD:
          this.#visitField(selection, parent);
          break;
        case Kind.INLINE_FRAGMENT:
          this.#visitSelections(
            selection.selectionSet,
            this.#conditionType(selection.typeCondition?.name.value, parent),
          );
          break;
        case Kind.FRAGMENT_SPREAD: {
          const name = selection.name.value;
          const fragment = this.#fragments.get(name);
          if (fragment === undefined || this.#seenFragments.has(name)) break;
          this.#seenFragments.add(name);
          this.#visitSelections(
            fragment.selectionSet,
            this.#conditionType(fragment.typeCondition.name.value, parent),
          );
        }
      }
    }
  }

  #visitField(field: FieldNode, parent: GraphQLCompositeType): void {
    const name = field.name.value;
    this.responseKeys.add(responseKeyOf(field));
    // Introspection of the schema is decided by its own rule and reads nobody's data.
    if (parent === this.#schema.getQueryType() && (name === '__schema' || name === '__type')) {
      this.introspection.push(field);
      return;
    }
    this.parentOf.set(field, parent);
    if (responseKeyOf(field) !== name && this.#joinNames.has(responseKeyOf(field)))
      this.colliding.push(field);
    const requirement = this.#rules.requirementOf(parent.name, name);
    if (!isUnrestricted(requirement)) this.requirementOf.set(field, this.requirements.index(requirement));
    if (!('getFields' in parent)) return;
    const definition = parent.getFields()[name];
    if (definition !== undefined) this.filters.visit(field, parent.name, definition);
    if (field.selectionSet === undefined) return;
    const returned = getNamedType(definition?.type);
    if (isCompositeType(returned)) this.#visitSelections(field.selectionSet, returned);
  }

  #conditionType(name: string | undefined, parent: GraphQLCompositeType): GraphQLCompositeType {
    const type = name === undefined ? undefined : this.#schema.getType(name);
    return isCompositeType(type) ? type : parent;
  }

  #noteConditions(selection: SelectionNode): void {
    for (const directive of selection.directives ?? []) {
      if (directive.name.value !== 'skip' && directive.name.value !== 'include') continue;
      const condition = directive.arguments?.find((argument) => argument.name.value === 'if')?.value;
      if (condition?.kind === Kind.VARIABLE) this.conditionVariables.add(condition.name.value);
    }
  }
}
