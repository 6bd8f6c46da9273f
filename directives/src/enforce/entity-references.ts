import { GraphQLError, isInterfaceType, isObjectType } from 'graphql';
import type { GraphQLFieldResolver, GraphQLSchema } from 'graphql';
import type { entityErrors } from '../errors.js';
import { awaitedLater, isPromise } from './values.js';

type Resolve = GraphQLFieldResolver<unknown, unknown>;
/** In place of an entity that is resolved with the others. */
const TOGETHER: unique symbol = Symbol('together');

/**
 * Resolves `_entities` so that a reference which cannot be resolved is an error at its own index. Libraries resolve all of them in one
 * loop, which ends at a type that the schema does not have, or at an interface whose object type is not known.
 */
export function eachByItself(resolve: Resolve): Resolve {
  return (source, given, contextValue, info) => {
    const args = given as { readonly representations?: unknown };
    const { representations } = args;
    if (!Array.isArray(representations)) return resolve(source, args, contextValue, info);
    const references = representations as readonly unknown[];
    const resolveOnly = (some: readonly unknown[]): unknown =>
      resolve(source, { ...args, representations: some }, contextValue, info);
    const placed = references.map((reference) => resolveAlone(reference, info.schema, resolveOnly));
    if (placed.every((each) => each === TOGETHER)) return resolve(source, args, contextValue, info);
    const others = references.filter((_reference, index) => placed[index] === TOGETHER);
    const found = others.length === 0 ? [] : resolveOnly(others);
    return isPromise(found) ? found.then((rows) => joined(placed, rows)) : joined(placed, found);
  };
}

/** @returns {@link TOGETHER} for an object type, whose reference resolver never throws */
function resolveAlone(
  reference: unknown,
  schema: GraphQLSchema,
  resolveOnly: (some: readonly unknown[]) => unknown,
): unknown {
  const name = (reference as { readonly __typename?: unknown } | null)?.__typename;
  const type = typeof name === 'string' ? schema.getType(name) : undefined;
  if (isObjectType(type)) return TOGETHER;
  if (!isInterfaceType(type)) return unknownType();
  try {
    const found = resolveOnly([reference]);
    // The others may be awaited first.
    return awaitedLater(isPromise(found) ? found.then(first) : first(found));
  } catch (error) {
    return referenceError(error);
  }
}

/** What a reference's resolver threw. graphql-js treats an error in a list like a thrown one. */
export function referenceError(reason: unknown): Error {
  return reason instanceof Error ? reason : new Error('A reference could not be resolved', { cause: reason });
}

function first(found: unknown): unknown {
  return Array.isArray(found) ? (found as readonly unknown[])[0] : found;
}

/** The rows that were found together, at their places among the others. */
function joined(placed: readonly unknown[], rows: unknown): unknown {
  if (!Array.isArray(rows)) return rows;
  const next = (rows as readonly unknown[]).values();
  return placed.map((each): unknown => (each === TOGETHER ? next.next().value : each));
}

/** The name is not quoted, because anybody may have sent it. */
function unknownType(): GraphQLError {
  return new GraphQLError('The representation does not name a type of this subgraph in __typename', {
    extensions: { code: 'ENTITY_TYPE_UNKNOWN' satisfies keyof typeof entityErrors },
  });
}
