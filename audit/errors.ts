import type { ErrorDescription } from '@behalf/directives/internal';

/**
 * Every reason why a sink could not be made, or a record not be made durable, erased or searched for. The codes are stable.
 *
 * @example
 * ```ts
 * import { type AuditErrorCode, auditErrors } from '@behalf/audit';
 *
 * export function describe(code: AuditErrorCode): string {
 *   return auditErrors[code].description;
 * }
 * ```
 */
export const auditErrors = Object.freeze({
  AUDIT_QUEUE_FULL: { description: 'The queue of waiting records is full.', since: '0.1.0' },
  AUDIT_WRITE_FAILED: { description: 'The log could not be written.', since: '0.1.0' },
  AUDIT_RECORD_REFUSED: {
    description: 'The log cannot store this record; retrying does not help.',
    since: '0.1.0',
  },
  AUDIT_LOG_BROKEN: {
    description:
      'Records that were stored are gone, or the log is another one. The sink refuses every record until the process is restarted.',
    since: '0.1.0',
  },
  AUDIT_OPTION_INVALID: {
    description: 'An option is unknown, missing or cannot be used; the message begins with its name.',
    since: '0.1.0',
  },
  AUDIT_TOO_YOUNG: {
    description: 'Records of the last two days are not erased: their disappearance would stop the gateways.',
    since: '0.1.0',
  },
  AUDIT_TIME_INVALID: {
    description: 'Records are erased before a time, in 1970 or later.',
    since: '0.1.0',
  },
  AUDIT_REASON_MISSING: {
    description: 'Whoever erases something, or replaces a key, must say who they are and why.',
    since: '0.1.0',
  },
  AUDIT_SEARCH_REFUSED: {
    description: 'The filter, the size of a page or the cursor of a search cannot be used.',
    since: '0.1.0',
  },
  AUDIT_CLOSED: { description: 'The sink was closed.', since: '0.1.0' },
} satisfies Record<string, ErrorDescription>);

/** Every code of an {@link AuditError}. */
export type AuditErrorCode = keyof typeof auditErrors;

/**
 * A record could not be made durable, erased or searched for.
 *
 * @example
 * ```ts
 * import { AuditError, type AuditRecord, type AuditSink } from '@behalf/audit';
 *
 * export async function isKept(sink: AuditSink, record: AuditRecord): Promise<boolean> {
 *   try {
 *     await sink.append(record);
 *     return true;
 *   } catch (error) {
 *     if (error instanceof AuditError && error.code !== 'AUDIT_CLOSED') return false;
 *     throw error;
 *   }
 * }
 * ```
 */
export class AuditError extends Error {
  override readonly name = 'AuditError';

  constructor(
    readonly code: AuditErrorCode,
    { message = code, ...options }: ErrorOptions & { readonly message?: string } = {},
  ) {
    super(message, options);
  }
}
