/** Every reason why the store can refuse to open, or stop. Codes are stable; messages are for people. */
export type StoreErrorCode =
  | 'account_missing'
  | 'binaries_incomplete'
  | 'binaries_missing'
  | 'data_dir_in_use'
  | 'data_dir_not_writable'
  | 'data_version'
  | 'database_unreachable'
  | 'database_version'
  | 'initialization_failed'
  | 'migration_failed'
  | 'password_missing'
  | 'platform_unsupported'
  | 'port_in_use'
  | 'server_died'
  | 'server_start_failed';

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
