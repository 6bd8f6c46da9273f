import { keyPath } from '@behalf/directives/internal';
import { isCoordinate } from './detail.js';
import { isDay } from './durations.js';
import { PolicyError } from './errors.js';
import type { MinimizeRule, Policy, ScopePolicy } from './policy.js';
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
  policy.minimize.forEach((rule, index) => {
    checkMinimizeRule(rule, policy, `minimize[${index}]`);
  });
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

/** A field's levels are known from the schema: see `comparePolicyWithSchema`. */
function checkMinimizeRule({ when, levels, strictest }: MinimizeRule, policy: Policy, path: string): void {
  const { clients = [], exceptClients = [], purposes = [] } = when;
  requireNames(purposes, policy.purposes, 'purpose', `${path}.when.purposes`);
  if (policy.clients.size > 0 && !policy.clients.has('*')) {
    requireNames(clients, policy.clients, 'client', `${path}.when.clients`);
    requireNames(exceptClients, policy.clients, 'client', `${path}.when.exceptClients`);
  }
  for (const [name, level] of levels) {
    if (isCoordinate(name)) continue;
    const at = keyPath(`${path}.levels`, name);
    const category = policy.categories.get(name);
    if (category === undefined) throw contradiction(at, 'is not a category of this policy');
    if (!category.levels.some((each) => each.name === level)) {
      throw contradiction(at, `"${level}" is not a level of this category`);
    }
  }
  strictest.forEach((sensitivity, index) => {
    const has = [...policy.categories.values()].some(
      (each) => each.sensitivity === sensitivity && each.levels.length > 0,
    );
    if (!has) throw contradiction(`${path}.strictest[${index}]`, 'no category with levels is as sensitive');
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
