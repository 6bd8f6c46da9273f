import { ruleText, type FieldRule } from '@behalf/directives/internal';
import type { RuleTable } from '@behalf/directives/internal';
import { implies } from '../implication.js';
import type { Found } from './finding.js';
import { fieldName, isOwnType } from './rules.js';
import type { LintSubgraph } from './subgraph.js';

/**
 * Fields of several subgraphs (`@key`, `@shareable`, entities) whose rule is weaker in one of them. Composition combines the
 * rules, so the gateway enforces all of them; each subgraph enforces only its own.
 */
export function checkShared(subgraphs: readonly LintSubgraph[], composed: RuleTable): Found[] {
  return subgraphs.flatMap((subgraph) => {
    const found: Found[] = [];
    for (const type of subgraph.enforced.allTypes()) {
      if (type.kind !== 'object' || composed.type(type.name) === undefined || !isOwnType(type.name)) continue;
      for (const field of type.fields.values()) {
        if (!subgraph.external.has(field.coordinate))
          found.push(...checkField(subgraph, composed, type.name, field));
      }
    }
    return found;
  });
}

function checkField(
  { name: subgraph, enforced }: LintSubgraph,
  composed: RuleTable,
  type: string,
  field: FieldRule,
): Found[] {
  const { coordinate } = field;
  const found: Found[] = [];
  const wanted = composed.requirementOf(type, fieldName(field));
  const here = enforced.requirementOf(type, fieldName(field));
  // A field without any rule is refused by this subgraph: that is COVERAGE_MISSING.
  if (!here.uncovered && implies(here, wanted) !== 'yes') {
    found.push({
      code: 'SHARED_RULE_DIFFERS',
      coordinate,
      subgraph,
      message: `the federation requires ${ruleText(wanted)}, and this subgraph ${ruleText(here) === '' ? 'requires nothing' : `only ${ruleText(here)}`}`,
    });
  }
  return found;
}
