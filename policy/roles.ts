import type { Policy } from './policy.js';

/** Whether somebody with these roles may give the scope away: when no role claims it, or one of theirs does. */
export function mayGrant(policy: Policy, roles: readonly string[], scope: string): boolean {
  if (!policy.scopes.has(scope)) return false;
  const claiming = [...policy.roles.values()].filter(({ mayGrant: scopes }) => scopes.includes(scope));
  return claiming.length === 0 || claiming.some(({ name }) => roles.includes(name));
}
