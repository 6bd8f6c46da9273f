import { ceilingOf, mayGrant } from '@behalf/policy/internal';
import type { Policy, PurposePolicy, ScopePolicy } from '@behalf/policy';
import { applyCeiling } from '@behalf/policy/internal';
import type { Account } from '../accounts/register.js';
import type { Consent } from '../consent/types.js';

/**
 * The requested scopes that the person can be asked for: within the client's ceiling, still accepted, and theirs to grant. The
 * person does not see the others.
 */
export function offeredScopes(
  requested: Iterable<string>,
  account: Account,
  clientId: string,
  policy: Policy,
): readonly ScopePolicy[] {
  const wanted = new Set(grantableScopes(requested, account, clientId, policy));
  return [...policy.scopes.values()].filter(({ name }) => wanted.has(name));
}

/** The scopes that a token of this client for this person may hold today. */
export function grantableScopes(
  scopes: Iterable<string>,
  account: Account,
  clientId: string,
  policy: Policy,
): readonly string[] {
  const left = applyCeiling(policy, clientId, { scopes, purposes: [] }, today());
  return left.scopes.filter((name) => mayGrant(policy, account.roles, name));
}

/** The purposes of the client's ceiling. None if the policy sets it no ceiling. */
export function purposesOf(clientId: string, policy: Policy): readonly PurposePolicy[] {
  const ceiling = ceilingOf(policy, clientId);
  if (ceiling.kind !== 'client') return [];
  const { purposes } = ceiling.client;
  return [...policy.purposes.values()].filter(({ name }) => purposes.includes(name));
}

/** The consented purposes that the client's tokens may still carry. */
export function permittedPurposes(consent: Consent, policy: Policy): readonly string[] {
  const held = { scopes: [], purposes: consent.purposes };
  return applyCeiling(policy, consent.clientId, held, today()).purposes;
}

/**
 * Whether the person has already decided about everything, including what they refused. Only names are compared: a corrected
 * sentence asks nobody again, and a scope with a new meaning needs a new name (docs/decisions/0018).
 */
export function decided(
  consent: Consent,
  offered: readonly ScopePolicy[],
  purposes: readonly PurposePolicy[],
): boolean {
  const { scopes, declined, declinedPurposes } = consent;
  return (
    offered.every(({ name }) => scopes.includes(name) || declined.includes(name)) &&
    purposes.every(({ name }) => consent.purposes.includes(name) || declinedPurposes.includes(name))
  );
}

function today(): string {
  return new Date().toISOString().slice(0, 10);
}
