import { createHash } from 'node:crypto';

import type { Policy } from './policy.js';

/**
 * A digest of the policy's content, which does not depend on the order of its entries.
 *
 * @example
 * ```ts
 * import { policyVersion, readPolicy } from '@behalf/policy';
 *
 * console.log(policyVersion(await readPolicy('policy.yaml')));
 * ```
 */
export function policyVersion(policy: Policy): string {
  return `sha-256:${createHash('sha256')
    .update(JSON.stringify(canonical(policy)))
    .digest('base64url')}`;
}

/** Maps and objects become lists of entries sorted by key. Lists keep their order. */
function canonical(value: unknown): unknown {
  if (Array.isArray(value)) return value.map((item) => canonical(item));
  if (typeof value !== 'object' || value === null) return value;
  const entries: [string, unknown][] =
    value instanceof Map ? [...(value as Map<string, unknown>)] : Object.entries(value);
  return entries
    .filter(([, content]) => content !== undefined)
    .sort(([one], [other]) => (one < other ? -1 : 1))
    .map(([key, content]) => [key, canonical(content)]);
}
