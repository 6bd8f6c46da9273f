import type { GraphQLFieldResolver, GraphQLResolveInfo } from 'graphql';
import { requiresOf } from '../decide/filter-gate.js';
import type { FilterRefusal } from '../decide/filter-gate.js';
import { refusedArgument } from '../decide/filter-values.js';
import type { RefusedArgument } from '../decide/filter-values.js';
import { delegationEnded } from './delegation-end.js';
import { denialError, requirementDenial } from './denial.js';
import type { FieldFilters, FieldPlan, PlannedStatement } from './field-plan.js';
import type { OwnRows, RowsCall } from './own-rows.js';
import type { RequestState } from './request-state.js';
import type { ProtectionRuntime } from './runtime.js';
import { isPromise } from './values.js';

/** The check around one field: refused before the resolver runs, without foreign rows and minimized afterwards. */
export function protectResolver(
  plan: FieldPlan,
  resolve: GraphQLFieldResolver<unknown, unknown>,
  runtime: ProtectionRuntime,
  isSubscription: boolean,
): GraphQLFieldResolver<unknown, unknown> {
  const { record, rowOwner, ownRows } = plan;
  const { stateOf, clock } = runtime;

  return (source, args: Record<string, unknown>, contextValue, info) => {
    const state = stateOf(contextValue);
    if (plan.isRoot) {
      // An event that is stored and executed later reveals no more than the stream would have.
      if (isSubscription && state.hasEnded(clock.now())) throw delegationEnded();
      state.begin(info.variableValues, clock.now());
    }
    refuseUnlessPermitted(plan, state, args);
    // Foreign rows are removed where they are returned. One that gets here another way, such as through a server's own
    // `typeResolver`, is treated as missing as well.
    if (rowOwner !== undefined && !state.reads(source, rowOwner)) {
      state.recorder.denied(plan.subjectRecord);
      return null;
    }
    const resolved: unknown = resolve(source, args, contextValue, info);
    const value =
      ownRows === undefined
        ? resolved
        : withoutForeignRows(plan, ownRows, resolved, { state, contextValue, info }, runtime);
    const statement = plannedStatement(plan, state);
    if (statement === undefined) {
      state.recorder.allowed(record);
      return value;
    }
    state.recorder.minimized(statement.record);
    // An anonymous caller has no client for pseudonyms: all of them share one.
    return statement.minimizer(value, {
      clientId: state.delegation?.clientId ?? '',
      purposes: state.delegation?.consent?.purposes,
      subject: state.personBehind(source, rowOwner),
      entity: plan.minimization?.entityKey?.(source),
    });
  };
}

/** The statement of `@minimize` that applies to the caller; undefined: the value is whole. */
export function plannedStatement(
  { minimization }: FieldPlan,
  state: RequestState,
): PlannedStatement | undefined {
  if (minimization === undefined) return undefined;
  const index = state.statementOf(minimization.index);
  if (index === undefined) return undefined;
  const statement = minimization.statements[index];
  if (statement === undefined) throw new Error('a field is minimized by a statement that was not compiled');
  return statement;
}

/** The one place where a subgraph refuses a field: by its own rules, or by those of a field that its arguments filter by. */
export function refuseUnlessPermitted(
  plan: FieldPlan,
  state: RequestState,
  args: Readonly<Record<string, unknown>>,
): void {
  if (!state.permits(plan.requirementIndex)) {
    state.recorder.denied(plan.record);
    throw requirementDenial(plan.record.coordinate, plan.requirement);
  }
  const refused = plan.filters === undefined ? undefined : refusedFilter(plan.filters, state, args);
  if (plan.filters === undefined || refused === undefined) return;
  state.recorder.denied(plan.filters.record);
  const { argument, gate, refusal } = refused;
  throw denialError(`${plan.record.coordinate}(${argument}:)`, requiresOf(gate, refusal));
}

/** The first argument that the caller may not use. */
export function refusedFilter(
  { members, inputs }: FieldFilters,
  state: RequestState,
  args: Readonly<Record<string, unknown>>,
): RefusedArgument<FilterRefusal> | undefined {
  return refusedArgument(args, members, inputs, (gate) => state.filterRefusal(gate));
}

/** The caller sees nothing of a foreign row, so the record and the log tell the team. */
function withoutForeignRows(
  { subjectRecord }: FieldPlan,
  ownRows: OwnRows,
  resolved: unknown,
  from: { readonly state: RequestState; readonly contextValue: unknown; readonly info: GraphQLResolveInfo },
  { log }: ProtectionRuntime,
): unknown {
  const call: RowsCall = { ...from, foreign: 0 };
  const tell = (rest: unknown): unknown => {
    if (call.foreign > 0) {
      from.state.recorder.denied(subjectRecord, call.foreign);
      log.report('FOREIGN_ROWS', subjectRecord.coordinate, call.foreign);
    }
    return rest;
  };
  const rest = ownRows(resolved, call);
  return isPromise(rest) ? rest.then(tell) : tell(rest);
}
