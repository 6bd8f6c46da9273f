export type AuditErrorCode =
  /** More records wait than the queue holds. */
  | 'AUDIT_QUEUE_FULL'
  /** The log could not be written. */
  | 'AUDIT_WRITE_FAILED'
  /** The log cannot hold this record, whenever it is tried. */
  | 'AUDIT_RECORD_REFUSED'
  /** The sink was closed. */
  | 'AUDIT_CLOSED';

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
