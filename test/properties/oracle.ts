import type { Delegation } from '@behalf/directives';
import type { Requirement } from '@behalf/directives/internal';
import {
  buildSchema,
  defaultFieldResolver,
  execute,
  getNullableType,
  GraphQLError,
  isObjectType,
  Kind,
  printSchema,
} from 'graphql';
import type {
  DocumentNode,
  ExecutionResult,
  FieldNode,
  GraphQLFieldResolver,
  GraphQLResolveInfo,
  GraphQLSchema,
} from 'graphql';
import { coordinatesOf, lostSelections, selectionsOf } from './oracle-selections.js';
import type { Occurrence, Variables, Whole } from './oracle-selections.js';
import type { ClientOperation } from '../../gateway/authorize/index.js';

// The expected result of an operation, computed with plain graphql-js and nothing of the product except the rule table and
// `isMet`.

interface OracleError {
  readonly path: readonly (string | number)[];
  readonly extensions: {
    readonly coordinate: string;
    /** Position of the field of which nothing is left, if the denied one is below it. */
    readonly emptied?: readonly (string | number)[];
  };
}

type Resolver = GraphQLFieldResolver<unknown, unknown>;

interface GuardedContext {
  readonly guard: Resolver;
}

/** Executes everything with plain graphql-js, then nulls in the resolvers by the selections there. */
export function nulledAfterwards(
  whole: Whole,
  document: DocumentNode,
  caller: Delegation | undefined,
  variables: Variables = {},
  /** Given to resolvers. */
  context?: unknown,
  /** Continues with the mutations after a denied non-null one, where graphql-js stops. */
  goesOn = false,
): ExecutionResult {
  const { schema, root } = whole;
  const coordinates = coordinatesOf(schema, document);
  const selections = selectionsOf(whole, document, caller, variables, coordinates);
  const { allowed, alive, deniedBelow } = selections;

  const errors: OracleError[] = [];
  /** By path: the selections merged there, and for each the denied ancestor. */
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
    // Its own denial first, then those of its selections, then its denied ancestor's.
    const denied = own.find((node) => !allowed(node));
    const below = own.flatMap(deniedBelow);
    const standsOn = nodes.flatMap((node) => lost.get(node) ?? []);
    const at = (node: FieldNode, keys: readonly string[] = []): void =>
      void errors.push({
        path: [...path, ...keys],
        extensions: {
          coordinate: (coordinates.get(node) ?? []).join('.'),
          ...(keys.length > 0 && { emptied: path }),
        },
      });
    if (denied !== undefined) at(denied);
    else if (below.length > 0) for (const { node, keys } of below) at(node, keys);
    else for (const node of standsOn.slice(0, 1)) at(node);
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
    errors: errors.map((error) => new GraphQLError('denied', error)),
  });
}

function stepsOf(path: GraphQLResolveInfo['path']): (string | number)[] {
  const steps: (string | number)[] = [];
  for (let at: typeof path | undefined = path; at !== undefined; at = at.prev) steps.unshift(at.key);
  return steps;
}

/** Up to the last field: list indices lie between a field and its selections. */
function fieldPath(path: readonly (string | number)[]): string {
  return JSON.stringify(path.slice(0, path.findLastIndex((step) => typeof step === 'string') + 1));
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
 * Errors by the null that they explain. For a propagated null the GraphQL specification requires one error below it, and
 * graphql-js stops at the first. For an emptied field, every denial below it is listed.
 *
 * @param expected the oracle's result, which tells the emptied fields
 */
export function errorsOf(result: ExecutionResult, expected: ExecutionResult): string[] {
  const emptied = new Set(
    expected.errors?.map(({ extensions }) =>
      JSON.stringify((extensions as OracleError['extensions']).emptied),
    ),
  );
  const explained = (result.errors ?? []).map(({ path = [], extensions }) => {
    let at: unknown = result.data;
    const position: (string | number)[] = [];
    for (const step of path) {
      if (at === null || at === undefined) break;
      position.push(step);
      at = (at as Record<string | number, unknown>)[step];
    }
    const { coordinate } = extensions as { coordinate?: unknown };
    return position.length === path.length || emptied.has(JSON.stringify(position))
      ? `${JSON.stringify(path)} ${String(coordinate)}`
      : JSON.stringify(position);
  });
  return [...new Set(explained)].sort();
}

/**
 * Every non-null value of the one is in the other.
 * @param isSame compares two leaf values
 */
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

/** What is sent to the client. */
export function asJson(result: { data?: unknown; errors?: readonly GraphQLError[] }): ExecutionResult {
  return JSON.parse(JSON.stringify(result)) as ExecutionResult;
}

export function clientOperation(document: DocumentNode, hash: string): ClientOperation {
  const operation = document.definitions.find((node) => node.kind === Kind.OPERATION_DEFINITION);
  if (operation?.kind !== Kind.OPERATION_DEFINITION) throw new Error('no operation');
  return { document, operation, queryHash: hash };
}
