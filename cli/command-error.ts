import type { ErrorDescription } from '@behalf/directives/internal';
import { fileErrors } from '@behalf/policy/internal';

/** Error codes of the commands. */
export const commandErrors = Object.freeze({
  ...fileErrors,
  NO_DATABASE: {
    description: '`DATABASE_URL` is not set, and no Behalf runs on the data folder.',
    since: '0.1.0',
  },
  DATABASE_UNREADABLE: {
    description:
      'The database has no tables of Behalf, or changed ones, or they are not for the role of the URL. The message says what is missing.',
    since: '0.1.0',
  },
  NO_PASSWORD: {
    description: '`BEHALF_REPLAY_PASSWORD`, the password of the new role, is not set.',
    since: '0.1.0',
  },
  ADDRESS_IN_USE: { description: 'Another process listens on the address.', since: '0.1.0' },
  ADDRESS_UNAVAILABLE: {
    description: 'The address is unknown, is not of this machine, or must not be used by this account.',
    since: '0.1.0',
  },
  FILE_UNWRITABLE: {
    description: 'A file cannot be written: it is there already, or not permitted. The message names it.',
    since: '0.1.0',
  },
  NOT_PROVABLE: {
    description: 'The audit log has no such record, or no checkpoint that covers it.',
    since: '0.1.0',
  },
  USAGE: { description: 'Arguments or options are missing, or contradict each other.', since: '0.1.0' },
  TOKEN_UNREADABLE: {
    description: 'The token given to `behalf explain` is not a JWT with the claims of a delegation.',
    since: '0.1.0',
  },
  FOLDER_NOT_EMPTY: {
    description: '`behalf init` was given a folder that is not empty, without `--force`.',
    since: '0.1.0',
  },
  UNKNOWN_CODE: { description: 'Behalf has no such error code.', since: '0.1.0' },
} satisfies Record<string, ErrorDescription>);

/** The command was used wrongly, or something that it needs is missing. */
export class CommandError extends Error {
  override readonly name = 'CommandError';

  constructor(
    readonly code: keyof typeof commandErrors,
    message: string,
  ) {
    super(message);
  }
}
