/** How a server ends on SIGTERM. The gateway's `drainMs` is 35,000 by default, the authority's 5,000. */
export interface ShutdownOptions {
  /**
   * How long `/health/ready` says `DRAINING`, while requests are still answered, so that load balancers stop sending any.
   * Milliseconds, default 5,000.
   */
  readonly notReadyMs?: number;
  /** How long requests in flight may then take until they are cut off. Milliseconds. */
  readonly drainMs?: number;
}

/** By which a load balancer has asked once or twice. */
export const DEFAULT_NOT_READY_MS = 5_000;
export const MAX_SHUTDOWN_MS = 600_000;

/** @returns what is wrong with the options; undefined if they can be used */
export function shutdownProblem({ notReadyMs, drainMs }: ShutdownOptions): string | undefined {
  for (const [name, value] of Object.entries({ notReadyMs, drainMs })) {
    if (value !== undefined && (!Number.isInteger(value) || value < 0 || value > MAX_SHUTDOWN_MS))
      return `shutdown.${name} must be a whole number of milliseconds from 0 to 600,000`;
  }
  return undefined;
}
