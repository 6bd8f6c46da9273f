/** Every reason why a policy file is refused. Codes are stable. */
export type PolicyErrorCode =
  /** The file cannot be read, or is no YAML. */
  | 'POLICY_UNREADABLE'
  /** A key that is not known, missing, or not of the form that it must have. */
  | 'POLICY_INVALID'
  /** Two places that cannot both be meant: an unknown name, a deprecation that ends before it begins. */
  | 'POLICY_CONTRADICTION';

/** A policy that cannot be used. `path` names the key. */
export class PolicyError extends Error {
  override readonly name = 'PolicyError';

  constructor(
    readonly code: PolicyErrorCode,
    readonly path: string,
    message: string,
  ) {
    super(path === '' ? message : `${path}: ${message}`);
  }
}
