import { withoutUndefined } from '@behalf/directives/internal';
import type { Policy, StepUp } from './policy.js';

/** How and when the person behind a token signed in, according to the token (RFC 9470 section 6). */
export interface SignIn {
  readonly acr?: string | undefined;
  /** Seconds since the epoch. */
  readonly authTime?: number | undefined;
}

/** The sign-in that the policy requires before this scope counts; undefined if it requires none. */
export function stepUpOf(policy: Policy, scopeName: string): StepUp | undefined {
  const scope = policy.scopes.get(scopeName);
  if (scope === undefined) return undefined;
  const stepUp = policy.stepUp.get(scope.sensitivity);
  if (stepUp?.access !== undefined && stepUp.access !== scope.access) return undefined;
  return stepUp;
}

/** Whether the sign-in is strong and recent enough. A claim that the token lacks proves nothing. */
export function suffices({ acr, authTime }: SignIn, stepUp: StepUp, nowSeconds: number): boolean {
  if (stepUp.acrValues !== undefined && (acr === undefined || !stepUp.acrValues.includes(acr))) return false;
  if (stepUp.maxAgeSeconds === undefined) return true;
  return authTime !== undefined && nowSeconds <= authTime + stepUp.maxAgeSeconds;
}

/** One sign-in that suffices for all of them. Reading a policy has ruled out requirements that exclude each other. */
export function strictest(all: readonly StepUp[]): StepUp {
  const lists = all.flatMap(({ acrValues }) => (acrValues === undefined ? [] : [acrValues]));
  const ages = all.flatMap(({ maxAgeSeconds }) => (maxAgeSeconds === undefined ? [] : [maxAgeSeconds]));
  const [first, ...others] = lists;
  return withoutUndefined({
    acrValues: first?.filter((value) => others.every((list) => list.includes(value))),
    maxAgeSeconds: ages.length === 0 ? undefined : Math.min(...ages),
  });
}
