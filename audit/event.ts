import type { AuditCaller } from './caller.js';

/** The kind of a record, on which its retention depends. */
export type RecordClass =
  /** What was read, and what was refused. */
  | 'access'
  /** The life of consents. */
  | 'consent'
  /** Who may do what: revocations, keys, clients, policies, sign-ins. */
  | 'security'
  /** The log itself: what is not in it any more, and who looked for whom. */
  | 'log';

/**
 * Every {@link RecordClass}.
 *
 * @example
 * ```ts
 * import { recordClasses } from '@behalf/audit';
 *
 * console.log(recordClasses); // ['access', 'consent', 'security', 'log']
 * ```
 */
export const recordClasses: readonly RecordClass[] = Object.freeze(['access', 'consent', 'security', 'log']);

interface AuditEventDescription {
  readonly class: RecordClass;
  readonly description: string;
}

/**
 * What is recorded besides requests. The names are stable.
 *
 * @example
 * ```ts
 * import { auditEvents } from '@behalf/audit';
 *
 * for (const [name, event] of Object.entries(auditEvents)) console.log(name, event.class, event.description);
 * ```
 */
export const auditEvents = Object.freeze({
  'subject-erased': {
    class: 'log',
    description: 'A person’s key was destroyed: nothing leads from them to their records any more.',
  },
  'subject-looked-up': {
    class: 'log',
    description: 'Somebody who is not the person asked for the pseudonym under which records name them.',
  },
  'log-key-added': {
    class: 'log',
    description: 'A key of the log introduced the next one, which signs checkpoints from then on.',
  },
  'records-erased': {
    class: 'log',
    description: 'The texts of old records of one class were erased. Their entries stay in the tree.',
  },
  'break-glass-begun': {
    class: 'log',
    description:
      'A gateway lets data leave without a durable record for a limited time, because somebody decided so.',
  },
  'break-glass-ended': {
    class: 'log',
    description: 'The gateway requires a durable record again.',
  },
  'records-lost': {
    class: 'log',
    description: 'A gateway could not store records, in audit mode `best-effort`.',
  },
} as const satisfies Record<string, AuditEventDescription>);

/** The name of an event. */
export type AuditEventName = keyof typeof auditEvents;

/** The record of something besides a request. It never holds a value, a token or a subject's name. */
export interface AuditEvent {
  /** Of the request that did it, or of the event alone. */
  readonly transactionId: string;
  /** 32 hex digits (W3C Trace Context). */
  readonly traceId?: string;
  /** Milliseconds since the epoch. */
  readonly time: number;
  readonly event: AuditEventName;
  /** On whose behalf it was done; empty when nobody's token was involved. */
  readonly caller: AuditCaller;
  /** Who did it at a command line or a console, as they named themselves. */
  readonly operator?: string;
  /** Why, as they said. */
  readonly reason?: string;
  /** For `log-key-added`: the new key, in a note that a key before it signed (C2SP signed-note). */
  readonly statement?: string;
  /** Pseudonyms of the people whom it concerns, sorted. */
  readonly subjects?: readonly string[];
  /** What it concerns, by identifiers and numbers. */
  readonly details?: Readonly<Record<string, string | number | boolean | readonly string[]>>;
}
