import type { ErrorDescription } from '@behalf/directives/internal';

/** Every reason why a policy file is refused. Codes are stable. */
export const policyErrors = Object.freeze({
  POLICY_UNREADABLE: { description: 'The file cannot be read, or is no YAML.', since: '0.1.0' },
  POLICY_INVALID: {
    description:
      'A key is not known, missing, or not of the form that it must have; the message begins with its path.',
    since: '0.1.0',
  },
  POLICY_CONTRADICTION: {
    description:
      'Two places cannot both be meant: an unknown name, a deprecation that ends before it begins.',
    since: '0.1.0',
  },
} satisfies Record<string, ErrorDescription>);

export type PolicyErrorCode = keyof typeof policyErrors;

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
