import type { AuditSink } from '@behalf/audit';

/** `required`: no data leaves before its record is durable. `best-effort`: what is lost is counted and logged. */
export type AuditMode = 'required' | 'best-effort';

/** The audit log. The same shape as in the configuration file, which cannot hold a sink. */
export type AuditOptions =
  | { readonly mode: 'off' }
  | {
      /** Default `best-effort`. */
      readonly mode?: AuditMode | undefined;
      /** A sink of yours; whoever made it closes it. One of sink, file, database. */
      readonly sink?: AuditSink | undefined;
      /** Append-only file, one JSON object per line. */
      readonly file?: string | undefined;
      /** PostgreSQL connection string of the writer's role. */
      readonly database?: string | undefined;
      /**
       * At least 32 bytes, or as many in base64url: subjects are named by a keyed pseudonym (HMAC-SHA-256). Default: made at
       * the start, so that records of two runs name people differently.
       */
      readonly pseudonymKey?: Uint8Array | string | undefined;
    };

/** Where records go: what the gateway opens itself, it closes. */
export type AuditDestination =
  { readonly sink: AuditSink } | { readonly file: string } | { readonly database: string };

export type AuditSettings =
  | { readonly mode: 'off' }
  | {
      readonly mode: AuditMode;
      readonly destination: AuditDestination;
      readonly pseudonymKey: Uint8Array;
    };
