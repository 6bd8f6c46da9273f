import type { ClientPolicy, Policy, ScopePolicy } from './policy.js';

/** The entry of `clients` for every client without an entry of its own. */
const EVERY_OTHER_CLIENT = '*';

/**
 * The most that a client may hold: its own entry, or else the entry of `*`, or else nothing. `unlimited` only if the policy lists
 * no clients at all.
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

/** Whether the scope still counts on that day (`YYYY-MM-DD`, UTC). The last day of a deprecation is included. */
export function isScopeAccepted(scope: ScopePolicy, day: string): boolean {
  const until = scope.deprecated?.until;
  return until === undefined || day <= until;
}

/** Names that a caller holds or asks for. */
export interface Held {
  readonly scopes: Iterable<string>;
  readonly purposes: Iterable<string>;
}

/**
 * Reduces what a client holds to what the policy defines, still accepts on that day, and permits to this client. The result is
 * never more than `held`, and never more than the ceiling.
 *
 * @param day `YYYY-MM-DD`, UTC
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
