import type { AuditSink } from '@behalf/audit';
import type { BreakGlass, BreakGlassOptions } from './break-glass.js';

/** `required`: no data leaves before its record is durable. `best-effort`: lost records are counted and logged. */
export type AuditMode = 'required' | 'best-effort';

/** The audit log. The same shape as in the configuration file, which cannot hold a sink. */
export type AuditOptions =
  | { readonly mode: 'off' }
  | {
      /** Default `best-effort`. */
      readonly mode?: AuditMode | undefined;
      /** A custom sink, which its creator closes. One of sink, file, database. */
      readonly sink?: AuditSink | undefined;
      /** Append-only file, one JSON object per line. */
      readonly file?: string | undefined;
      /** PostgreSQL connection string of the writer's role. */
      readonly database?: string | undefined;
      /**
       * At least 32 bytes, or as many in base64url: keys the pseudonyms of subjects (HMAC-SHA-256). Default: generated at the
       * start, so records of two runs name people differently. In a database, people have keys of their own.
       */
      readonly pseudonymKey?: Uint8Array | string | undefined;
      /** Also records what callers without a token read: the fields that anybody may. Default: false. */
      readonly anonymous?: boolean | undefined;
      /** With mode `required`: records are not required for a limited time. */
      readonly breakGlass?: BreakGlassOptions | undefined;
    };

/** The destination of records. The gateway closes what it opened. */
export type AuditDestination =
  { readonly sink: AuditSink } | { readonly file: string } | { readonly database: string };

export type AuditSettings =
  | { readonly mode: 'off' }
  | {
      readonly mode: AuditMode;
      readonly destination: AuditDestination;
      readonly pseudonymKey: Uint8Array;
      readonly anonymous: boolean;
      readonly breakGlass?: BreakGlass | undefined;
    };
