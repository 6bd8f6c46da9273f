import { isMet } from '@behalf/directives/internal';
import type { Delegation } from '@behalf/directives';
import type { Requirement, RuleTable } from '@behalf/directives/internal';
import {
  buildSchema,
  defaultFieldResolver,
  execute,
  getDirectiveValues,
  getNullableType,
  getVariableValues,
  GraphQLError,
  GraphQLIncludeDirective,
  GraphQLSkipDirective,
  isAbstractType,
  isObjectType,
  Kind,
  printSchema,
  TypeInfo,
  visit,
  visitWithTypeInfo,
} from 'graphql';
import type {
  DocumentNode,
  ExecutionResult,
  FieldNode,
  GraphQLFieldResolver,
  GraphQLObjectType,
  GraphQLResolveInfo,
  GraphQLSchema,
  SelectionNode,
  SelectionSetNode,
} from 'graphql';
import type { ClientOperation } from '../../gateway/authorize/index.js';

// What must come of an operation, worked out with plain graphql-js and none of the product but the rule table and `isMet`.

/** A schema, its rules, and what it is executed on. */
export interface Whole {
  readonly schema: GraphQLSchema;
  readonly rules: RuleTable;
  readonly root: unknown;
}

export type Variables = Readonly<Record<string, unknown>>;
type Resolver = GraphQLFieldResolver<unknown, unknown>;

interface GuardedContext {
  readonly guard: Resolver;
}

/** Executes everything with plain graphql-js, and nulls afterwards: in the resolvers, by what was selected there. */
export function nulledAfterwards(
  whole: Whole,
  document: DocumentNode,
  caller: Delegation | undefined,
  variables: Variables = {},
  /** Given to resolvers. */
  context?: unknown,
  /** Goes on with the mutations after one that is denied and may not be null, where graphql-js ends. */
  goesOn = false,
): ExecutionResult {
  const { schema, root } = whole;
  const coordinates = coordinatesOf(schema, document);
  const selections = selectionsOf(whole, document, caller, variables, coordinates);
  const { allowed, alive, deniedBelow } = selections;

  const errors: { path: (string | number)[]; coordinate: string }[] = [];
  /** By path: the selections that were merged there, and for each the denied one that it stands on. */
  const occurrences = new Map<string, readonly Occurrence[]>();

  const guard: Resolver = (source, args, _context, info) => {
    const path = stepsOf(info.path);
    const above = occurrences.get(fieldPath(path.slice(0, -1))) ?? [];
    const lost = lostSelections(above, info.parentType, selections);
    const nodes = info.fieldNodes;
    const own = nodes.filter((node) => !lost.has(node));
    occurrences.set(
      fieldPath(path),
      nodes.map((node) => ({ node, lostTo: lost.get(node) })),
    );
    if (own.some(alive)) return defaultFieldResolver(source, args, context, info);
    // Its own denial first, then those of what was selected on it, then the denial of what it stands on.
    const denied = own.find((node) => !allowed(node));
    const below = own.flatMap(deniedBelow);
    const standsOn = nodes.flatMap((node) => lost.get(node) ?? []);
    const blamed = new Set(denied !== undefined ? [denied] : below.length > 0 ? below : standsOn.slice(0, 1));
    for (const node of blamed) errors.push({ path, coordinate: (coordinates.get(node) ?? []).join('.') });
    return null;
  };
  const { data } = execute({
    schema: guardedSchema(schema, goesOn),
    document,
    rootValue: root,
    variableValues: variables,
    contextValue: { guard } satisfies GuardedContext,
  }) as ExecutionResult;
  return asJson({
    data,
    errors: errors.map(
      ({ path, coordinate }) => new GraphQLError('denied', { path, extensions: { coordinate } }),
    ),
  });
}

/** A selection at one path, and the denied selection that it stands on. */
interface Occurrence {
  readonly node: FieldNode;
  readonly lostTo: FieldNode | undefined;
}

/** Selections that stand on a denied one, which is their value. They were never executed, unless they are reached otherwise too. */
function lostSelections(
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

function stepsOf(path: GraphQLResolveInfo['path']): (string | number)[] {
  const steps: (string | number)[] = [];
  for (let at: typeof path | undefined = path; at !== undefined; at = at.prev) steps.unshift(at.key);
  return steps;
}

/** The selections of an operation, as they are for one caller. */
interface Selections {
  readonly allowed: (node: FieldNode) => boolean;
  /** The fields of a selection set that apply to objects of a type. */
  readonly childrenOn: (set: SelectionSetNode, type: GraphQLObjectType) => FieldNode[];
  /** Whether it is allowed, and something that is selected on it is, or nothing is. */
  readonly alive: (node: FieldNode) => boolean;
  /** The nearest selections that are denied: it, or some below it. */
  readonly deniedBelow: (node: FieldNode) => FieldNode[];
}

function selectionsOf(
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
  const deniedBelow = (node: FieldNode): FieldNode[] => {
    if (!allowed(node)) return [node];
    return node.selectionSet === undefined ? [] : children(node.selectionSet).flatMap(deniedBelow);
  };
  return { allowed, childrenOn, alive, deniedBelow };
}

/** Up to the last field: list indices lie between a field and what is selected on it. */
function fieldPath(path: readonly (string | number)[]): string {
  return JSON.stringify(path.slice(0, path.findLastIndex((step) => typeof step === 'string') + 1));
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

const guardedSchemas = new WeakMap<GraphQLSchema, Map<boolean, GraphQLSchema>>();

function guardedSchema(schema: GraphQLSchema, goesOn: boolean): GraphQLSchema {
  const known = guardedSchemas.get(schema) ?? new Map<boolean, GraphQLSchema>();
  guardedSchemas.set(schema, known);
  let guarded = known.get(goesOn);
  if (guarded === undefined) {
    guarded = buildSchema(printSchema(schema));
    for (const type of Object.values(guarded.getTypeMap())) {
      if (!isObjectType(type) || type.name.startsWith('__')) continue;
      for (const field of Object.values(type.getFields())) {
        field.resolve = (source, args, contextValue, info) =>
          (contextValue as GuardedContext).guard(source, args, contextValue, info);
        if (goesOn && type === guarded.getMutationType()) field.type = getNullableType(field.type);
      }
    }
    known.set(goesOn, guarded);
  }
  return guarded;
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

/** What each selection asks for. */
export function requirementsOf(
  { schema, rules }: Pick<Whole, 'schema' | 'rules'>,
  document: DocumentNode,
): ReadonlyMap<FieldNode, Requirement> {
  return new Map(
    [...coordinatesOf(schema, document)].map(([node, [type, field]]) => [
      node,
      rules.requirementOf(type, field),
    ]),
  );
}

/**
 * Errors by the null that they explain. Where a null moved upward, one error below it is enough for the GraphQL
 * specification, and plain graphql-js stops at the first.
 */
export function errorsOf(result: ExecutionResult): string[] {
  const explained = (result.errors ?? []).map(({ path = [], extensions }) => {
    let at: unknown = result.data;
    const position: (string | number)[] = [];
    for (const step of path) {
      if (at === null || at === undefined) break;
      position.push(step);
      at = (at as Record<string | number, unknown>)[step];
    }
    const { coordinate } = extensions as { coordinate?: unknown };
    return position.length === path.length
      ? `${JSON.stringify(path)} ${String(coordinate)}`
      : JSON.stringify(position);
  });
  return [...new Set(explained)].sort();
}

/** Everything that is not null in the one stands in the other. @param isSame of two values that have no parts */
export function isPartOf(
  narrow: unknown,
  wide: unknown,
  isSame: (one: unknown, other: unknown) => boolean = Object.is,
): boolean {
  if (narrow === null || narrow === undefined) return true;
  if (typeof narrow !== 'object') return isSame(narrow, wide);
  if (typeof wide !== 'object' || wide === null) return false;
  return Object.entries(narrow).every(
    ([name, value]) =>
      value === null ||
      (Object.hasOwn(wide, name) && isPartOf(value, (wide as Record<string, unknown>)[name], isSame)),
  );
}

/** What goes to the client. */
export function asJson(result: { data?: unknown; errors?: readonly GraphQLError[] }): ExecutionResult {
  return JSON.parse(JSON.stringify(result)) as ExecutionResult;
}

export function clientOperation(document: DocumentNode, hash: string): ClientOperation {
  const operation = document.definitions.find((node) => node.kind === Kind.OPERATION_DEFINITION);
  if (operation?.kind !== Kind.OPERATION_DEFINITION) throw new Error('no operation');
  return { document, operation, queryHash: hash };
}
