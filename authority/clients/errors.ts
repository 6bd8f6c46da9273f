import type { ErrorDescription } from '@behalf/directives/internal';

/** Every reason why an application cannot be registered, changed or retired. Codes are stable. */
export const applicationErrors = Object.freeze({
  CLIENT_EXISTS: {
    description: 'There is, or was, an application with this identifier: identifiers are never reused.',
    since: '0.1.0',
  },
  CLIENT_INVALID: {
    description: 'The registration is invalid; the message says why.',
    since: '0.1.0',
  },
  CLIENT_NOT_IN_POLICY: {
    description:
      'The policy has neither an entry for the client nor one for `*`: it could be granted nothing.',
    since: '0.1.0',
  },
  CLIENT_UNKNOWN: { description: 'No application with this identifier is registered.', since: '0.1.0' },
} satisfies Record<string, ErrorDescription>);

export type ApplicationErrorCode = keyof typeof applicationErrors;

/** @see applicationErrors. `message` holds no secret. */
export class ApplicationError extends Error {
  override readonly name = 'ApplicationError';
  readonly code: ApplicationErrorCode;

  constructor(code: ApplicationErrorCode, message: string) {
    super(message);
    this.code = code;
  }
}
