import type { Delegation } from '../claims/delegation.js';
import { alternativesText } from '../specification/read-arguments.js';
import { withoutUndefined } from '../without-undefined.js';
import type { FieldRule } from './compile-types.js';
import { defaultStatement, liftingScopes, statementInForce } from './minimization.js';
import type { Minimization } from './minimization.js';
import { combine, describeRequirement, isMet, NO_REQUIREMENT } from './requirement.js';
import type { Requirement, Requires } from './requirement.js';
import { ruleText } from './rule-text.js';

/** The condition for using one argument, input field or enum value that `@filters` puts under the rules of fields. */
export interface FilterGate {
  readonly index: number;
  /** Coordinate of the argument, input field or enum value. */
  readonly at: string;
  /** Coordinates of the fields that it filters, sorts or pages by. */
  readonly fields: readonly string[];
  /** What the fields require, and the scopes with which their values are whole. Never met if no scope makes them whole. */
  readonly requirement: Requirement;
  /** Of these fields, by every type that can answer them. */
  readonly minimized: readonly Minimization[];
  /** What a denial tells the client if the requirement is not met. */
  readonly requires: Requires;
  /** In the schema's words, for records and explanations. */
  readonly rule: string;
}

/** Why an argument may not be used. */
export type FilterRefusal =
  /** The requirement is not met. */
  | 'requirement'
  /** The requirement is met, but this delegation gets less detail nevertheless. */
  | 'minimized';

/**
 * Makes the condition of one place.
 *
 * @param required by each of the fields
 * @param rules of every type that can answer one of the fields
 * @returns undefined if everybody meets it
 */
export function filterGate(
  place: Pick<FilterGate, 'index' | 'at' | 'fields'>,
  required: readonly Requirement[],
  rules: readonly FieldRule[],
): FilterGate | undefined {
  const minimized = rules.flatMap(({ minimization }) => minimization ?? []);
  const stated = combine(required);
  const whole = minimized.flatMap(wholeOf);
  const requirement = combine([stated, ...whole]);
  if (requirement === NO_REQUIREMENT && minimized.length === 0) return undefined;
  const isLiftable = whole.every(({ scopes }) => scopes.every((alternatives) => alternatives.length > 0));
  const told = isLiftable ? requirement : stated;
  return {
    ...place,
    requirement,
    minimized,
    requires: withoutUndefined({
      ...describeRequirement(told),
      filters: place.fields,
      rule: told.uncovered ? ('missing' as const) : isLiftable ? undefined : ('minimized' as const),
    }),
    rule: textOf(place.fields, stated, minimized),
  };
}

/** What the field leaves by default is the whole value for those who hold one alternative of `unless`. */
function wholeOf(minimization: Minimization): readonly Requirement[] {
  const stated = defaultStatement(minimization);
  return stated === undefined ? [] : [{ ...NO_REQUIREMENT, scopes: [stated.unless] }];
}

function textOf(fields: readonly string[], stated: Requirement, minimized: readonly Minimization[]): string {
  const whole = new Set(minimized.map((each) => alternativesText(liftingScopes(each))));
  return [
    `@filters(${fields.join(', ')})`,
    ruleText(stated),
    ...[...whole].map((scopes) => (scopes === '' ? '@minimize' : `@minimize(unless: ${scopes})`)),
  ]
    .filter((part) => part !== '')
    .join(' ');
}

/**
 * Decides whether a delegation may use the argument, input field or enum value. It starts as refused.
 *
 * @param delegation undefined for an anonymous caller
 */
export function filterRefusal(
  gate: FilterGate,
  delegation: Delegation | undefined,
): FilterRefusal | undefined {
  if (!isMet(gate.requirement, delegation)) return 'requirement';
  return gate.minimized.every((each) => statementInForce(each, delegation) === undefined)
    ? undefined
    : 'minimized';
}

/** What a denial tells the client: names of the schema only. */
export function requiresOf(gate: FilterGate, refusal: FilterRefusal): Requires {
  return refusal === 'requirement' ? gate.requires : { filters: gate.fields, rule: 'minimized' };
}
