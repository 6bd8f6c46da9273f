import type { AuditSink } from '../../audit/record.js';

export type AuditOptions =
  | { readonly mode: 'off' }
  | {
      /** `required`: no data leaves before its record is durable. `best-effort`: what is lost is counted and logged. */
      readonly mode: 'required' | 'best-effort';
      readonly sink: AuditSink;
      /** At least 32 bytes; subjects are named by a keyed pseudonym (HMAC-SHA-256). */
      readonly pseudonymKey: Uint8Array;
    };
