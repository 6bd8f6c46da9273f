import type { AuditEvent, AuditSink, SubjectPseudonyms } from '@behalf/audit';
import type { Clock } from '@behalf/directives';
import { withoutUndefined } from '@behalf/directives/internal';
import type { Log } from '@behalf/store';
import { type Selectable, sql, type Transaction } from 'kysely';

import type { AuditOutboxTable } from '../audit-schema.js';
import type { ChangeFeed } from '../changes/feed.js';
import type { AuthorityDatabase, AuthoritySchema } from '../schema.js';
import { beginRecording, recordLostEvents } from './recording.js';

const BATCH = 200;
/** How often it looks without being woken. */
const LOOK_MS = 5_000;
const FIRST_PAUSE_MS = 500;
const MAX_PAUSE_MS = 5_000;
/** How often it says that it works, or that the log cannot be written. */
const TELL_MS = 60_000;

type Row = Selectable<AuditOutboxTable>;

/** A sink that has pseudonyms of its own, and can tell whether it would store a record now. */
export type EventSink = AuditSink & Required<Pick<AuditSink, 'check' | 'pseudonymsOf'>>;

/** @see AuditRelay */
export interface AuditRelayOptions {
  readonly db: AuthorityDatabase;
  /** The relay closes it. */
  readonly sink: EventSink;
  /** Listens to `audit`: wakes when there is an event. */
  readonly feed: ChangeFeed;
  readonly log: Log;
  readonly clock: Clock;
}

/**
 * Passes events on to the audit log, from the table in which each change left its own. Events are deleted when the log has made
 * them durable, so each gets there at least once: if the relay dies in between, it is repeated with the same `eventId`. Every
 * instance of the authority does it; a row's lock decides which one, and rows go in order unless two instances share the work.
 *
 * While the log cannot be written, events wait, and the changes that they are about are made all the same.
 */
export class AuditRelay {
  readonly #options: AuditRelayOptions;
  readonly #closing = new AbortController();
  readonly #loop: Promise<void>;
  #saidWorkingMs = -Infinity;
  #saidWaitingMs = -Infinity;
  /** The pause after the last failure; 0 if there was none. */
  #pauseMs = 0;

  /** Starts with events that waited while no instance ran. */
  constructor(options: AuditRelayOptions) {
    this.#options = options;
    this.#loop = this.#run();
  }

  /** Waits for the current round, and closes the sink. Events that wait stay in the store. */
  async close(): Promise<void> {
    this.#closing.abort();
    await this.#loop;
    await this.#options.sink.close();
  }

  async #run(): Promise<void> {
    const { clock, feed } = this.#options;
    const { signal } = this.#closing;
    while (!signal.aborted) {
      // Subscribe before querying, or an event in between is missed.
      const woken = new AbortController();
      const end = (): void => woken.abort();
      signal.addEventListener('abort', end, { once: true });
      const change = feed.wait(woken.signal, LOOK_MS);
      const hasMore = await this.#round();
      if (this.#pauseMs > 0) await clock.sleep(this.#pauseMs, signal);
      else if (!hasMore) await change;
      end();
      signal.removeEventListener('abort', end);
    }
  }

  /** @returns whether there may be more. Never rejects: what fails is tried again. */
  async #round(): Promise<boolean> {
    try {
      await this.#sayWorking();
      // While the log is away, no rows are locked, and no transaction stays open.
      if (this.#pauseMs > 0) await this.#options.sink.check();
      const hasMore = await this.#passOn();
      if (!hasMore) await this.#tellLost();
      this.#pauseMs = 0;
      return hasMore;
    } catch (error) {
      this.#pauseMs = Math.min(Math.max(FIRST_PAUSE_MS, this.#pauseMs * 2), MAX_PAUSE_MS);
      await this.#sayWaiting(error);
      return false;
    }
  }

  /** @throws the reason why an event has to wait; those that the log took are deleted */
  async #passOn(): Promise<boolean> {
    const { db } = this.#options;
    const { failures, count } = await db.transaction().execute(async (trx) => {
      const rows = await trx
        .selectFrom('authority.audit_outbox')
        .selectAll()
        .orderBy('id')
        .limit(BATCH)
        .forUpdate()
        .skipLocked()
        .execute();
      return { failures: await this.#append(trx, rows), count: rows.length };
    });
    if (failures.length > 0) throw new EventsWaitError(failures[0]);
    return count === BATCH;
  }

  /** Appends what the log takes, and deletes that. @returns why others have to wait */
  async #append(trx: Transaction<AuthoritySchema>, rows: readonly Row[]): Promise<readonly unknown[]> {
    if (rows.length === 0) return [];
    const { sink } = this.#options;
    const pseudonyms = await sink.pseudonymsOf(namesIn(rows));
    const appended = await Promise.allSettled(rows.map((row) => sink.append(toEvent(row, pseudonyms))));
    const done: number[] = [];
    const failures: unknown[] = [];
    for (const [at, row] of rows.entries()) {
      const result = appended[at];
      if (result?.status === 'fulfilled') done.push(row.id);
      else if (codeOf(result?.reason) !== 'AUDIT_RECORD_REFUSED') failures.push(result?.reason);
      else {
        await this.#giveUp(trx, row);
        done.push(row.id);
      }
    }
    if (done.length > 0) await trx.deleteFrom('authority.audit_outbox').where('id', 'in', done).execute();
    return failures;
  }

  /** It would be refused again, and everything behind it would wait for ever. */
  async #giveUp(trx: Transaction<AuthoritySchema>, { event, event_id: eventId }: Row): Promise<void> {
    await sql`select nextval('authority.audit_events_lost')`.execute(trx);
    this.#options.log.log('error', 'AUDIT_EVENT_REFUSED', { event, eventId });
  }

  async #tellLost(): Promise<void> {
    const count = await recordLostEvents(this.#options.db);
    if (count > 0) this.#options.log.log('error', 'AUDIT_EVENTS_LOST', { count });
  }

  async #sayWorking(): Promise<void> {
    const { clock, db } = this.#options;
    if (clock.monotonic() - this.#saidWorkingMs < TELL_MS) return;
    await beginRecording(db);
    this.#saidWorkingMs = clock.monotonic();
  }

  async #sayWaiting(error: unknown): Promise<void> {
    const { clock, db, log } = this.#options;
    if (this.#closing.signal.aborted || clock.monotonic() - this.#saidWaitingMs < TELL_MS) return;
    this.#saidWaitingMs = clock.monotonic();
    const waiting = await countWaiting(db).catch(() => -1);
    log.log('error', 'AUDIT_EVENTS_WAIT', { reason: codeOf(error) ?? 'unexpected error', waiting });
  }
}

/** Nearly, without counting a million rows. */
async function countWaiting(db: AuthorityDatabase): Promise<number> {
  const { rows } = await sql<{ count: number }>`
    select coalesce(max(id) - min(id) + 1, 0) as count from authority.audit_outbox`.execute(db);
  return rows[0]?.count ?? 0;
}

function namesIn(rows: readonly Row[]): readonly string[] {
  return [...new Set(rows.flatMap(({ caller, subjects }) => [caller.subject ?? [], subjects].flat()))];
}

function toEvent(row: Row, pseudonyms: SubjectPseudonyms): AuditEvent {
  const { subject, ...caller } = row.caller;
  const subjects = row.subjects.flatMap((name) => pseudonyms.get(name) ?? []).sort();
  return withoutUndefined({
    eventId: row.event_id,
    transactionId: row.transaction_id,
    traceId: row.trace_id ?? undefined,
    time: row.occurred_at.getTime(),
    // Another version of the authority may have written it, with an event of its own.
    event: row.event as AuditEvent['event'],
    caller: withoutUndefined({
      ...caller,
      subjectPseudonym: subject === undefined ? undefined : pseudonyms.get(subject),
    }),
    operator: row.operator ?? undefined,
    reason: row.reason ?? undefined,
    subjects: subjects.length === 0 ? undefined : subjects,
    details: row.details ?? undefined,
  });
}

/** Events wait because the log did not take them. */
class EventsWaitError extends Error {
  override readonly name = 'EventsWaitError';
  readonly code: string | undefined;

  constructor(cause: unknown) {
    super('Events wait for the audit log', { cause });
    this.code = codeOf(cause);
  }
}

/** A code of `AuditError`, which a static import would load, or of the database. */
function codeOf(error: unknown): string | undefined {
  return error instanceof Error && 'code' in error && typeof error.code === 'string' ? error.code : undefined;
}
