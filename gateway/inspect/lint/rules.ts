import {
  combine,
  compareStrategies,
  isUnrestricted,
  NO_REQUIREMENT,
  ruleText,
} from '@behalf/directives/internal';
import type { FieldRule, Requirement, RuleTable, TypeRule } from '@behalf/directives/internal';
import { strategyText } from '../../supergraph/minimization.js';
import { SCOPE_TOKEN } from '../../scope-token.js';
import { implies } from '../implication.js';
import type { Found } from './finding.js';

/** Whether a type is the team's: not one that composition or a library adds. */
export function isOwnType(name: string): boolean {
  return !/^(?:__|_Service$|_Entity$|_Any$|join__|link__|federation__|behalf__|core__)/.test(name);
}

const FEDERATION_TYPES: ReadonlySet<string> = new Set(['_Service', '_Entity']);

/**
 * Fields of object types that have no rule, inherit none and are not `@public`. `_service` and `_entities` of Federation, which a
 * fetched SDL contains, need none: they show the schema, and rows whose own rules are enforced.
 */
export function checkCoverage(
  enforced: RuleTable,
  isResolvedHere: (coordinate: string) => boolean,
  fields: Iterable<FieldRule> = ownFields(enforced, 'object'),
): Found[] {
  return [...fields].flatMap(({ coordinate, returns }) => {
    const [type = '', field = ''] = coordinate.split('.');
    if (FEDERATION_TYPES.has(returns)) return [];
    if (!isResolvedHere(coordinate) || !enforced.requirementOf(type, field).uncovered) return [];
    return [{ code: 'COVERAGE_MISSING', coordinate, message: 'no rule says who may read it' }];
  });
}

/** Levels whose strategies cannot be compared: their order is the author's word. */
function checkLevels({ coordinate, minimization }: FieldRule): Found[] {
  const { statements = [] } = minimization ?? {};
  return statements.flatMap((statement, index): Found[] => {
    const before = statements[index - 1];
    if (before === undefined || compareStrategies(before, statement) !== 'incomparable') return [];
    const message = `${strategyText(statement)} may leave more than ${strategyText(before)}, which stands before it`;
    return [{ code: 'LEVELS_NOT_COMPARABLE', coordinate, message }];
  });
}

/**
 * Mistakes of a single rule, and `@public` beside a rule.
 *
 * @param isComposed whether the rules are a supergraph's
 */
export function checkWrittenRules(written: RuleTable, isComposed = false): Found[] {
  const found: Found[] = [];
  for (const type of written.allTypes()) {
    if (!isOwnType(type.name)) continue;
    // Composition copies the implementers' rules to the interface, so nobody wrote them beside its @public.
    if (isComposed && type.kind === 'interface') continue;
    found.push(...checkRequirement(type.name, type.own));
    if (type.isPublic && !isUnrestricted(type.own)) {
      found.push({
        code: 'PUBLIC_WITH_RULE',
        coordinate: type.name,
        message: `it is @public and asks ${ruleText(type.own)}`,
      });
    }
    for (const field of type.fields.values()) {
      found.push(...checkRequirement(field.coordinate, field.own), ...checkLevels(field));
      const returned = written.type(field.returns)?.own ?? NO_REQUIREMENT;
      const stated = combine([type.own, field.own, returned]);
      if (field.isPublic && !isUnrestricted(stated)) {
        const where = isUnrestricted(combine([type.own, field.own]))
          ? `what it returns (${field.returns}) requires`
          : 'it requires';
        found.push({
          code: 'PUBLIC_WITH_RULE',
          coordinate: field.coordinate,
          message: `it is @public, and ${where} ${ruleText(stated)}`,
        });
      }
    }
  }
  return found;
}

function checkRequirement(coordinate: string, requirement: Requirement): Found[] {
  const found: Found[] = [];
  const entries = [
    ...requirement.scopes.map((entry) => ({ directive: '@requiresScopes', entry })),
    ...requirement.policies.map((entry) => ({ directive: '@policy', entry })),
    ...requirement.purposes.map((names) => ({ directive: '@purpose', entry: names.map((name) => [name]) })),
  ];
  for (const { directive, entry } of entries) {
    const unheld = directive === '@requiresScopes' ? entry.map(namesThatNoTokenHolds) : [];
    if (entry.length === 0) {
      found.push({
        code: 'RULE_NEVER_MET',
        coordinate,
        message: `${directive} has no alternative, so nobody meets it`,
      });
    } else if (unheld.length > 0 && unheld.every((names) => names.length > 0)) {
      const names = [...new Set(unheld.flat())].map((name) => JSON.stringify(name)).join(' or ');
      found.push({
        code: 'RULE_NEVER_MET',
        coordinate,
        message: `${directive}: no token can hold ${names}, so nobody meets it`,
      });
    } else if (entry.some((names) => names.length === 0)) {
      const words =
        entry.length === 1 ? 'it asks for nothing' : 'an empty alternative makes the others meaningless';
      found.push({ code: 'RULE_ASKS_NOTHING', coordinate, message: `${directive}: ${words}` });
    }
  }
  return found;
}

function namesThatNoTokenHolds(names: readonly string[]): readonly string[] {
  return names.filter((name) => !SCOPE_TOKEN.test(name));
}

/** `@subject(field)` names a property of the row; where the schema has a field of that name, it must fit. */
export function checkSubjects(written: RuleTable): Found[] {
  return [...written.allTypes()].flatMap((type) => {
    if (type.subject === undefined) return [];
    const field = type.fields.get(type.subject.property);
    const returned = field === undefined ? undefined : written.type(field.returns);
    const isLeaf = returned === undefined || returned.kind === 'scalar';
    if (isLeaf && !['Boolean', 'Float', 'Int'].includes(field?.returns ?? '')) return [];
    return [
      {
        code: 'SUBJECT_FIELD_SHAPE',
        coordinate: type.name,
        message: `@subject names "${type.subject.property}", which is of type ${field?.returns ?? '?'} and names nobody`,
      },
    ];
  });
}

/** Rules that an interface states in a subgraph, and that an implementer, there or elsewhere, does not have. */
export function checkInterfaceRules(written: RuleTable, composed: RuleTable): Found[] {
  const found: Found[] = [];
  for (const type of written.allTypes()) {
    if (type.kind !== 'interface' || !isOwnType(type.name)) continue;
    for (const field of type.fields.values()) {
      const stated = combine([type.own, field.own]);
      for (const [implementer, answer] of composed.answersOf(type.name, fieldName(field))) {
        if (implementer.kind !== 'object') continue;
        if (implies(composed.requirementOf(implementer.name, fieldName(answer)), stated) === 'yes') continue;
        found.push({
          code: 'INTERFACE_RULE_PARTIAL',
          coordinate: answer.coordinate,
          message: `${type.name} asks ${ruleText(stated)}, and this implementer does not`,
        });
      }
    }
  }
  return found;
}

/** Interface fields whose implementers ask for different things. */
export function checkImplementers(composed: RuleTable): Found[] {
  const found: Found[] = [];
  for (const type of composed.allTypes()) {
    if (type.kind !== 'interface' || !isOwnType(type.name)) continue;
    for (const field of type.fields.values()) {
      const answers = composed
        .answersOf(type.name, fieldName(field))
        .filter(([{ kind }]) => kind === 'object');
      found.push(...differing(composed, type, field, answers));
    }
  }
  return found;
}

function differing(
  rules: RuleTable,
  type: TypeRule,
  field: FieldRule,
  answers: readonly (readonly [TypeRule, FieldRule])[],
): Found[] {
  const requirements = answers.map(([{ name }, answer]) => rules.requirementOf(name, fieldName(answer)));
  const all = combine(requirements);
  if (requirements.every((requirement) => implies(requirement, all) === 'yes')) return [];
  const names = answers.map(([{ name }]) => name).join(', ');
  const message = `its implementers (${names}) do not ask for the same`;
  return [{ code: 'INTERFACE_RULES_DIFFER', coordinate: `${type.name}.${fieldName(field)}`, message }];
}

function* ownFields(rules: RuleTable, kind: TypeRule['kind']): Iterable<FieldRule> {
  for (const type of rules.allTypes()) {
    if (type.kind === kind && isOwnType(type.name)) yield* type.fields.values();
  }
}

export function fieldName({ coordinate }: FieldRule): string {
  return coordinate.slice(coordinate.indexOf('.') + 1);
}
