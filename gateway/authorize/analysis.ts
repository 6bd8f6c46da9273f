import { isUnrestricted, Interned } from '@behalf/directives/internal';
import type { Requirement, RuleTable } from '@behalf/directives/internal';
import { getNamedType, isAbstractType, isCompositeType, Kind } from 'graphql';
import type {
  BooleanValueNode,
  FieldNode,
  FragmentDefinitionNode,
  GraphQLCompositeType,
  GraphQLSchema,
  SelectionNode,
  SelectionSetNode,
} from 'graphql';
import type { ClientOperation } from './types.js';

/** What is known of an operation before anybody asks to run it. */
export interface OperationAnalysis {
  readonly client: ClientOperation;
  readonly fragments: ReadonlyMap<string, FragmentDefinitionNode>;
  /** The distinct requirements of its selections. A decision is a vector over these. */
  readonly requirements: readonly Requirement[];
  /** Fields that ask for something: index into `requirements`. */
  readonly requirementOf: ReadonlyMap<FieldNode, number>;
  /** The type that each field is selected on. */
  readonly parentOf: ReadonlyMap<FieldNode, GraphQLCompositeType>;
  /** Selection sets that stand on an interface or a union. */
  readonly onAbstract: ReadonlySet<SelectionSetNode>;
  /** Variables that `@skip` and `@include` depend on. */
  readonly conditionVariables: readonly string[];
  readonly policies: readonly string[];
  /** A response key that the client does not use. */
  readonly hiddenTypenameKey: string;
  /**
   * Fields that are executed under another response key than the client's: his is the name of something that joins subgraphs,
   * which @apollo/gateway keeps at that place. Where the field has no answer, he would be given the key (`{ user { id: city } }`).
   */
  readonly executedKeyOf: ReadonlyMap<FieldNode, string>;
}

/**
 * Reads what an operation asks for. Each selection and each fragment definition is visited once, whatever spreads
 * name it, so the cost grows with the length of the document (CVE-2025-32031).
 *
 * The document must be valid for the schema. A selection on a type or field that the schema does not have is left to
 * the rule table, which refuses it.
 */
export function analyzeOperation(
  client: ClientOperation,
  schema: GraphQLSchema,
  rules: RuleTable,
  joinNames: ReadonlySet<string>,
): OperationAnalysis {
  const fragments = new Map<string, FragmentDefinitionNode>();
  for (const definition of client.document.definitions) {
    if (definition.kind === Kind.FRAGMENT_DEFINITION) fragments.set(definition.name.value, definition);
  }
  const requirements = new Interned<Requirement>();
  const requirementOf = new Map<FieldNode, number>();
  const parentOf = new Map<FieldNode, GraphQLCompositeType>();
  const onAbstract = new Set<SelectionSetNode>();
  const conditionVariables = new Set<string>();
  const responseKeys = new Set<string>();
  const seenFragments = new Set<string>();
  const colliding: FieldNode[] = [];

  const root = schema.getRootType(client.operation.operation);
  if (root !== undefined && root !== null) visitSelections(client.operation.selectionSet, root);

  let hiddenTypenameKey = '__behalf_typename';
  while (responseKeys.has(hiddenTypenameKey)) hiddenTypenameKey += '_';
  let prefix = '__behalf_key_';
  while (colliding.some((field) => responseKeys.has(prefix + responseKeyOf(field)))) prefix += '_';
  const executedKeyOf = new Map(colliding.map((field) => [field, prefix + responseKeyOf(field)]));
  const policies = new Set(requirements.values.flatMap((requirement) => requirement.policies.flat(2)));
  return {
    client,
    fragments,
    requirements: requirements.values,
    requirementOf,
    parentOf,
    onAbstract,
    conditionVariables: [...conditionVariables],
    policies: [...policies],
    hiddenTypenameKey,
    executedKeyOf,
  };

  function visitSelections(selectionSet: SelectionSetNode, parent: GraphQLCompositeType): void {
    if (isAbstractType(parent)) onAbstract.add(selectionSet);
    for (const selection of selectionSet.selections) {
      noteConditions(selection);
      switch (selection.kind) {
        case Kind.FIELD:
          visitField(selection, parent);
          break;
        case Kind.INLINE_FRAGMENT:
          visitSelections(selection.selectionSet, conditionType(selection.typeCondition?.name.value, parent));
          break;
        case Kind.FRAGMENT_SPREAD: {
          const name = selection.name.value;
          const fragment = fragments.get(name);
          if (fragment === undefined || seenFragments.has(name)) break;
          seenFragments.add(name);
          visitSelections(fragment.selectionSet, conditionType(fragment.typeCondition.name.value, parent));
        }
      }
    }
  }

  function visitField(field: FieldNode, parent: GraphQLCompositeType): void {
    const name = field.name.value;
    responseKeys.add(responseKeyOf(field));
    // Introspection of the schema is decided by its own rule and reads nobody's data.
    if (parent === schema.getQueryType() && (name === '__schema' || name === '__type')) return;
    parentOf.set(field, parent);
    if (responseKeyOf(field) !== name && joinNames.has(responseKeyOf(field))) colliding.push(field);
    const requirement = rules.requirementOf(parent.name, name);
    if (!isUnrestricted(requirement)) requirementOf.set(field, requirements.index(requirement));
    if (field.selectionSet === undefined || !('getFields' in parent)) return;
    const returned = getNamedType(parent.getFields()[name]?.type);
    if (isCompositeType(returned)) visitSelections(field.selectionSet, returned);
  }

  function conditionType(name: string | undefined, parent: GraphQLCompositeType): GraphQLCompositeType {
    const type = name === undefined ? undefined : schema.getType(name);
    return isCompositeType(type) ? type : parent;
  }

  function noteConditions(selection: SelectionNode): void {
    for (const directive of selection.directives ?? []) {
      if (directive.name.value !== 'skip' && directive.name.value !== 'include') continue;
      const condition = directive.arguments?.find((argument) => argument.name.value === 'if')?.value;
      if (condition?.kind === Kind.VARIABLE) conditionVariables.add(condition.name.value);
    }
  }
}

export function responseKeyOf(field: FieldNode): string {
  return field.alias?.value ?? field.name.value;
}

/** The values of `@skip` and `@include` in one request, so that what is left out can be told from what is denied. */
export class Conditions {
  readonly #names: readonly string[];
  readonly #values = new Map<string, boolean>();

  constructor(analysis: OperationAnalysis, variables: Readonly<Record<string, unknown>>) {
    this.#names = analysis.conditionVariables;
    for (const name of this.#names) {
      const given = Object.hasOwn(variables, name) ? variables[name] : undefined;
      if (typeof given === 'boolean') this.#values.set(name, given);
      else if (given === undefined) {
        const definition = analysis.client.operation.variableDefinitions?.find(
          (candidate) => candidate.variable.name.value === name,
        );
        if (definition?.defaultValue?.kind === Kind.BOOLEAN)
          this.#values.set(name, definition.defaultValue.value);
      }
    }
  }

  /** Part of a decision's key: one letter per variable. */
  get key(): string {
    return this.#names
      .map((name) => {
        const value = this.#values.get(name);
        return value === undefined ? '?' : value ? '1' : '0';
      })
      .join('');
  }

  /** Whether the selection is left out. One whose condition cannot be told counts as selected. */
  leavesOut(selection: SelectionNode): boolean {
    for (const directive of selection.directives ?? []) {
      const name = directive.name.value;
      if (name !== 'skip' && name !== 'include') continue;
      const condition = directive.arguments?.find((argument) => argument.name.value === 'if')?.value;
      const value =
        condition?.kind === Kind.VARIABLE
          ? this.#values.get(condition.name.value)
          : (condition as BooleanValueNode | undefined)?.value;
      if (value === undefined) continue;
      if (value === (name === 'skip')) return true;
    }
    return false;
  }
}
