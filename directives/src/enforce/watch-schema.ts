import { isListType, isNonNullType } from 'graphql';
import type { GraphQLFieldResolver, GraphQLOutputType } from 'graphql';
import type { FieldPlan } from './field-plan.js';
import { plannedStatement, refusedFilter } from './protect-resolver.js';
import type { RequestState } from './request-state.js';

/**
 * Shadow mode: the field's result is returned unchanged (except rows behind a statistic), and the decision that enforcement would
 * have made is counted.
 */
export function watchResolver(
  plan: FieldPlan,
  resolve: GraphQLFieldResolver<unknown, unknown>,
  stateOf: (contextValue: unknown) => RequestState,
): GraphQLFieldResolver<unknown, unknown> {
  const { record, subjectRecord, filters, rowOwner, returnedOwner } = plan;

  return (source, args: Record<string, unknown>, contextValue, info) => {
    const state = stateOf(contextValue);
    const { recorder } = state;
    const statement = plannedStatement(plan, state);
    const statistic = statement?.isStatistic === true ? statement : undefined;
    if (!state.permits(plan.requirementIndex)) recorder.wouldDeny(record);
    else if (filters !== undefined && refusedFilter(filters, state, args) !== undefined)
      recorder.wouldDeny(filters.record);
    else if (rowOwner !== undefined && !state.mayRead(source, rowOwner)) recorder.wouldDeny(subjectRecord);
    else if (statement === undefined) recorder.allowed(record);
    else if (statistic === undefined) recorder.wouldMinimize(statement.record);
    else recorder.minimized(statistic.record);
    // The row is read either way.
    if (rowOwner !== undefined) state.noteRow(source, rowOwner);
    const value: unknown = resolve(source, args, contextValue, info);
    if (returnedOwner !== undefined) {
      watchRows(value, info.returnType, (row) => {
        if (!state.mayRead(row, returnedOwner)) recorder.wouldDeny(subjectRecord);
      });
    }
    return statistic === undefined ? value : statistic.minimizer(value, { clientId: '' });
  };
}

/** Reads each row, but only what can be read twice: an iterator would be used up, and a query repeated. */
function watchRows(value: unknown, type: GraphQLOutputType, watch: (row: object) => void): void {
  if (isNonNullType(type)) {
    watchRows(value, type.ofType, watch);
    return;
  }
  if (typeof value !== 'object' || value === null || value instanceof Error) return;
  if (value instanceof Promise) {
    value.then(
      (settled) => {
        watchRows(settled, type, watch);
      },
      () => undefined,
    );
    return;
  }
  if (!isListType(type)) watch(value);
  else if (Array.isArray(value)) for (const entry of value as unknown[]) watchRows(entry, type.ofType, watch);
}
