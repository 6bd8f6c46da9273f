import { NO_REQUIREMENT } from '@behalf/directives/internal';
import type { Alternatives, Requirement, SubjectRule } from '@behalf/directives/internal';

/** What a delegation needs to read the rows of every subject. */
export function everyRowRequirement({ unless }: SubjectRule): Requirement {
  return { ...NO_REQUIREMENT, authenticated: true, scopes: [unless] };
}

/** The directive in the words of the schema, alike for all rules that mean the same; empty without one. */
export function subjectText(rule: SubjectRule | undefined): string {
  if (rule === undefined) return '';
  const unless = inOneOrder(rule.unless)
    .map((names) => names.join(' & '))
    .join(' | ');
  return `@subject(field: "${rule.property}"${unless === '' ? '' : `, unless: ${unless}`})`;
}

function inOneOrder(alternatives: Alternatives): Alternatives {
  const each = alternatives.map((names) => [...new Set(names)].sort());
  const distinct = new Map(each.map((names) => [names.join(' '), names]));
  return [...distinct].sort(([a], [b]) => (a < b ? -1 : 1)).map(([, names]) => names);
}
