import type pg from 'pg';

/** Our statements take milliseconds. Longer is a fault, and whoever waits is told. */
const STATEMENT_TIMEOUT_MS = 30_000;
/** Every lock that we take is held for the length of one short transaction. */
const LOCK_TIMEOUT_MS = 3_000;
/** A process that stops in the middle of a transaction gives its locks back. */
const IDLE_IN_TRANSACTION_TIMEOUT_MS = 60_000;

/** How long the server lets one connection wait. */
export interface Timeouts {
  /** Milliseconds; default 30,000. 0: without end, for work that a person watches. */
  readonly statementTimeoutMs?: number;
  /** Milliseconds; default 3,000. 0: without end. */
  readonly lockTimeoutMs?: number;
}

/**
 * What every connection of ours is opened with, so that nothing waits for ever. The server enforces it.
 *
 * It protects us from waiting, and not the database from others: any role can change these settings for its own session.
 */
export function timeoutSettings({ lockTimeoutMs, statementTimeoutMs }: Timeouts = {}): pg.ClientConfig {
  return {
    statement_timeout: statementTimeoutMs ?? STATEMENT_TIMEOUT_MS,
    lock_timeout: lockTimeoutMs ?? LOCK_TIMEOUT_MS,
    idle_in_transaction_session_timeout: IDLE_IN_TRANSACTION_TIMEOUT_MS,
    keepAlive: true,
  };
}
