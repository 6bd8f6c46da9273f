import type { ErrorDescription } from '@behalf/directives/internal';

export const auditErrors = Object.freeze({
  AUDIT_QUEUE_FULL: { description: 'The queue of waiting records is full.', since: '0.1.0' },
  AUDIT_WRITE_FAILED: { description: 'The log could not be written.', since: '0.1.0' },
  AUDIT_RECORD_REFUSED: {
    description: 'The log cannot store this record; retrying does not help.',
    since: '0.1.0',
  },
  AUDIT_CLOSED: { description: 'The sink was closed.', since: '0.1.0' },
} satisfies Record<string, ErrorDescription>);

export type AuditErrorCode = keyof typeof auditErrors;

/** A record could not be made durable. */
export class AuditError extends Error {
  override readonly name = 'AuditError';

  constructor(
    readonly code: AuditErrorCode,
    options?: ErrorOptions,
  ) {
    super(code, options);
  }
}
