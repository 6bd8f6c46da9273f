import { defaultTypeResolver, isAbstractType, isListType, isNonNullType } from 'graphql';
import type { GraphQLAbstractType, GraphQLOutputType, GraphQLResolveInfo, GraphQLSchema } from 'graphql';
import type { RequestState } from './request-state.js';
import type { RowOwner } from './row-owner.js';
import { awaitedLater, collect, isAsyncIterable, isIterable, isPromise } from './values.js';

/** One call of a resolver, and its number of foreign rows. */
export interface RowsCall {
  readonly state: RequestState;
  readonly contextValue: unknown;
  readonly info: GraphQLResolveInfo;
  foreign: number;
}

/** Returns a resolver's result as if it had contained no foreign rows; a promise if some are awaited. */
export type OwnRows = (value: unknown, call: RowsCall) => unknown;

/** Whose the rows of a type are, by its name; undefined if they belong to nobody. */
export type OwnerOf = (typeName: string) => RowOwner | undefined;

/** Marks a failed entry while the others are awaited. */
class Rejected {
  constructor(readonly reason: unknown) {}
}

/** Marks a foreign row until its list omits it. */
const FOREIGN = Symbol('foreign row');

/**
 * Compiles `@subject` of a field's possible return types to a function of the resolver's result: null for a foreign row, and
 * lists without foreign rows, at every depth. To the caller, another subject's row does not exist.
 *
 * @returns undefined if no possible return type has `@subject`
 */
export function compileOwnRows(
  type: GraphQLOutputType,
  schema: GraphQLSchema,
  ownerOf: OwnerOf,
): OwnRows | undefined {
  const own = compileType(type, schema, ownerOf);
  if (own === undefined) return undefined;
  const orNull = (value: unknown): unknown => (value === FOREIGN ? null : value);
  return (value, call) => {
    const rest = own(value, call);
    return isPromise(rest) ? rest.then(orNull) : orNull(rest);
  };
}

function compileType(type: GraphQLOutputType, schema: GraphQLSchema, ownerOf: OwnerOf): OwnRows | undefined {
  if (isNonNullType(type)) return compileType(type.ofType, schema, ownerOf);
  const single = isListType(type)
    ? compileList(type.ofType, schema, ownerOf)
    : isAbstractType(type)
      ? compileAbstract(type, schema, ownerOf)
      : compileObject(ownerOf(type.name));
  if (single === undefined) return undefined;
  const own: OwnRows = (value, call) => {
    if (value === null || value === undefined || value instanceof Error) return value;
    return isPromise(value) ? value.then((settled) => own(settled, call)) : single(value, call);
  };
  return own;
}

function compileObject(owner: RowOwner | undefined): OwnRows | undefined {
  if (owner === undefined) return undefined;
  return (row, call) => ownOrForeign(row, owner, call);
}

function ownOrForeign(row: unknown, owner: RowOwner, call: RowsCall): unknown {
  if (call.state.mayRead(row, owner)) return row;
  call.foreign += 1;
  return FOREIGN;
}

/** Resolves a row's type as graphql-js does later, which refuses a row of unknown type. */
function compileAbstract(
  type: GraphQLAbstractType,
  schema: GraphQLSchema,
  ownerOf: OwnerOf,
): OwnRows | undefined {
  const owners = new Map<unknown, RowOwner>();
  for (const { name } of schema.getPossibleTypes(type)) {
    const owner = ownerOf(name);
    if (owner !== undefined) owners.set(name, owner);
  }
  if (owners.size === 0) return undefined;

  return (row, call) => {
    const decide = (name: unknown): unknown => {
      const owner = owners.get(name);
      return owner === undefined ? row : ownOrForeign(row, owner, call);
    };
    const resolveType = type.resolveType ?? defaultTypeResolver;
    let name: unknown;
    try {
      name = resolveType(row, call.contextValue, call.info, type);
    } catch {
      return row;
    }
    return isPromise(name) ? name.then(decide, () => row) : decide(name);
  };
}

function compileList(
  entryType: GraphQLOutputType,
  schema: GraphQLSchema,
  ownerOf: OwnerOf,
): OwnRows | undefined {
  const entry = compileType(entryType, schema, ownerOf);
  if (entry === undefined) return undefined;
  const own: OwnRows = (value, call) => {
    // An async list, for graphql 17.
    if (isAsyncIterable(value) && !isIterable(value)) return collect(value).then((rows) => own(rows, call));
    // A single row in place of a list is removed too: graphql-js's error would reveal that it exists.
    if (!isIterable(value)) return entry(value, call);
    const entries = Array.from(value, (item) => {
      // An entry whose owner cannot even be read is an error at its place, and does not end the list.
      try {
        const own = entry(item, call);
        return isPromise(own) ? own.then(undefined, (reason: unknown) => new Rejected(reason)) : own;
      } catch (reason) {
        return new Rejected(reason);
      }
    });
    return entries.some(isPromise) ? Promise.all(entries).then(withoutForeign) : withoutForeign(entries);
  };
  return own;
}

function withoutForeign(entries: readonly unknown[]): unknown[] {
  return entries
    .filter((entry) => entry !== FOREIGN)
    .map((entry) => (entry instanceof Rejected ? rejectedAgain(entry.reason) : entry));
}

/** graphql-js turns it into an error at its position a moment later. */
function rejectedAgain(reason: unknown): unknown {
  // eslint-disable-next-line @typescript-eslint/prefer-promise-reject-errors -- as the resolver rejected it
  return awaitedLater(Promise.reject(reason));
}
