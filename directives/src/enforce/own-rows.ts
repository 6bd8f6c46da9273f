import { defaultTypeResolver, isAbstractType, isListType, isNonNullType } from 'graphql';
import type { GraphQLAbstractType, GraphQLOutputType, GraphQLResolveInfo, GraphQLSchema } from 'graphql';
import type { RuleTable } from '../decide/rule-table.js';
import type { RequestState } from './request-state.js';
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

/** Marks a rejected entry while the others are awaited. */
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
  rules: RuleTable,
): OwnRows | undefined {
  const own = compileType(type, schema, rules);
  if (own === undefined) return undefined;
  const orNull = (value: unknown): unknown => (value === FOREIGN ? null : value);
  return (value, call) => {
    const rest = own(value, call);
    return isPromise(rest) ? rest.then(orNull) : orNull(rest);
  };
}

function compileType(type: GraphQLOutputType, schema: GraphQLSchema, rules: RuleTable): OwnRows | undefined {
  if (isNonNullType(type)) return compileType(type.ofType, schema, rules);
  const single = isListType(type)
    ? compileList(type.ofType, schema, rules)
    : isAbstractType(type)
      ? compileAbstract(type, schema, rules)
      : compileObject(rules.type(type.name)?.subject);
  if (single === undefined) return undefined;
  const own: OwnRows = (value, call) => {
    if (value === null || value === undefined || value instanceof Error) return value;
    return isPromise(value) ? value.then((settled) => own(settled, call)) : single(value, call);
  };
  return own;
}

function compileObject(property: string | undefined): OwnRows | undefined {
  if (property === undefined) return undefined;
  return (row, call) => ownOrForeign(row, property, call);
}

function ownOrForeign(row: unknown, property: string, call: RowsCall): unknown {
  if (call.state.owns(row, property)) return row;
  call.foreign += 1;
  return FOREIGN;
}

/** Resolves a row's type as graphql-js does later, which refuses a row of unknown type. */
function compileAbstract(
  type: GraphQLAbstractType,
  schema: GraphQLSchema,
  rules: RuleTable,
): OwnRows | undefined {
  const subjects = new Map<unknown, string>();
  for (const { name } of schema.getPossibleTypes(type)) {
    const property = rules.type(name)?.subject;
    if (property !== undefined) subjects.set(name, property);
  }
  if (subjects.size === 0) return undefined;

  return (row, call) => {
    const decide = (name: unknown): unknown => {
      const property = subjects.get(name);
      return property === undefined ? row : ownOrForeign(row, property, call);
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
  rules: RuleTable,
): OwnRows | undefined {
  const entry = compileType(entryType, schema, rules);
  if (entry === undefined) return undefined;
  const own: OwnRows = (value, call) => {
    // An async list, for graphql 17.
    if (isAsyncIterable(value) && !isIterable(value)) return collect(value).then((rows) => own(rows, call));
    // A single row in place of a list is removed too: graphql-js's error would reveal that it exists.
    if (!isIterable(value)) return entry(value, call);
    const entries = Array.from(value, (item) => {
      const own = entry(item, call);
      return isPromise(own) ? own.then(undefined, (reason: unknown) => new Rejected(reason)) : own;
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
