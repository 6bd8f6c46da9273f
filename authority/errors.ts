import type { ErrorDescription } from '@behalf/directives/internal';

/** Every reason why the authority refuses to start, to change its keys, or to write to its store. The codes are stable. */
export const authorityErrors = Object.freeze({
  CLIENT_INVALID: {
    description:
      "A client's registration asks for something that it cannot, or must not, do; the message names the client, or its place in the options, and the reason.",
    since: '0.1.0',
  },
  CONSENTS_IN_FORCE: {
    description:
      'A person with consents in force cannot be forgotten. The message names the consents: end them first.',
    since: '0.1.0',
  },
  DATA_DIR_NOT_WRITABLE: { description: 'The data folder cannot be written.', since: '0.1.0' },
  DEMO_NOT_LOOPBACK: {
    description:
      'The passwords of demo accounts are public, so the authority must listen on the loopback interface only.',
    since: '0.1.0',
  },
  ISSUER_INVALID: {
    description: 'The issuer is not an origin, or not https where it must be.',
    since: '0.1.0',
  },
  KEY_MISSING: {
    description: 'No next signing key has been published yet, so keys cannot rotate.',
    since: '0.1.0',
  },
  KEY_UNKNOWN: { description: 'The authority has no signing key with that `kid`.', since: '0.1.0' },
  KEYS_UNREADABLE: {
    description: 'The signing keys in the store cannot be decrypted with the key that was given.',
    since: '0.1.0',
  },
  LISTEN_FAILED: { description: 'The address cannot be listened on.', since: '0.1.0' },
  OPTION_INVALID: { description: 'An option is missing or cannot be used.', since: '0.1.0' },
  STORE_BUSY: {
    description:
      'The database was busy for too long, despite several attempts. Nothing was changed; try again.',
    since: '0.1.0',
  },
  POLICY_MISMATCH: {
    description: 'The policy and the schema name different scopes or purposes; the message lists them.',
    since: '0.1.0',
  },
} satisfies Record<string, ErrorDescription>);

/** Every code of an {@link AuthorityError}. */
export type AuthorityErrorCode = keyof typeof authorityErrors;

/**
 * The authority cannot do what was requested. The message says why and what to do; it contains no secret.
 *
 * @example
 * ```ts
 * import { AuthorityError, type AuthorityOptions, startAuthority } from '@behalf/authority';
 *
 * export async function start(options: AuthorityOptions): Promise<void> {
 *   try {
 *     await startAuthority(options);
 *   } catch (error) {
 *     if (!(error instanceof AuthorityError)) throw error;
 *     console.error(`${error.code}: ${error.message}`);
 *   }
 * }
 * ```
 */
export class AuthorityError extends Error {
  override readonly name = 'AuthorityError';
  readonly code: AuthorityErrorCode;

  constructor(code: AuthorityErrorCode, message: string, options?: { cause?: unknown }) {
    super(message, options);
    this.code = code;
  }
}
