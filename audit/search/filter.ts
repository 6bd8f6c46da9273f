import { OUTCOMES } from '../columns.js';
import { AuditError } from '../errors.js';
import { auditEvents } from '../event.js';
import type { AuditEventName } from '../event.js';
import { recordClasses } from '../record-class.js';
import type { RecordClass } from '../record-class.js';
import type { AuditOutcome } from '../record.js';

/** Which records are searched for: those that match every given member. */
export interface AuditFilter {
  /** The pseudonym of a person whom the record is about: its caller, or somebody whose rows were read. */
  readonly subject?: string;
  /** The application that called. */
  readonly client?: string;
  /** The current actor (RFC 8693 `act.sub`). */
  readonly actor?: string;
  /** A field of the schema, `Type.field`, that was asked for. */
  readonly coordinate?: string;
  readonly outcome?: AuditOutcome;
  readonly event?: AuditEventName;
  readonly class?: RecordClass;
  /** The transaction id, a UUID. */
  readonly transaction?: string;
  /** Stored at this time or later, by the database's clock. */
  readonly from?: Date;
  /** Stored before this time, by the database's clock. */
  readonly until?: Date;
}

/** Pseudonyms are base64url of 32 bytes; another sink may make longer ones. */
const PSEUDONYM = /^[\w-]{1,128}$/;
const UUID = /^[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}$/i;
/** Names in records are shorter. */
const MAX_NAME_LENGTH = 1_024;
const MAX_TIME_MS = Date.UTC(10_000, 0) - 1;
/** Control characters, and characters that PostgreSQL cannot store (NUL, half a surrogate pair). */
const UNSTORABLE = /[\p{Cc}\p{Cs}]/u;

const isName = (value: unknown): boolean =>
  typeof value === 'string' && value !== '' && value.length <= MAX_NAME_LENGTH && !UNSTORABLE.test(value);
/** From 1970 to 9999: PostgreSQL does not take every time that JavaScript has. */
export const isTime = (value: unknown): boolean =>
  value instanceof Date && value.getTime() >= 0 && value.getTime() <= MAX_TIME_MS;
const matches = (pattern: RegExp) => (value: unknown) => typeof value === 'string' && pattern.test(value);
const isKeyOf = (names: object) => (value: unknown) =>
  typeof value === 'string' && Object.hasOwn(names, value);

/** Whether each member can be searched for. A filter may come from a caller who can put anything into it. */
const CHECKS: { readonly [Name in keyof Required<AuditFilter>]: (value: unknown) => boolean } = {
  subject: matches(PSEUDONYM),
  client: isName,
  actor: isName,
  coordinate: isName,
  outcome: isKeyOf(OUTCOMES),
  event: isKeyOf(auditEvents),
  class: (value) => recordClasses.some((name) => name === value),
  transaction: matches(UUID),
  from: isTime,
  until: isTime,
};

/** The message never quotes a value. */
export function searchRefused(message: string): AuditError {
  return new AuditError('AUDIT_SEARCH_REFUSED', { message });
}

/** @throws {AuditError} `AUDIT_SEARCH_REFUSED` naming the member, and never its value */
export function checkFilter(filter: AuditFilter): void {
  for (const [name, value] of Object.entries(filter)) {
    if (value === undefined) continue;
    const isUsable = Object.hasOwn(CHECKS, name) && CHECKS[name as keyof AuditFilter](value);
    if (!isUsable) throw searchRefused(`"${name}" cannot be searched for`);
  }
}

/** @throws {AuditError} `AUDIT_SEARCH_REFUSED` when nobody can have this name */
export function checkSubject(subject: string): void {
  if (!isName(subject)) throw searchRefused('"subject" cannot be searched for');
}
