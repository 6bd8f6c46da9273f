import type { ErrorDescription } from '@behalf/directives/internal';

/** Every reason why the log cannot be continued or exported. The codes are stable. */
export const logErrors = Object.freeze({
  LOG_ORIGIN_INVALID: { description: "The log's name cannot be one.", since: '0.1.0' },
  LOG_ORIGIN_CHANGED: { description: 'The log in the database has another name.', since: '0.1.0' },
  LOG_KEY_UNUSABLE: { description: 'The file has no key that can sign the log.', since: '0.1.0' },
  LOG_STATE_UNWRITABLE: {
    description:
      'The file beside the key that says which head was signed last cannot be written, so nothing is signed.',
    since: '0.1.0',
  },
  LOG_EXPORT_DIFFERS: {
    description:
      'The folder has an export of another log, of a longer one, or with other hashes. It is left as it is: export to another folder.',
    since: '0.1.0',
  },
  LOG_DAMAGED: {
    description: 'Stored hashes of the log are gone or are not those of its head, so it cannot be continued.',
    since: '0.1.0',
  },
  LOG_ROLLED_BACK: {
    description:
      'A longer log was signed or witnessed before: the database lost records, or was restored from a backup.',
    since: '0.1.0',
  },
} satisfies Record<string, ErrorDescription>);

/** Every code of a {@link LogError}. */
export type LogErrorCode = keyof typeof logErrors;

/** The log cannot be continued or exported. Nothing was signed, and nothing replaced. */
export class LogError extends Error {
  override readonly name = 'LogError';

  constructor(
    readonly code: LogErrorCode,
    message: string,
    options?: ErrorOptions,
  ) {
    super(message, options);
  }
}
