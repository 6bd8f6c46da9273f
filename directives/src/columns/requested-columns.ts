import type { FieldNode, GraphQLResolveInfo } from 'graphql';
import type { Delegation } from '../claims/delegation.js';
import { stateWithin } from '../enforce/guard.js';
import type { RequestState } from '../enforce/request-state.js';
import type { ColumnMapping } from './column-mapping.js';
import { columnsFor } from './columns-for.js';
import type { RequestedColumn } from './requested-column.js';

/** A computed list, for the other rows for which the same fields are resolved. */
interface Known {
  readonly mapping: ColumnMapping;
  readonly path: string;
  readonly fieldNodes: readonly FieldNode[];
  readonly state: RequestState;
  readonly delegation: Delegation | undefined;
  readonly columns: readonly RequestedColumn[];
}

/** By an object that graphql-js creates per execution, and the first of the fields that are resolved. */
const known = new WeakMap<object, Map<FieldNode | undefined, Known[]>>();

/**
 * The columns that the operation needs of the rows of one type, and that its caller may see: without those of fields that a rule
 * denies, and with the detail in which the others are returned. A resolver, or the DataLoader that it calls, selects only these.
 *
 * The values are still minimized afterwards, so a column may be selected in more detail than stated, and not in less. In shadow
 * nothing is denied or minimized.
 *
 * @param info of the resolver that loads the rows, or of `__resolveReference`
 * @param context the request's context value from `protectedContext`. Any other one counts as an anonymous caller's, who sees only
 * what is `@public`.
 * @param path from the field that is resolved to that which returns the rows, for example `edges.node`
 * @returns in the order of the mapping. The same list for all rows for which a field is resolved.
 * @throws {DirectiveError} `INVALID_COLUMNS` if the mapping does not fit the schema, or the field; `NOT_PROTECTED`
 *
 * @example
 * ```ts
 * import { requestedColumns, type ColumnMapping, type ProtectedContext } from '@behalf/directives';
 * import type { GraphQLResolveInfo } from 'graphql';
 *
 * const ACCOUNT: ColumnMapping = {
 *   type: 'Account',
 *   always: ['id', { column: 'holder_id', as: 'holderId' }],
 *   columns: { id: 'id', iban: 'iban', balance: { column: 'balance', type: 'numeric' }, holder: [] },
 * };
 * declare function selectAccount(id: string, columns: readonly { readonly column: string }[]): Promise<unknown>;
 *
 * type Arguments = { readonly id: string };
 * export function account(_source: unknown, { id }: Arguments, context: ProtectedContext, info: GraphQLResolveInfo) {
 *   return selectAccount(id, requestedColumns(info, context, ACCOUNT));
 * }
 * ```
 */
export function requestedColumns(
  info: GraphQLResolveInfo,
  context: unknown,
  mapping: ColumnMapping,
  path = '',
): readonly RequestedColumn[] {
  const state = stateWithin(info.schema, context);
  const { delegation } = state;
  const alike = listsOf(info);
  const isSame = (each: Known): boolean =>
    each.mapping === mapping && each.path === path && areSame(each.fieldNodes, info.fieldNodes);
  const at = alike.findIndex(isSame);
  const found = alike[at];
  if (found?.state === state && found.delegation === delegation) return found.columns;
  const columns = columnsFor({ info, state }, mapping, path);
  const computed = { mapping, path, fieldNodes: info.fieldNodes, state, delegation, columns };
  alike[at === -1 ? alike.length : at] = computed;
  return columns;
}

function listsOf({ variableValues, fieldNodes }: GraphQLResolveInfo): Known[] {
  const byNode = known.get(variableValues) ?? new Map<FieldNode | undefined, Known[]>();
  known.set(variableValues, byNode);
  const lists = byNode.get(fieldNodes[0]) ?? [];
  byNode.set(fieldNodes[0], lists);
  return lists;
}

function areSame(some: readonly FieldNode[], others: readonly FieldNode[]): boolean {
  return some === others || (some.length === others.length && some.every((node, at) => node === others[at]));
}
