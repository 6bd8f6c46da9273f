import { auditEvents } from './event.js';
import type { RecordClass } from './record-class.js';
import { makeSalt } from './log/entry.js';
import type { AuditEntry } from './record.js';

/** Characters that PostgreSQL's text cannot hold, as JSON escapes them: NUL, and lone surrogates. */
const UNSTORABLE = /\\u0000|\\ud[89a-f]/i;

/** The kind of a record. */
export function classOf(entry: AuditEntry): RecordClass {
  return 'event' in entry ? auditEvents[entry.event].class : 'access';
}

/**
 * The text of a record: what is stored, hashed and proven. It ends with a random salt, so that an erased record cannot be found
 * again by hashing what it may have said.
 *
 * A caller must not escape the log by using a name that it cannot store.
 */
export function recordText(entry: AuditEntry): string {
  const content = { class: classOf(entry), ...entry, salt: makeSalt() };
  const json = JSON.stringify(content);
  if (!UNSTORABLE.test(json)) return json;
  return JSON.stringify(content, (_key, value: unknown) =>
    typeof value === 'string' ? value.toWellFormed().replaceAll('\0', '\uFFFD') : value,
  );
}
