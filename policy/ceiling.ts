import type { ClientPolicy, Policy, ScopePolicy } from './policy.js';

/** The entry of `clients` that stands for every client without one of its own. */
const EVERY_OTHER_CLIENT = '*';

/**
 * How far a client can reach: its own entry; else that of `*`; else nothing. `unlimited` only where the policy lists no
 * clients at all, and so says nothing about them.
 */
export type Ceiling =
  | { readonly kind: 'unlimited' }
  | { readonly kind: 'client'; readonly client: ClientPolicy }
  | { readonly kind: 'nothing' };

export function ceilingOf(policy: Policy, clientId: string): Ceiling {
  if (policy.clients.size === 0) return { kind: 'unlimited' };
  const client = policy.clients.get(clientId) ?? policy.clients.get(EVERY_OTHER_CLIENT);
  return client === undefined ? { kind: 'nothing' } : { kind: 'client', client };
}

/** Whether the scope still counts on that day (`YYYY-MM-DD`, UTC): the last day of a deprecation is one of them. */
export function isScopeAccepted(scope: ScopePolicy, day: string): boolean {
  const until = scope.deprecated?.until;
  return until === undefined || day <= until;
}

/** Names that somebody holds, or asks for. */
export interface Held {
  readonly scopes: Iterable<string>;
  readonly purposes: Iterable<string>;
}

/**
 * What is left of it for this client on that day: what the policy knows, still honours, and lets the client have. Never
 * more than was held, and never more than the ceiling.
 */
export function applyCeiling(
  policy: Policy,
  clientId: string,
  held: Held,
  day: string,
): { readonly scopes: readonly string[]; readonly purposes: readonly string[] } {
  const ceiling = ceilingOf(policy, clientId);
  if (ceiling.kind === 'nothing') return { scopes: [], purposes: [] };
  const client = ceiling.kind === 'client' ? ceiling.client : undefined;
  return {
    scopes: [...held.scopes].filter((name) => {
      const scope = policy.scopes.get(name);
      if (scope === undefined || !isScopeAccepted(scope, day)) return false;
      return client === undefined || client.scopes.includes(name);
    }),
    purposes: [...held.purposes].filter((name) => {
      if (!policy.purposes.has(name)) return false;
      return client === undefined || client.purposes.includes(name);
    }),
  };
}
