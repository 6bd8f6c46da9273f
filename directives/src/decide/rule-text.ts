import type { DirectiveSpecification } from '../specification/directive-specification.js';
import { specifiedDirectives } from '../specification/specified-directives.js';
import type { Requirement } from './requirement.js';

/** The rule in the schema's words, for spans, records and explanations. Empty for an unrestricted one. */
export function ruleText(requirement: Requirement): string {
  const directives: readonly DirectiveSpecification[] = specifiedDirectives;
  const parts = directives.flatMap(({ explain }) => explain?.(requirement) ?? []);
  return [...(requirement.uncovered ? ['no rule'] : []), ...parts].join(' ');
}
