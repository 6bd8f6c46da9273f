import { ceilingOf } from './ceiling.js';
import type { Policy } from './policy.js';

/** Seconds that a consent to this client over these scopes may last; Infinity where the policy sets no limit. */
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
