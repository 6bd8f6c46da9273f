import type { ErrorDescription } from '@behalf/directives/internal';

/** Every reason why the authority can refuse to start, to change its keys, or to write to its store. Codes are stable. */
export const authorityErrors = Object.freeze({
  client_invalid: {
    description:
      'A client is registered for what it cannot, or must not, do; the message says which and why.',
    since: '0.1.0',
  },
  data_dir_not_writable: { description: 'The data folder cannot be written.', since: '0.1.0' },
  demo_not_loopback: {
    description: "The demo's passwords are public, so it listens on the loopback interface only.",
    since: '0.1.0',
  },
  issuer_invalid: { description: 'The issuer is no origin, or not https where it must be.', since: '0.1.0' },
  key_missing: {
    description: 'No next signing key has been published yet, so that none can take over.',
    since: '0.1.0',
  },
  key_unknown: { description: 'The authority has no signing key of that `kid`.', since: '0.1.0' },
  keys_unreadable: {
    description: 'The signing keys in the store cannot be decrypted with the key that was given.',
    since: '0.1.0',
  },
  listen_failed: { description: 'The address cannot be listened on.', since: '0.1.0' },
  option_invalid: { description: 'An option is missing or cannot be used.', since: '0.1.0' },
  store_busy: {
    description:
      'The database did not give way in time, though it was tried several times. Nothing was changed; try again.',
    since: '0.1.0',
  },
  policy_mismatch: {
    description: 'The policy and the schema do not name the same scopes or purposes; the message lists them.',
    since: '0.1.0',
  },
} satisfies Record<string, ErrorDescription>);

export type AuthorityErrorCode = keyof typeof authorityErrors;

/** The authority cannot do what it was asked for. `message` says why and what to do; it holds no secret. */
export class AuthorityError extends Error {
  override readonly name = 'AuthorityError';
  readonly code: AuthorityErrorCode;

  constructor(code: AuthorityErrorCode, message: string, options?: { cause?: unknown }) {
    super(message, options);
    this.code = code;
  }
}
