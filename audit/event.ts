import { authorityEvents } from './authority-events.js';
import type { AuditCaller } from './caller.js';
import type { AuditEventDescription } from './record-class.js';

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
  ...authorityEvents,
  'subject-erased': {
    class: 'log',
    description: 'A person’s key was destroyed: their name leads to no pseudonym any more.',
    details: [],
  },
  'subject-looked-up': {
    class: 'log',
    description: 'Somebody who is not the person looked for records about them, by name or by pseudonym.',
    details: [],
  },
  'log-key-added': {
    class: 'log',
    description: 'A key of the log introduced the next one, which signs checkpoints from then on.',
    details: ['key'],
  },
  'log-key-replaced': {
    class: 'log',
    description:
      'The key of the log is lost, and another one signs from then on. Verifiers do not follow to it.',
    details: ['key'],
  },
  'records-erased': {
    class: 'log',
    description: 'The texts of old records of one class were erased. Their entries stay in the tree.',
    details: ['class', 'before'],
  },
  'break-glass-begun': {
    class: 'log',
    description:
      'A gateway lets data leave without a durable record for a limited time, because somebody decided so.',
    details: ['until'],
  },
  'break-glass-ended': {
    class: 'log',
    description: 'The gateway requires a durable record again.',
    details: [],
  },
  'record-unreadable': {
    class: 'log',
    description:
      'What is stored in this place is no record. Only readers say so; `behalf audit verify` says whether it was changed.',
    details: [],
  },
  'records-lost': {
    class: 'log',
    description: 'A gateway could not store records, in audit mode `best-effort`.',
    details: ['count'],
  },
} as const satisfies Record<string, AuditEventDescription>);

/** The name of an event. */
export type AuditEventName = keyof typeof auditEvents;

/** The record of something besides a request. It never holds a value, a token or a subject's name. */
export interface AuditEvent {
  /** Of an authority's event. Delivery is at least once: two records with the same identifier are the same event. */
  readonly eventId?: string;
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
