import type { Choices } from './choices.js';
import { POLICIES, PURPOSES, SCOPES } from '../delegations.js';

type Alternatives = readonly (readonly string[])[];

/** The requirement at one place of a generated schema. */
export interface Rule {
  readonly authenticated?: true;
  /** `@requiresScope`, each by itself. */
  readonly scope?: readonly string[];
  readonly scopes?: Alternatives;
  readonly policies?: Alternatives;
  readonly purposes?: readonly string[];
}

export function rule(choices: Choices): Rule {
  switch (choices.below(8)) {
    case 0:
      return { authenticated: true };
    case 1:
    case 2:
      return { scope: [choices.of(SCOPES)] };
    case 3:
      return { scope: choices.some(SCOPES, 1) };
    case 4:
      return { scopes: alternatives(choices, SCOPES) };
    case 5:
      return { policies: alternatives(choices, POLICIES) };
    case 6:
      return { purposes: choices.some(PURPOSES, 1) };
    default:
      return { authenticated: true, scope: [choices.of(SCOPES)], scopes: alternatives(choices, SCOPES) };
  }
}

function alternatives(choices: Choices, names: readonly string[]): Alternatives {
  // `[]` can never be met, `[[]]` requires nothing.
  return Array.from({ length: choices.oneIn(8) ? 0 : 1 + choices.below(3) }, () =>
    choices.some(names, choices.oneIn(8) ? 0 : 1),
  );
}

/** A rule that is met only by callers who meet all of these. */
export function allOf(rules: readonly Rule[]): Rule {
  return rules.reduce<Rule>((all, each) => {
    const scope = [...new Set([...(all.scope ?? []), ...(each.scope ?? [])])];
    const scopes = product(all.scopes, each.scopes);
    const policies = product(all.policies, each.policies);
    const purposes = common(all.purposes, each.purposes);
    return {
      ...(all.authenticated === true || each.authenticated === true ? { authenticated: true } : {}),
      ...(scope.length === 0 ? {} : { scope }),
      ...(scopes === undefined ? {} : { scopes }),
      ...(policies === undefined ? {} : { policies }),
      ...(purposes === undefined ? {} : { purposes }),
    };
  }, {});
}

function product(one: Alternatives | undefined, other: Alternatives | undefined): Alternatives | undefined {
  if (one === undefined || other === undefined) return one ?? other;
  return one.flatMap((left) => other.map((right) => [...new Set([...left, ...right])]));
}

/** A purpose that is missing from one of the lists satisfies only the others. */
function common(
  one: readonly string[] | undefined,
  other: readonly string[] | undefined,
): readonly string[] | undefined {
  if (one === undefined || other === undefined) return one ?? other;
  return one.filter((name) => other.includes(name));
}

/** The rule as directives. */
export function written({ authenticated, scope, scopes, policies, purposes }: Rule): string {
  return [
    ...(authenticated === true ? ['@authenticated'] : []),
    ...(scope ?? []).map((name) => `@requiresScope(scope: "${name}")`),
    ...(scopes === undefined ? [] : [`@requiresScopes(scopes: ${JSON.stringify(scopes)})`]),
    ...(policies === undefined ? [] : [`@policy(policies: ${JSON.stringify(policies)})`]),
    ...(purposes === undefined ? [] : [`@purpose(of: ${JSON.stringify(purposes)})`]),
  ].join(' ');
}
