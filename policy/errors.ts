import type { ErrorDescription } from '@behalf/directives/internal';
import { fileErrors } from './text-file.js';

/**
 * Every reason for refusing a policy file. The codes are stable.
 *
 * @example
 * ```ts
 * import { policyErrors } from '@behalf/policy';
 *
 * for (const [code, { description }] of Object.entries(policyErrors)) console.log(`${code}: ${description}`);
 * ```
 */
export const policyErrors = Object.freeze({
  ...fileErrors,
  POLICY_UNREADABLE: { description: 'The file is not YAML.', since: '0.1.0' },
  POLICY_INVALID: {
    description: 'A key is unknown, missing or malformed; the message begins with its path.',
    since: '0.1.0',
  },
  POLICY_CONTRADICTION: {
    description:
      'Two parts contradict each other, such as a reference to an unknown name, or a deprecation that ends before it begins.',
    since: '0.1.0',
  },
  TRANSLATION_MISMATCH: {
    description:
      'A translation lacks sentences of its policy, or has names that the policy does not have; the message lists up to ten of each.',
    since: '0.1.0',
  },
} satisfies Record<string, ErrorDescription>);

/** Every code of a {@link PolicyError}. */
export type PolicyErrorCode = keyof typeof policyErrors;

/**
 * A policy that cannot be used. `path` names the key.
 *
 * @example
 * ```ts
 * import { PolicyError, readPolicy } from '@behalf/policy';
 *
 * try {
 *   await readPolicy('policy.yaml');
 * } catch (error) {
 *   if (!(error instanceof PolicyError)) throw error;
 *   console.error(`${error.code} at ${error.path}: ${error.message}`);
 * }
 * ```
 */
export class PolicyError extends Error {
  override readonly name = 'PolicyError';

  constructor(
    readonly code: PolicyErrorCode,
    readonly path: string,
    message: string,
    /** The file, if the message is to name it, because there are several. */
    file: string = '',
  ) {
    super([file, path, message].filter((part) => part !== '').join(': '));
  }
}
