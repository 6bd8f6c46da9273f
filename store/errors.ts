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
  ACCOUNT_MISSING: {
    description: 'The embedded server needs an account other than root to run under, and none can be used.',
    since: '0.1.0',
  },
  BINARIES_INCOMPLETE: { description: 'The embedded PostgreSQL is only partly installed.', since: '0.1.0' },
  BINARIES_MISSING: { description: 'The embedded PostgreSQL is not installed.', since: '0.1.0' },
  DATA_DIR_IN_USE: { description: 'Another process runs a database in this data folder.', since: '0.1.0' },
  DATA_DIR_NOT_WRITABLE: { description: 'The data folder cannot be written.', since: '0.1.0' },
  DATA_VERSION: { description: 'The data folder belongs to another version of PostgreSQL.', since: '0.1.0' },
  DATABASE_BUSY: {
    description: 'Another session held a lock that a change of the database needs for too long.',
    since: '0.1.0',
  },
  DATABASE_RIGHTS: {
    description: 'The user of the database URL lacks a right that Behalf needs; the message names it.',
    since: '0.1.0',
  },
  DATABASE_UNREACHABLE: { description: 'The database cannot be reached.', since: '0.1.0' },
  DATABASE_VERSION: { description: 'The database is too old for Behalf.', since: '0.1.0' },
  INITIALIZATION_FAILED: { description: 'The data folder could not be initialized.', since: '0.1.0' },
  MIGRATION_FAILED: { description: 'A migration failed.', since: '0.1.0' },
  OPTION_INVALID: {
    description: 'An option is unknown, missing or cannot be used; the message begins with its name.',
    since: '0.1.0',
  },
  PASSWORD_MISSING: {
    description: 'The data folder exists, but the file with its password is missing.',
    since: '0.1.0',
  },
  PLATFORM_UNSUPPORTED: { description: 'There is no embedded PostgreSQL for this platform.', since: '0.1.0' },
  PORT_IN_USE: { description: 'The port of the embedded server is taken.', since: '0.1.0' },
  ROLE_UNUSABLE: {
    description: 'The role for gateways has more rights than it may have; the message says which.',
    since: '0.1.0',
  },
  SCHEMA_MISSING: {
    description:
      'The database does not have the tables and functions that a role is for, or has those of another version.',
    since: '0.1.0',
  },
  SERVER_DIED: { description: 'The embedded server ended unexpectedly.', since: '0.1.0' },
  SERVER_START_FAILED: { description: 'The embedded server did not start.', since: '0.1.0' },
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
