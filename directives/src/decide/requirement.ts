import type { Delegation } from '../claims/delegation.js';
import type { Alternatives } from '../specification/read-arguments.js';
import { withoutUndefined } from '../without-undefined.js';

/**
 * The conditions that a delegation must meet for one coordinate. Every list is an AND; an entry of `scopes` and `policies`
 * is an OR of ANDs, an entry of `purposes` an OR.
 */
export interface Requirement {
  readonly authenticated: boolean;
  readonly scopes: readonly Alternatives[];
  readonly policies: readonly Alternatives[];
  readonly purposes: readonly (readonly string[])[];
  /** The coordinate has no rule, but the schema requires one. */
  readonly uncovered: boolean;
}

export const NO_REQUIREMENT: Requirement = Object.freeze({
  authenticated: false,
  scopes: [],
  policies: [],
  purposes: [],
  uncovered: false,
});

export const UNCOVERED: Requirement = Object.freeze({ ...NO_REQUIREMENT, uncovered: true });

/** The meaning of a directive that requires something of the delegation. */
export interface RequirementMeaning {
  readonly kind: 'requirement';
  readonly requirement: Requirement;
}

export function requirementMeaning(part: Partial<Requirement>): RequirementMeaning {
  return { kind: 'requirement', requirement: { ...NO_REQUIREMENT, ...part } };
}

/** Everybody meets it, including anonymous callers. */
export function isUnrestricted(requirement: Requirement): boolean {
  return (
    !requirement.authenticated &&
    !requirement.uncovered &&
    requirement.scopes.length === 0 &&
    requirement.policies.length === 0 &&
    requirement.purposes.length === 0
  );
}

/** The requirement that is met if all of these are. Equal entries are kept once. */
export function combine(requirements: readonly Requirement[]): Requirement {
  const asking = requirements.filter((requirement) => !isUnrestricted(requirement));
  const [first, second] = asking;
  if (first === undefined) return NO_REQUIREMENT;
  if (second === undefined) return first;
  return {
    authenticated: asking.some((requirement) => requirement.authenticated),
    uncovered: asking.some((requirement) => requirement.uncovered),
    scopes: distinct(asking.flatMap((requirement) => requirement.scopes)),
    policies: distinct(asking.flatMap((requirement) => requirement.policies)),
    purposes: distinct(asking.flatMap((requirement) => requirement.purposes)),
  };
}

function distinct<Entry>(entries: readonly Entry[]): readonly Entry[] {
  return [...new Map(entries.map((entry) => [JSON.stringify(entry), entry])).values()];
}

const NOTHING_HELD: ReadonlySet<string> = new Set();

/**
 * Decides whether a delegation meets a requirement. It starts as denied: every part must be proven, and an absent claim proves nothing.
 *
 * @param delegation undefined for an anonymous caller, who holds nothing. A service has no consent, so it meets no purpose.
 */
export function isMet(requirement: Requirement, delegation: Delegation | undefined): boolean {
  if (requirement.uncovered) return false;
  if (requirement.authenticated && delegation === undefined) return false;
  if (!holdsAll(requirement.scopes, delegation?.scopes ?? NOTHING_HELD)) return false;
  if (!holdsAll(requirement.policies, delegation?.policies ?? NOTHING_HELD)) return false;
  const consented = delegation?.consent?.purposes;
  return requirement.purposes.every((anyOf) =>
    anyOf.some((purpose) => consented?.includes(purpose) === true),
  );
}

function holdsAll(entries: readonly Alternatives[], held: ReadonlySet<string>): boolean {
  return entries.every((alternatives) => holdsOne(alternatives, held));
}

/** Whether one alternative is held as a whole. `[]` has none, so it is never met. */
export function holdsOne(alternatives: Alternatives, held: ReadonlySet<string>): boolean {
  return alternatives.some((names) => names.every((name) => held.has(name)));
}

/** Whether a delegation reads rows of every subject: it holds one alternative of the `unless` of `@subject`. */
export function isExemptFromSubject(unless: Alternatives, delegation: Delegation | undefined): boolean {
  return delegation !== undefined && holdsOne(unless, delegation.scopes);
}

/** The parts of a requirement: it is met if each of them is. Empty for an unrestricted one. */
export function requirementParts(requirement: Requirement): readonly Requirement[] {
  return [
    ...(requirement.uncovered ? [UNCOVERED] : []),
    ...(requirement.authenticated ? [{ ...NO_REQUIREMENT, authenticated: true }] : []),
    ...requirement.scopes.map((entry) => ({ ...NO_REQUIREMENT, scopes: [entry] })),
    ...requirement.policies.map((entry) => ({ ...NO_REQUIREMENT, policies: [entry] })),
    ...requirement.purposes.map((entry) => ({ ...NO_REQUIREMENT, purposes: [entry] })),
  ];
}

/** The conditions of a denied field, for clients: names of the schema only, never what the caller holds. */
export interface Requires {
  readonly authenticated?: true;
  readonly scopes?: readonly Alternatives[];
  readonly policies?: readonly Alternatives[];
  readonly purposes?: readonly (readonly string[])[];
  /** Everything else is met; the person must sign in again, in this way (RFC 9470 section 3). */
  readonly stepUp?: { readonly acrValues?: readonly string[]; readonly maxAgeSeconds?: number };
  /** The argument in `coordinate` filters, sorts or pages by these fields, and the conditions are theirs (`@filters`). */
  readonly filters?: readonly string[];
  /**
   * No scope would suffice: `missing`, the schema does not say who may read this; `minimized`, the fields in `filters` are never
   * whole for this delegation.
   */
  readonly rule?: 'missing' | 'minimized';
}

export function describeRequirement(requirement: Requirement): Requires {
  return withoutUndefined({
    authenticated: requirement.authenticated ? true : undefined,
    scopes: requirement.scopes.length > 0 ? requirement.scopes : undefined,
    policies: requirement.policies.length > 0 ? requirement.policies : undefined,
    purposes: requirement.purposes.length > 0 ? requirement.purposes : undefined,
    rule: requirement.uncovered ? 'missing' : undefined,
  });
}
