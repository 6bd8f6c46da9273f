import { ceilingOf } from './ceiling.js';
import type { Policy } from './policy.js';

/** The longest time in seconds that a consent to these scopes for this client may last; Infinity if the policy sets no limit. */
export function longestConsentSeconds(policy: Policy, clientId: string, scopes: readonly string[]): number {
  const ceiling = ceilingOf(policy, clientId);
  if (ceiling.kind === 'nothing') return 0;
  const ofClient = ceiling.kind === 'client' ? ceiling.client.longestConsentSeconds : undefined;
  const ofScopes = scopes.map((name) => {
    const scope = policy.scopes.get(name);
    if (scope === undefined) return 0;
    return policy.longestConsentSeconds[scope.sensitivity] ?? Number.POSITIVE_INFINITY;
  });
  return Math.min(ofClient ?? Number.POSITIVE_INFINITY, ...ofScopes);
}
