import { auditEvents } from './event.js';
import type { RecordClass } from './record-class.js';
import type { AuditEntry } from './record.js';

/** The kind of a record that was read; undefined for an event of a later version. */
export function storedClassOf(entry: AuditEntry): RecordClass | undefined {
  if (!('event' in entry)) return 'access';
  return Object.hasOwn(auditEvents, entry.event) ? auditEvents[entry.event].class : undefined;
}
