import { auditEvents } from '@behalf/audit';
import { cell, MADE_BY, table } from './markdown.js';

/** What the audit log has besides requests, as Markdown, generated from the registry. */
export function auditEventsReference(): string {
  const rows = Object.entries(auditEvents).map(([name, { class: recordClass, description, details }]) => [
    `\`${name}\``,
    recordClass,
    cell(description),
    details.map((member) => `\`${member}\``).join(', '),
  ]);
  return `${[
    '# Audit events',
    '',
    'This page is for auditors, and for authors of programs that read the audit log. Besides requests, the log has the events of the',
    'authority and those of the log itself. The [schema](claims.md) has all members of an event. The class decides how long it is kept',
    '(`behalf audit prune`). `details` has identifiers and numbers; `before`, `from`, `since` and `until` are milliseconds since the',
    'epoch. Names are stable. [The audit log](../how-to/audit-log.md#events-of-the-authority) says who is named, and when events wait.',
    MADE_BY,
    '',
    ...table(['event', 'class', 'means', '`details` can have'], rows),
  ].join('\n')}\n`;
}
