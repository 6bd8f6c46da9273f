import { defaultTypeResolver, isAbstractType, isListType, isNonNullType } from 'graphql';
import type { GraphQLAbstractType, GraphQLOutputType, GraphQLResolveInfo, GraphQLSchema } from 'graphql';
import type { RuleTable } from '../decide/rule-table.js';
import type { RequestState } from './request-state.js';
import { collect, isAsyncIterable, isIterable, isPromise } from './values.js';

/** One call of a resolver, and how many foreign rows were found in what it returned. */
export interface RowsCall {
  readonly state: RequestState;
  readonly contextValue: unknown;
  readonly info: GraphQLResolveInfo;
  foreign: number;
}

/** Returns a resolver's result as if no foreign row had been in it; a promise where it has to wait for some. */
export type OwnRows = (value: unknown, call: RowsCall) => unknown;

/** Holds the place of an entry that was rejected, while the others are waited for. */
class Rejected {
  constructor(readonly reason: unknown) {}
}

/** Stands for a foreign row until the list that it is in leaves it out. */
const FOREIGN = Symbol('foreign row');

/**
 * Compiles `@subject` of the types that a field can return to a function of what its resolver returns: null for a foreign row,
 * and lists without theirs, at every depth. To the caller, a row of another subject is one that does not exist.
 *
 * @returns undefined where no type that it can return has `@subject`.
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

/**
 * The type of a row is resolved as graphql-js resolves it afterwards. A row of unknown type is left to graphql-js, which refuses
 * it.
 */
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
    // A list for graphql 17.
    if (isAsyncIterable(value) && !isIterable(value)) return collect(value).then((rows) => own(rows, call));
    // A single row where a list should be: graphql-js would tell that there is one.
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

/** graphql-js makes an error of it at its place, a moment later. Until then Node must not report it as unhandled. */
function rejectedAgain(reason: unknown): Promise<never> {
  // eslint-disable-next-line @typescript-eslint/prefer-promise-reject-errors -- as the resolver rejected it
  const rejected = Promise.reject(reason);
  rejected.catch(() => undefined);
  return rejected;
}
