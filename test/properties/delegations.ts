import type { Delegation } from '@behalf/directives';
import fc from 'fast-check';

export const SCOPES = ['s1', 's2', 's3'] as const;
export const POLICIES = ['p1', 'p2'] as const;
export const PURPOSES = ['u1', 'u2'] as const;

export interface Held {
  readonly scopes: readonly string[];
  readonly policies: readonly string[];
  readonly purposes: readonly string[];
}

export const held: fc.Arbitrary<Held> = fc.record({
  scopes: fc.subarray([...SCOPES]),
  policies: fc.subarray([...POLICIES]),
  purposes: fc.subarray([...PURPOSES]),
});

/** Undefined: a caller without a token. */
export const callers: fc.Arbitrary<Delegation | undefined> = fc
  .option(held, { nil: undefined })
  .map(delegationOf);

export function delegationOf(holds: Held | undefined): Delegation | undefined {
  if (holds === undefined) return undefined;
  return {
    subject: 's',
    clientId: 'c',
    scopes: new Set(holds.scopes),
    policies: new Set(holds.policies),
    roles: [],
    consent: { id: 'c', version: 1, purposes: holds.purposes, detail: 'full' },
  };
}

/** The union of both delegations. */
export function both(one: Held, two: Held): Held {
  return {
    scopes: [...one.scopes, ...two.scopes],
    policies: [...one.policies, ...two.policies],
    purposes: [...one.purposes, ...two.purposes],
  };
}
