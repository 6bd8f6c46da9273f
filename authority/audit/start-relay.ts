import { ChangeFeed } from '../changes/feed.js';
import { AuthorityError } from '../errors.js';
import { beginRecording } from './recording.js';
import { AuditRelay, type AuditRelayOptions, type EventSink } from './relay.js';

/** Short, because events that were not written are tried again. */
const MAX_WAIT_MS = 1_000;

/** @see startAuditRelay */
export interface StartRelayOptions extends Pick<AuditRelayOptions, 'db' | 'log' | 'clock'> {
  /** Of the authority's store. */
  readonly databaseUrl: string;
  /** Of the audit log; undefined if no events are recorded. */
  readonly auditUrl: string | undefined;
}

/**
 * Starts passing events on to the audit log. Every change that begins after it has resolved is recorded.
 *
 * @returns how to end it
 * @throws AuthorityError `OPTION_INVALID` when a package is not installed
 */
export async function startAuditRelay(options: StartRelayOptions): Promise<() => Promise<void>> {
  const { auditUrl, databaseUrl, db, log, clock } = options;
  if (auditUrl === undefined) return async () => undefined;
  const { PostgresAuditSink } = await loadAudit();
  await beginRecording(db);
  const sink: EventSink = new PostgresAuditSink({ databaseUrl: auditUrl, clock, maxWaitMs: MAX_WAIT_MS });
  const feed = new ChangeFeed(databaseUrl, log, 'audit', clock);
  await feed.open();
  const relay = new AuditRelay({ db, sink, feed, log, clock });
  return async () => {
    await relay.close();
    await feed.close();
  };
}

/** The package is optional, and loaded only here (docs/decisions/0048). */
async function loadAudit() {
  try {
    return await import('@behalf/audit/postgres');
  } catch (cause) {
    const isMissing = cause instanceof Error && 'code' in cause && cause.code === 'ERR_MODULE_NOT_FOUND';
    if (!isMissing) throw cause;
    const message = 'audit.database needs a package that is not installed: npm install @behalf/audit';
    throw new AuthorityError('OPTION_INVALID', message, { cause });
  }
}
