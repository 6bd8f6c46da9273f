import type { OccasionalLog } from '../log.js';
import type { RequestState } from './request-state.js';

/** The services that wrappers around resolvers use while requests are served. */
export interface ProtectionRuntime {
  /** The state of the request that a context value belongs to; without one, a caller who showed nothing. */
  readonly stateOf: (contextValue: unknown) => RequestState;
  /** Milliseconds since the epoch. */
  readonly nowMs: () => number;
  readonly log: OccasionalLog;
  /** Gives a signal that aborts when the delegation is revoked; undefined where the subgraph is not told. */
  readonly revocationSignal: (state: RequestState) => AbortSignal | undefined;
}
