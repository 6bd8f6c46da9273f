import { holdsOne, isMet, withoutUndefined } from '@behalf/directives/internal';
import type { Delegation, Requires } from '@behalf/directives';
import { strictest } from '@behalf/policy/internal';
import type { StepUp } from '@behalf/policy';

/**
 * The sign-in that would end a denial (RFC 9470), or undefined if none would: nothing was withheld for lack of it, or something
 * else is missing as well.
 *
 * @param withheld granted scopes that count only after a stronger sign-in
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
  // For each entry that is unmet without them, the first alternative that is met with them.
  const needed = requirement.scopes
    .filter((entry) => !holdsOne(entry, delegation.scopes))
    .flatMap((entry) => entry.find((names) => names.every((name) => scopes.has(name))) ?? []);
  const demands = needed.flatMap((name) => withheld.get(name) ?? []);
  return demands.length === 0 ? undefined : strictest(demands);
}

/** For the client's program: the `requires` of a denial that a new sign-in would end. */
export function withStepUp(requires: Requires, { acrValues, maxAgeSeconds }: StepUp): Requires {
  return { ...requires, stepUp: withoutUndefined({ acrValues, maxAgeSeconds }) };
}
