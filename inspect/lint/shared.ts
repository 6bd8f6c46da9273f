import { ruleText, type FieldRule } from '@behalf/directives';
import type { RuleTable } from '@behalf/directives';
import { compareMinimization } from '../diff.js';
import { implies } from '../implication.js';
import type { Found } from './finding.js';
import { fieldName, isOwnType } from './rules.js';
import type { LintSubgraph } from './subgraph.js';

/**
 * Fields and types that several subgraphs have (`@key`, `@shareable`, entities) and protect differently. Composition joins
 * the rules, so the gateway enforces all of them; each subgraph enforces only its own.
 */
export function checkShared(subgraphs: readonly LintSubgraph[], composed: RuleTable): Found[] {
  return subgraphs.flatMap((subgraph) => {
    const found: Found[] = [];
    for (const type of subgraph.enforced.allTypes()) {
      const whole = composed.type(type.name);
      if (type.kind !== 'object' || whole === undefined || !isOwnType(type.name)) continue;
      if (whole.subject !== undefined && type.subject !== whole.subject) {
        found.push({
          code: 'SHARED_SUBJECT_DIFFERS',
          coordinate: type.name,
          subgraph: subgraph.name,
          message: `elsewhere its rows belong to the subject in "${whole.subject}", here ${type.subject === undefined ? 'to nobody' : `to that in "${type.subject}"`}`,
        });
      }
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
  // A field without any rule is refused here: that is another finding.
  if (!here.uncovered && implies(here, wanted) !== 'yes') {
    found.push({
      code: 'SHARED_RULE_DIFFERS',
      coordinate,
      subgraph,
      message: `the federation asks ${ruleText(wanted)}, and this subgraph ${ruleText(here) === '' ? 'asks for nothing' : `only ${ruleText(here)}`}`,
    });
  }
  const whole = composed.field(type, fieldName(field))?.minimization;
  if (compareMinimization(whole, field.minimization) !== undefined) {
    found.push({
      code: 'SHARED_MINIMIZATION_DIFFERS',
      coordinate,
      subgraph,
      message:
        field.minimization === undefined
          ? 'elsewhere it is minimized, here it is whole'
          : 'it is minimized in another way elsewhere',
    });
  }
  return found;
}
