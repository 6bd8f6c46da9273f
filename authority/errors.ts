/** Every reason why the authority can refuse to start. Codes are stable. */
export type AuthorityErrorCode =
  | 'data_dir_not_writable'
  | 'demo_not_loopback'
  | 'issuer_invalid'
  | 'keys_unreadable'
  | 'listen_failed'
  | 'option_invalid'
  /** The policy and the schema do not name the same scopes or purposes; `message` lists them. */
  | 'policy_mismatch';

/** The authority cannot start. `message` says why and what to do; it holds no secret. */
export class AuthorityError extends Error {
  override readonly name = 'AuthorityError';
  readonly code: AuthorityErrorCode;

  constructor(code: AuthorityErrorCode, message: string, options?: { cause?: unknown }) {
    super(message, options);
    this.code = code;
  }
}
