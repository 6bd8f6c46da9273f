import type { ErrorDescription } from '@behalf/directives/internal';

export const auditErrors = Object.freeze({
  AUDIT_QUEUE_FULL: { description: 'More records wait than the queue holds.', since: '0.1.0' },
  AUDIT_WRITE_FAILED: { description: 'The log could not be written.', since: '0.1.0' },
  AUDIT_RECORD_REFUSED: {
    description: 'The log cannot hold this record, whenever it is tried.',
    since: '0.1.0',
  },
  AUDIT_CLOSED: { description: 'The sink was closed.', since: '0.1.0' },
} satisfies Record<string, ErrorDescription>);

export type AuditErrorCode = keyof typeof auditErrors;

/** A record that is not durable. */
export class AuditError extends Error {
  override readonly name = 'AuditError';

  constructor(
    readonly code: AuditErrorCode,
    options?: ErrorOptions,
  ) {
    super(code, options);
  }
}
