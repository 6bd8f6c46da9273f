import type { Clock } from '../clock.js';
import type { OccasionalLog } from '../log.js';
import type { RequestState } from './request-state.js';

/** The services that wrappers around resolvers use while requests are served. */
export interface ProtectionRuntime {
  /** The state of a context value's request; without one, an anonymous caller. */
  readonly stateOf: (contextValue: unknown) => RequestState;
  readonly clock: Clock;
  readonly log: OccasionalLog;
  /** Returns a signal that aborts when the delegation is revoked; undefined if the subgraph has none. */
  readonly revocationSignal: (state: RequestState) => AbortSignal | undefined;
}
