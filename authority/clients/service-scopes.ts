import type { Policy } from '@behalf/policy';
import { applyCeiling, mayGrant } from '@behalf/policy/internal';

/**
 * Divides scopes into those that a client can have for itself, and the others. It can have only what its own entry in the policy
 * names (not that of `*`), and nothing that is reserved to a role, because no person is involved.
 */
export function serviceScopes(
  scopes: Iterable<string>,
  clientId: string,
  policy: Policy,
): { readonly within: readonly string[]; readonly beyond: readonly string[] } {
  const all = [...new Set(scopes)];
  const isListed = policy.clients.has(clientId);
  // A deprecated scope ends with a calendar day, in UTC.
  const day = new Date().toISOString().slice(0, 10);
  const left = isListed ? applyCeiling(policy, clientId, { scopes: all, purposes: [] }, day).scopes : [];
  const within = left.filter((name) => mayGrant(policy, [], name));
  return { within, beyond: all.filter((name) => !within.includes(name)) };
}
