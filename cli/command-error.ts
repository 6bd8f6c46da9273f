import type { ErrorDescription } from '@behalf/directives/internal';

/** Codes of commands that cannot do what they are asked for. */
export const commandErrors = Object.freeze({
  NO_DATABASE: {
    description: 'No start runs on the data folder, and `DATABASE_URL` is not set.',
    since: '0.1.0',
  },
  NO_PASSWORD: {
    description: 'The role that is to be made needs a password, and `BEHALF_REPLAY_PASSWORD` is not set.',
    since: '0.1.0',
  },
  ADDRESS_IN_USE: { description: 'Another process listens on the address.', since: '0.1.0' },
  USAGE: { description: 'Options that contradict each other.', since: '0.1.0' },
  FILE_UNREADABLE: { description: 'A file that the command needs cannot be read.', since: '0.1.0' },
  TOKEN_UNREADABLE: {
    description: 'The token that `behalf explain` was given is no JWT with the claims of a delegation.',
    since: '0.1.0',
  },
  UNKNOWN_CODE: { description: 'Behalf has no such error code.', since: '0.1.0' },
} satisfies Record<string, ErrorDescription>);

/** A mistake of whoever runs the command. */
export class CommandError extends Error {
  override readonly name = 'CommandError';

  constructor(
    readonly code: keyof typeof commandErrors,
    message: string,
  ) {
    super(message);
  }
}
