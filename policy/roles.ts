import type { Policy } from './policy.js';

/** Whether a person with these roles may grant the scope: either no role reserves it, or one of theirs does. */
export function mayGrant(policy: Policy, roles: readonly string[], scope: string): boolean {
  if (!policy.scopes.has(scope)) return false;
  const reserving = [...policy.roles.values()].filter(({ mayGrant: scopes }) => scopes.includes(scope));
  return reserving.length === 0 || reserving.some(({ name }) => roles.includes(name));
}
