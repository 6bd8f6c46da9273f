import type { GraphQLFieldResolver, GraphQLResolveInfo } from 'graphql';
import type { Clock } from '../clock.js';
import { delegationEnded } from './delegation-end.js';
import type { DelegationLife } from './delegation-end.js';
import { endWithDelegation } from './ending-stream.js';
import type { FieldPlan } from './field-plan.js';
import { OwnEvents } from './own-events.js';
import type { OwnRows, RowsCall } from './own-rows.js';
import { refusedFilter, refuseUnlessPermitted } from './protect-resolver.js';
import type { RequestState } from './request-state.js';
import type { ProtectionRuntime } from './runtime.js';
import { isAsyncIterable, isIterable } from './values.js';

/** The arguments of a `subscribe` function, except the source. */
interface Subscribed {
  readonly args: Record<string, unknown>;
  readonly contextValue: unknown;
  readonly info: GraphQLResolveInfo;
}

type Resolver = GraphQLFieldResolver<unknown, unknown, Record<string, unknown>>;

/**
 * The check around a subscription's source: refused before it is opened, without events of other subjects, and ended with the
 * delegation. The field's resolver decides each event again, because graphql-js runs it with the same context value.
 */
export function protectSubscription(
  plan: FieldPlan,
  { subscribe, resolve }: { readonly subscribe: Resolver; readonly resolve: Resolver },
  { stateOf, clock, log, revocationSignal }: ProtectionRuntime,
): Resolver {
  const { ownRows, subjectRecord } = plan;

  return (source, args, contextValue, info) => {
    const state = stateOf(contextValue);
    state.revoked ??= revocationSignal(state);
    if (state.hasEnded(clock.now())) throw delegationEnded();
    refuseUnlessPermitted(plan, state, args);

    const open = async (): Promise<unknown> => {
      const opened: unknown = await subscribe(source, args, contextValue, info);
      if (ownRows === undefined || !isAsyncIterable(opened)) return opened;
      const subscribed = { args, contextValue, info };
      return new OwnEvents(opened, (payload) => isOwnEvent(payload, subscribed, state, ownRows));
    };
    // For an anonymous caller, who only sees public events, nothing ends.
    return endWithDelegation(open, lifeOf(state, clock));
  };

  /** The event's row must be known to determine its owner, so the field is resolved once more than for the caller. */
  async function isOwnEvent(
    payload: unknown,
    { args, contextValue, info }: Subscribed,
    state: RequestState,
    own: OwnRows,
  ): Promise<boolean> {
    // Its resolver does not run for a caller who may not read it, and they get the denial when it is resolved for them.
    if (!state.permits(plan.requirementIndex)) return true;
    if (plan.filters !== undefined && refusedFilter(plan.filters, state, args) !== undefined) return true;
    const call: RowsCall = { state, contextValue, info, foreign: 0 };
    let left: unknown;
    try {
      const given: unknown = await resolve(payload, args, contextValue, { ...info, rootValue: payload });
      // Reading an iterator uses it up. Its foreign rows are removed when the field is resolved for the caller.
      if (isIterable(given) && isReadOnce(given)) return true;
      left = await own(given, call);
    } catch {
      // It fails again when it is resolved for the caller, who gets the error there.
      return true;
    }
    const isNothing = left === null || (isIterable(left) && [...left].length === 0);
    if (call.foreign === 0 || !isNothing) return true;
    state.recorder.denied(subjectRecord, call.foreign);
    log.report('FOREIGN_ROWS', subjectRecord.coordinate, call.foreign);
    return false;
  }
}

function isReadOnce(list: Iterable<unknown>): boolean {
  const iterator: unknown = list[Symbol.iterator]();
  return iterator === list;
}

function lifeOf(state: RequestState, clock: Clock): DelegationLife {
  return {
    clock,
    hasEnded: () => state.hasEnded(clock.now()),
    remainingMs: () => state.endsAtMs - clock.now(),
    revoked: state.revoked,
  };
}
