import type { ErrorDescription } from '@behalf/directives/internal';

/**
 * Every reason why an application cannot be registered, changed or retired. Codes are stable.
 *
 * @example
 * ```ts
 * import { type ApplicationErrorCode, applicationErrors } from '@behalf/authority/clients';
 *
 * export function describe(code: ApplicationErrorCode): string {
 *   return applicationErrors[code].description;
 * }
 * ```
 */
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

/** Every code of an {@link ApplicationError}. */
export type ApplicationErrorCode = keyof typeof applicationErrors;

/**
 * An application cannot be registered, changed or retired. The message says why; it contains no secret.
 *
 * @example
 * ```ts
 * import { ApplicationError, type ApplicationRegister } from '@behalf/authority/clients';
 *
 * export async function retire(applications: ApplicationRegister, clientId: string): Promise<boolean> {
 *   try {
 *     await applications.retire(clientId, { by: 'support', reason: 'no longer in use' });
 *     return true;
 *   } catch (error) {
 *     if (error instanceof ApplicationError && error.code === 'CLIENT_UNKNOWN') return false;
 *     throw error;
 *   }
 * }
 * ```
 */
export class ApplicationError extends Error {
  override readonly name = 'ApplicationError';
  readonly code: ApplicationErrorCode;

  constructor(code: ApplicationErrorCode, message: string) {
    super(message);
    this.code = code;
  }
}
