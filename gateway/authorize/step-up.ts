import { holdsOne, isMet, withoutUndefined } from '@behalf/directives/internal';
import type { Delegation, Requires } from '@behalf/directives';
import { strictest } from '@behalf/policy/internal';
import type { StepUp } from '@behalf/policy';

/**
 * How the person would have to sign in for a denial to end (RFC 9470), or undefined where signing in again does not end
 * it: because nothing was withheld for want of it, or because something else is missing as well.
 *
 * @param withheld What the token was granted and does not hold before the person has signed in so.
 */
export function stepUpFor(
  requires: Requires,
  delegation: Delegation,
  withheld: ReadonlyMap<string, StepUp>,
): StepUp | undefined {
  if (withheld.size === 0) return undefined;
  const scopes = new Set([...delegation.scopes, ...withheld.keys()]);
  const requirement = {
    authenticated: requires.authenticated === true,
    scopes: requires.scopes ?? [],
    policies: requires.policies ?? [],
    purposes: requires.purposes ?? [],
    uncovered: requires.rule !== undefined,
  };
  if (!isMet(requirement, { ...delegation, scopes })) return undefined;
  // Of each entry that is not met without them, the first alternative that is met with them.
  const needed = requirement.scopes
    .filter((entry) => !holdsOne(entry, delegation.scopes))
    .flatMap((entry) => entry.find((names) => names.every((name) => scopes.has(name))) ?? []);
  const demands = needed.flatMap((name) => withheld.get(name) ?? []);
  return demands.length === 0 ? undefined : strictest(demands);
}

/** For the client's program: `requires` of a denial that signing in again would end. */
export function withStepUp(requires: Requires, { acrValues, maxAgeSeconds }: StepUp): Requires {
  return { ...requires, stepUp: withoutUndefined({ acrValues, maxAgeSeconds }) };
}
