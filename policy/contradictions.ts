import { isDay } from './durations.js';
import { PolicyError } from './errors.js';
import type { Policy, ScopePolicy } from './policy.js';
import { strictest } from './step-up.js';

/**
 * Checks what a JSON Schema cannot: every referenced name is defined, and no period ends before it begins. @throws {PolicyError}
 */
export function refuseContradictions(policy: Policy): void {
  for (const scope of policy.scopes.values()) checkDeprecation(scope, policy);
  for (const { name, mayGrant } of policy.roles.values()) {
    requireNames(mayGrant, policy.scopes, 'scope', `roles.${name}.mayGrant`);
  }
  refuseIrreconcilableSignIns(policy);
  for (const { clientId, scopes, purposes, rateClass } of policy.clients.values()) {
    requireNames(scopes, policy.scopes, 'scope', `clients.${clientId}.scopes`);
    requireNames(purposes, policy.purposes, 'purpose', `clients.${clientId}.purposes`);
    if (rateClass !== undefined && !policy.rateClasses.has(rateClass)) {
      throw contradiction(`clients.${clientId}.rateClass`, `"${rateClass}" is not one of the rate classes`);
    }
  }
}

/** A person signs in once for everything they are asked for, so one way of signing in must suffice for every sensitivity. */
function refuseIrreconcilableSignIns({ stepUp }: Policy): void {
  const levels = [...stepUp].filter(([, { acrValues }]) => acrValues !== undefined);
  const { acrValues: common } = strictest(levels.map(([, level]) => level));
  const last = levels.at(-1)?.[0];
  if (common?.length !== 0 || last === undefined) return;
  throw contradiction(`stepUp.${last}.acrValues`, 'has no value in common with those before it');
}

function checkDeprecation({ name, deprecated }: ScopePolicy, policy: Policy): void {
  if (deprecated === undefined) return;
  const path = `scopes.${name}.deprecated`;
  const { since, until, replacedBy = [] } = deprecated;
  if (!isDay(since)) throw notADay(`${path}.since`);
  if (until !== undefined) {
    if (!isDay(until)) throw notADay(`${path}.until`);
    if (until < since) throw contradiction(`${path}.until`, 'is before since');
  }
  requireNames(replacedBy, policy.scopes, 'scope', `${path}.replacedBy`);
  replacedBy.forEach((other, index) => {
    const at = `${path}.replacedBy[${index}]`;
    if (other === name) throw contradiction(at, 'a scope cannot replace itself');
    if (policy.scopes.get(other)?.deprecated !== undefined) {
      throw contradiction(at, `"${other}" is deprecated itself`);
    }
  });
}

function requireNames(
  names: readonly string[],
  defined: ReadonlyMap<string, unknown>,
  what: string,
  path: string,
): void {
  names.forEach((name, index) => {
    if (!defined.has(name))
      throw contradiction(`${path}[${index}]`, `"${name}" is not a ${what} of this policy`);
  });
}

function notADay(path: string): PolicyError {
  return new PolicyError('POLICY_INVALID', path, 'must be a calendar day, YYYY-MM-DD');
}

function contradiction(path: string, message: string): PolicyError {
  return new PolicyError('POLICY_CONTRADICTION', path, message);
}
