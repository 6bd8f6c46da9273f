/** Our statements take milliseconds. A longer one is a fault, and its caller gets an error. */
const STATEMENT_TIMEOUT_MS = 30_000;
/** We hold each lock for one short transaction only. */
const LOCK_TIMEOUT_MS = 3_000;
/** Frees the locks of a process that stops in the middle of a transaction. */
const IDLE_IN_TRANSACTION_TIMEOUT_MS = 60_000;

/** How long the server lets a connection wait. */
export interface Timeouts {
  /** Milliseconds. Default: 30,000. 0: no limit, for work that a person watches. */
  readonly statementTimeoutMs?: number;
  /** Milliseconds. Default: 3,000. 0: no limit. */
  readonly lockTimeoutMs?: number;
}

/** Those settings of a client of `pg` that bound its waiting. Written out, because `pg` brings no types: whoever installs us may lack them. */
export interface TimeoutSettings {
  readonly statement_timeout: number;
  readonly lock_timeout: number;
  readonly idle_in_transaction_session_timeout: number;
  readonly keepAlive: boolean;
}

/**
 * The settings of every connection, so that nothing waits forever. The server enforces them.
 *
 * They protect us from waiting; they do not protect the database, because any role can change its own session's settings.
 */
export function timeoutSettings({ lockTimeoutMs, statementTimeoutMs }: Timeouts = {}): TimeoutSettings {
  return {
    statement_timeout: statementTimeoutMs ?? STATEMENT_TIMEOUT_MS,
    lock_timeout: lockTimeoutMs ?? LOCK_TIMEOUT_MS,
    idle_in_transaction_session_timeout: IDLE_IN_TRANSACTION_TIMEOUT_MS,
    keepAlive: true,
  };
}
