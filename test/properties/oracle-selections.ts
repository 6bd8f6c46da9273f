import { isMet } from '@behalf/directives/internal';
import type { Delegation } from '@behalf/directives';
import type { RuleTable } from '@behalf/directives/internal';
import {
  getDirectiveValues,
  getVariableValues,
  GraphQLIncludeDirective,
  GraphQLSkipDirective,
  isAbstractType,
  Kind,
  TypeInfo,
  visit,
  visitWithTypeInfo,
} from 'graphql';
import type {
  DocumentNode,
  FieldNode,
  GraphQLObjectType,
  GraphQLSchema,
  SelectionNode,
  SelectionSetNode,
} from 'graphql';

/** A schema, its rules, and the root value. */
export interface Whole {
  readonly schema: GraphQLSchema;
  readonly rules: RuleTable;
  readonly root: unknown;
}

export type Variables = Readonly<Record<string, unknown>>;

/** The selections of an operation, as they are for one caller. */
export interface Selections {
  readonly allowed: (node: FieldNode) => boolean;
  /** The fields of a selection set that apply to objects of a type. */
  readonly childrenOn: (set: SelectionSetNode, type: GraphQLObjectType) => FieldNode[];
  /** Whether it is allowed, and something that is selected on it is, or nothing is. */
  readonly alive: (node: FieldNode) => boolean;
  /** The nearest selections that are denied: it, or some below it. */
  readonly deniedBelow: (node: FieldNode) => DeniedBelow[];
}

/** A denied selection, and the response keys that lead to it. */
export interface DeniedBelow {
  readonly node: FieldNode;
  readonly keys: readonly string[];
}

export function selectionsOf(
  whole: Whole,
  document: DocumentNode,
  caller: Delegation | undefined,
  variables: Variables,
  coordinates: ReturnType<typeof coordinatesOf>,
): Selections {
  const { schema, rules } = whole;
  const allowed = (node: FieldNode): boolean => {
    const [type, field] = coordinates.get(node) ?? ['', ''];
    return isMet(rules.requirementOf(type, field), caller);
  };
  const fragments = new Map(
    document.definitions.flatMap((node) =>
      node.kind === Kind.FRAGMENT_DEFINITION ? [[node.name.value, node] as const] : [],
    ),
  );
  const values = coerced(schema, document, variables);
  const isSelected = (node: SelectionNode): boolean => !isLeftOut(node, values);

  const children = (set: SelectionSetNode): FieldNode[] =>
    set.selections.filter(isSelected).flatMap((selection) => {
      if (selection.kind === Kind.FIELD) return [selection];
      if (selection.kind === Kind.INLINE_FRAGMENT) return children(selection.selectionSet);
      const fragment = fragments.get(selection.name.value);
      return fragment === undefined ? [] : children(fragment.selectionSet);
    });
  const childrenOn = (set: SelectionSetNode, type: GraphQLObjectType): FieldNode[] =>
    set.selections.filter(isSelected).flatMap((selection) => {
      if (selection.kind === Kind.FIELD) return [selection];
      const inline = selection.kind === Kind.INLINE_FRAGMENT;
      const fragment = inline ? selection : fragments.get(selection.name.value);
      const condition = fragment?.typeCondition?.name.value;
      const on = condition === undefined ? type : schema.getType(condition);
      const applies = on?.name === type.name || (isAbstractType(on) && schema.isSubType(on, type));
      return fragment !== undefined && applies ? childrenOn(fragment.selectionSet, type) : [];
    });
  const alive = (node: FieldNode): boolean => {
    if (!allowed(node)) return false;
    const below = node.selectionSet === undefined ? [] : children(node.selectionSet);
    return below.length === 0 || below.some(alive);
  };
  const deniedBelow = (node: FieldNode): DeniedBelow[] => {
    if (!allowed(node)) return [{ node, keys: [] }];
    if (node.selectionSet === undefined) return [];
    return children(node.selectionSet).flatMap((child) =>
      deniedBelow(child).map((below) => ({
        node: below.node,
        keys: [(child.alias ?? child.name).value, ...below.keys],
      })),
    );
  };
  return { allowed, childrenOn, alive, deniedBelow };
}

/** A selection at one path, and the denied selection that it stands on. */
export interface Occurrence {
  readonly node: FieldNode;
  readonly lostTo: FieldNode | undefined;
}

/** Selections that stand on a denied one, which is their value. They were never executed, unless they are reached otherwise too. */
export function lostSelections(
  above: readonly Occurrence[],
  type: GraphQLObjectType,
  { allowed, childrenOn }: Selections,
): Map<FieldNode, FieldNode> {
  const lost = new Map<FieldNode, FieldNode>();
  const reached = new Set<FieldNode>();
  for (const { node, lostTo } of above) {
    const to = lostTo ?? (allowed(node) ? undefined : node);
    if (node.selectionSet === undefined) continue;
    for (const child of childrenOn(node.selectionSet, type)) {
      if (to === undefined) reached.add(child);
      else if (!lost.has(child)) lost.set(child, to);
    }
  }
  for (const child of reached) lost.delete(child);
  return lost;
}

/** GraphQL sections 3.13.1 and 3.13.2. */
export function isLeftOut(node: SelectionNode, values: Variables): boolean {
  return (
    getDirectiveValues(GraphQLSkipDirective, node, values)?.if === true ||
    getDirectiveValues(GraphQLIncludeDirective, node, values)?.if === false
  );
}

export function coerced(schema: GraphQLSchema, document: DocumentNode, variables: Variables): Variables {
  const operation = document.definitions.find((node) => node.kind === Kind.OPERATION_DEFINITION);
  const { coerced: values } = getVariableValues(schema, operation?.variableDefinitions ?? [], variables);
  return values ?? {};
}

/** The type that each field is written on, and its name. */
export function coordinatesOf(
  schema: GraphQLSchema,
  document: DocumentNode,
): ReadonlyMap<FieldNode, readonly [type: string, field: string]> {
  const coordinates = new Map<FieldNode, readonly [string, string]>();
  const info = new TypeInfo(schema);
  visit(
    document,
    visitWithTypeInfo(info, {
      Field: (node) => void coordinates.set(node, [info.getParentType()?.name ?? '', node.name.value]),
    }),
  );
  return coordinates;
}
