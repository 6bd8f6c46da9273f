/**
 * Every reason why the store cannot open, or stops. The codes are stable; the messages are for people.
 *
 * @example
 * ```ts
 * import { storeErrors } from '@behalf/store';
 *
 * for (const [code, { description }] of Object.entries(storeErrors)) console.log(`${code}: ${description}`);
 * ```
 */
export const storeErrors = Object.freeze({
  account_missing: {
    description: 'The embedded server needs an account other than root to run under, and none can be used.',
    since: '0.1.0',
  },
  binaries_incomplete: { description: 'The embedded PostgreSQL is only partly installed.', since: '0.1.0' },
  binaries_missing: { description: 'The embedded PostgreSQL is not installed.', since: '0.1.0' },
  data_dir_in_use: { description: 'Another process runs a database in this data folder.', since: '0.1.0' },
  data_dir_not_writable: { description: 'The data folder cannot be written.', since: '0.1.0' },
  data_version: { description: 'The data folder belongs to another version of PostgreSQL.', since: '0.1.0' },
  database_busy: {
    description: 'Another session held a lock that a change of the database needs for too long.',
    since: '0.1.0',
  },
  database_rights: {
    description: 'The user of the database URL lacks a right that Behalf needs; the message names it.',
    since: '0.1.0',
  },
  database_unreachable: { description: 'The database cannot be reached.', since: '0.1.0' },
  database_version: { description: 'The database is too old for Behalf.', since: '0.1.0' },
  initialization_failed: { description: 'The data folder could not be initialized.', since: '0.1.0' },
  migration_failed: { description: 'A migration failed.', since: '0.1.0' },
  password_missing: {
    description: 'The data folder exists, but the file with its password is missing.',
    since: '0.1.0',
  },
  platform_unsupported: { description: 'There is no embedded PostgreSQL for this platform.', since: '0.1.0' },
  port_in_use: { description: 'The port of the embedded server is taken.', since: '0.1.0' },
  role_unusable: {
    description: 'The role for gateways has more rights than it may have; the message says which.',
    since: '0.1.0',
  },
  server_died: { description: 'The embedded server ended unexpectedly.', since: '0.1.0' },
  server_start_failed: { description: 'The embedded server did not start.', since: '0.1.0' },
} satisfies Record<string, { readonly description: string; readonly since: string }>);

/** Every code of a {@link StoreError}. */
export type StoreErrorCode = keyof typeof storeErrors;

/**
 * The store cannot be opened, or stopped unexpectedly. The message says what is wrong, where, and what to do about it; it never
 * holds a password or a connection string.
 *
 * @example
 * ```ts
 * import { checkDatabase, StoreError } from '@behalf/store';
 *
 * try {
 *   await checkDatabase('postgres://behalf@db.example/behalf');
 * } catch (error) {
 *   if (!(error instanceof StoreError)) throw error;
 *   console.error(`${error.code}: ${error.message}`);
 * }
 * ```
 */
export class StoreError extends Error {
  override readonly name = 'StoreError';
  readonly code: StoreErrorCode;

  constructor(code: StoreErrorCode, message: string, options?: { cause?: unknown }) {
    super(message, options);
    this.code = code;
  }
}
