/** Every reason why the store can refuse to open, or stop. Codes are stable; messages are for people. */
export const storeErrors = Object.freeze({
  account_missing: {
    description: 'The embedded server needs an account other than root to run under, and none can be used.',
    since: '0.1.0',
  },
  binaries_incomplete: { description: 'The embedded PostgreSQL is not installed whole.', since: '0.1.0' },
  binaries_missing: { description: 'The embedded PostgreSQL is not installed.', since: '0.1.0' },
  data_dir_in_use: { description: 'Another process runs a database in this data folder.', since: '0.1.0' },
  data_dir_not_writable: { description: 'The data folder cannot be written.', since: '0.1.0' },
  data_version: { description: 'The data folder belongs to another version of PostgreSQL.', since: '0.1.0' },
  database_busy: {
    description:
      'Another session holds a lock that the change of the database needs, and did not give way in time.',
    since: '0.1.0',
  },
  database_rights: {
    description: 'The user of the database URL lacks a right that Behalf needs; the message names it.',
    since: '0.1.0',
  },
  database_unreachable: { description: 'The database does not answer.', since: '0.1.0' },
  database_version: { description: 'The database is older than what Behalf needs.', since: '0.1.0' },
  initialization_failed: { description: 'The data folder could not be initialized.', since: '0.1.0' },
  migration_failed: { description: 'A migration could not be carried out.', since: '0.1.0' },
  password_missing: {
    description: 'The data folder is there, and the file with its password is not.',
    since: '0.1.0',
  },
  platform_unsupported: { description: 'There is no embedded PostgreSQL for this platform.', since: '0.1.0' },
  port_in_use: { description: 'The port of the embedded server is taken.', since: '0.1.0' },
  role_unusable: {
    description: 'The role that gateways are to connect as can do more than that; the message says what.',
    since: '0.1.0',
  },
  server_died: { description: 'The embedded server ended by itself.', since: '0.1.0' },
  server_start_failed: { description: 'The embedded server did not start.', since: '0.1.0' },
} satisfies Record<string, { readonly description: string; readonly since: string }>);

export type StoreErrorCode = keyof typeof storeErrors;

/**
 * The store cannot be opened, or stopped by itself. `message` names what is wrong, where, and what to do;
 * it never holds a password or a connection string.
 */
export class StoreError extends Error {
  override readonly name = 'StoreError';
  readonly code: StoreErrorCode;

  constructor(code: StoreErrorCode, message: string, options?: { cause?: unknown }) {
    super(message, options);
    this.code = code;
  }
}
