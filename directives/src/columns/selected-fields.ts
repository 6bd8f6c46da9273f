import {
  getDirectiveValues,
  GraphQLIncludeDirective,
  GraphQLSkipDirective,
  isAbstractType,
  isObjectType,
  Kind,
} from 'graphql';
import type {
  FieldNode,
  GraphQLNamedType,
  GraphQLObjectType,
  GraphQLResolveInfo,
  GraphQLSchema,
  SelectionNode,
} from 'graphql';

/** The parts of an operation that say what it selects. */
export type SelectionInfo = Pick<GraphQLResolveInfo, 'schema' | 'fragments' | 'variableValues'>;

/**
 * The fields that an operation selects on an object of this type below these fields, by name; `@skip` and `@include` are decided.
 * Each fragment is visited once, however often it is spread, so the cost is linear in the document.
 */
export function selectedFields(
  type: GraphQLObjectType,
  parents: readonly FieldNode[],
  info: SelectionInfo,
): ReadonlyMap<string, readonly FieldNode[]> {
  const fields = new Map<string, FieldNode[]>();
  const spread = new Set<string>();
  const pending: SelectionNode[] = [];
  const add = (selections: readonly SelectionNode[] = []): void => {
    // A loop, because a call takes only so many arguments.
    for (const selection of selections) pending.push(selection);
  };
  for (const { selectionSet } of parents) add(selectionSet?.selections);
  for (let node = pending.pop(); node !== undefined; node = pending.pop()) {
    if (!isIncluded(node, info)) continue;
    if (node.kind === Kind.FIELD) {
      const nodes = fields.get(node.name.value);
      if (nodes === undefined) fields.set(node.name.value, [node]);
      else nodes.push(node);
    } else if (node.kind === Kind.INLINE_FRAGMENT) {
      if (applies(node.typeCondition?.name.value, type, info.schema)) add(node.selectionSet.selections);
    } else if (!spread.has(node.name.value)) {
      spread.add(node.name.value);
      const fragment = info.fragments[node.name.value];
      if (applies(fragment?.typeCondition.name.value, type, info.schema))
        add(fragment?.selectionSet.selections);
    }
  }
  return fields;
}

function isIncluded(node: SelectionNode, { variableValues }: SelectionInfo): boolean {
  if (node.directives === undefined || node.directives.length === 0) return true;
  if (getDirectiveValues(GraphQLSkipDirective, node, variableValues)?.['if'] === true) return false;
  return getDirectiveValues(GraphQLIncludeDirective, node, variableValues)?.['if'] !== false;
}

function applies(condition: string | undefined, type: GraphQLObjectType, schema: GraphQLSchema): boolean {
  if (condition === undefined || condition === type.name) return true;
  const named = schema.getType(condition);
  return isAbstractType(named) && schema.isSubType(named, type);
}

/** The object types of the values of a type. */
export function objectTypesOf(
  type: GraphQLNamedType | undefined,
  schema: GraphQLSchema,
): readonly GraphQLObjectType[] {
  if (isObjectType(type)) return [type];
  return isAbstractType(type) ? schema.getPossibleTypes(type) : [];
}
