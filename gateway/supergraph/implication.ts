import type { Requirement } from '@behalf/directives/internal';

/** Whether everybody who meets one requirement meets another. `unknown`: undecided at a bounded cost. */
export type Implied = 'yes' | 'no' | 'unknown';

/** One conjunct: an OR of ANDs of names, each with its kind. */
type Conjunct = readonly (readonly string[])[];

/** Held by everybody with a token, because holding anything requires one. */
const TOKEN = 'token';
const MAX_STEPS = 20_000;
/** Pairs of alternatives to compare with each other. */
const MAX_PAIRS = 1_000_000;
/** Alternatives that one step may examine: a step over more counts as several. */
const ALTERNATIVES_PER_STEP = 100;

/**
 * Whether every delegation that meets `asked` also meets `wanted`.
 *
 * Both are monotone formulas, AND of OR of AND, so it suffices to look for a counterexample: one alternative from each conjunct
 * of `asked` whose names together do not meet a conjunct of `wanted`. There can be exponentially many choices, so the search
 * gives up after a bounded number of steps and reports `unknown`.
 */
export function implies(asked: Requirement, wanted: Requirement, maxSteps: number = MAX_STEPS): Implied {
  const premises = conjunctsOf(asked);
  let isKnown = true;
  for (const conclusion of conjunctsOf(wanted)) {
    // Most conclusions follow from one premise alone.
    if (premises.some((premise) => isSame(premise, conclusion) || isWithin(premise, conclusion))) continue;
    const search = { steps: maxSteps };
    const counterexample = canAvoid(premises, conclusion, new Set(), search);
    if (counterexample) return 'no';
    if (search.steps <= 0) isKnown = false;
  }
  return isKnown ? 'yes' : 'unknown';
}

function conjunctsOf(requirement: Requirement): readonly Conjunct[] {
  const named = (kind: string, entry: readonly (readonly string[])[]): Conjunct =>
    entry.map((names) => names.map((name) => `${kind} ${name}`));
  return [
    // Met by nobody.
    ...(requirement.uncovered ? [[]] : []),
    ...(requirement.authenticated ? [[[TOKEN]]] : []),
    ...requirement.scopes.map((entry) => named('scope', entry)),
    ...requirement.policies.map((entry) => named('policy', entry)),
    ...requirement.purposes.map((entry) =>
      named(
        'purpose',
        entry.map((name) => [name]),
      ),
    ),
  ];
}

/** Word for word. */
function isSame(premise: Conjunct, conclusion: Conjunct): boolean {
  return premise.length === conclusion.length && JSON.stringify(premise) === JSON.stringify(conclusion);
}

/** Whether each alternative of the premise contains an alternative of the conclusion. Long ones are left undecided. */
function isWithin(premise: Conjunct, conclusion: Conjunct): boolean {
  if (premise.length * conclusion.length > MAX_PAIRS) return false;
  return premise.every((names) => isMetBy(conclusion, new Set(names)));
}

function isMetBy(conjunct: Conjunct, held: ReadonlySet<string>): boolean {
  return conjunct.some((names) => names.every((name) => (name === TOKEN ? held.size > 0 : held.has(name))));
}

/** Whether something meets all premises and not the conclusion. When the steps run out it returns false. */
function canAvoid(
  premises: readonly Conjunct[],
  conclusion: Conjunct,
  held: ReadonlySet<string>,
  search: { steps: number },
): boolean {
  search.steps -= 1 + Math.floor((conclusion.length + countAlternatives(premises)) / ALTERNATIVES_PER_STEP);
  if (search.steps <= 0) return false;
  // More names never make it unmet: nothing below this choice is a counterexample.
  if (isMetBy(conclusion, held)) return false;
  const open = premises.filter((premise) => !isMetBy(premise, held));
  const next = open.reduce<Conjunct | undefined>(
    (fewest, premise) => (fewest === undefined || premise.length < fewest.length ? premise : fewest),
    undefined,
  );
  if (next === undefined) return true;
  return next.some((names) => canAvoid(open, conclusion, new Set([...held, ...names]), search));
}

function countAlternatives(premises: readonly Conjunct[]): number {
  return premises.reduce((sum, { length }) => sum + length, 0);
}
