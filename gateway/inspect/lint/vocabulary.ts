import type { Requirement, RuleTable } from '@behalf/directives/internal';
import { comparePolicyWithSchema, vocabularyOf } from '@behalf/policy';
import type { Policy } from '@behalf/policy';
import { isScopeAccepted } from '@behalf/policy/internal';
import type { Found } from './finding.js';
import { isOwnType } from './rules.js';

/**
 * Names that only the schema or only the policy has, and deprecated scopes that a rule still depends on. The names are compared
 * as when an authority starts; here each use is reported where it is.
 *
 * @param today `YYYY-MM-DD`, UTC.
 */
export function checkVocabulary(rules: RuleTable, policy: Policy, today: string): Found[] {
  const found: Found[] = [];
  for (const { kind, name, coordinates } of comparePolicyWithSchema(policy, vocabularyOf(rules))) {
    switch (kind) {
      case 'scope-not-in-policy':
        for (const coordinate of coordinates) found.push(unknownScope(rules, coordinate, name));
        break;
      case 'purpose-not-in-policy':
        for (const coordinate of coordinates) {
          found.push({ code: 'PURPOSE_UNKNOWN', coordinate, message: `the policy has no purpose "${name}"` });
        }
        break;
      case 'scope-not-in-schema':
        // A deprecated scope is meant to go out of use.
        if (policy.scopes.get(name)?.deprecated === undefined) {
          found.push({ code: 'SCOPE_UNUSED', message: `no rule of the schema names the scope "${name}"` });
        }
        break;
      case 'purpose-not-in-schema':
        found.push({ code: 'PURPOSE_UNUSED', message: `no rule of the schema names the purpose "${name}"` });
        break;
      case 'category-not-in-schema':
        found.push({
          code: 'CATEGORY_UNUSED',
          message: `no field of the schema is of the category "${name}"`,
        });
        break;
      case 'field-without-level':
        for (const coordinate of coordinates) {
          found.push({ code: 'FIELD_WITHOUT_LEVEL', coordinate, message: `it does not state "${name}"` });
        }
        break;
      case 'level-order-differs':
        for (const coordinate of coordinates) {
          const message = `the policy has the levels of "${name}" in another order`;
          found.push({ code: 'LEVEL_ORDER_DIFFERS', coordinate, message });
        }
        break;
      case 'level-not-in-policy':
        for (const coordinate of coordinates) {
          found.push({ code: 'LEVEL_NOT_IN_POLICY', coordinate, message: `the policy has no "${name}"` });
        }
        break;
      case 'level-not-in-schema':
        found.push({ code: 'LEVEL_UNKNOWN', message: `the schema has no "${name}"` });
        break;
      case 'deprecated-scope-required':
        // Reported by checkDeprecated, unless an alternative does without it.
        break;
    }
  }
  return [...found, ...checkDeprecated(rules, policy, today)];
}

function unknownScope(rules: RuleTable, coordinate: string, name: string): Found {
  const own = ownRequirement(rules, coordinate);
  return own.scopes.flat(2).includes(name)
    ? { code: 'SCOPE_UNKNOWN', coordinate, message: `the policy has no scope "${name}"` }
    : {
        code: 'MINIMIZE_SCOPE_UNKNOWN',
        coordinate,
        message: `the policy has no scope "${name}", which \`unless\` names`,
      };
}

function ownRequirement(rules: RuleTable, coordinate: string): Pick<Requirement, 'scopes'> {
  const [type = '', field] = coordinate.split('.');
  const rule = field === undefined ? rules.type(type) : rules.field(type, field);
  return rule?.own ?? { scopes: [] };
}

function checkDeprecated(rules: RuleTable, policy: Policy, today: string): Found[] {
  const found: Found[] = [];
  for (const type of rules.allTypes()) {
    if (!isOwnType(type.name)) continue;
    const places = [{ coordinate: type.name, own: type.own }, ...type.fields.values()];
    for (const { coordinate, own } of places) {
      for (const entry of own.scopes) {
        // A rule with an alternative that needs no deprecated scope can stay.
        const expired = neededOf(entry, (name) => isExpired(policy, name, today));
        const deprecated = neededOf(entry, (name) => policy.scopes.get(name)?.deprecated !== undefined);
        const [code, names] =
          expired.length > 0
            ? (['SCOPE_EXPIRED', expired] as const)
            : (['SCOPE_DEPRECATED', deprecated] as const);
        if (names.length === 0) continue;
        found.push({
          code,
          coordinate,
          message: names.map((name) => deprecationWords(policy, name)).join('; '),
        });
      }
    }
  }
  return found;
}

/** The names of this kind if every alternative has one; none if an alternative does without. */
function neededOf(
  entry: readonly (readonly string[])[],
  isOfKind: (name: string) => boolean,
): readonly string[] {
  if (entry.length === 0 || !entry.every((names) => names.some(isOfKind))) return [];
  return [...new Set(entry.flat().filter(isOfKind))];
}

function isExpired(policy: Policy, name: string, today: string): boolean {
  const scope = policy.scopes.get(name);
  return scope !== undefined && !isScopeAccepted(scope, today);
}

function deprecationWords(policy: Policy, name: string): string {
  const { since, until, replacedBy = [] } = policy.scopes.get(name)?.deprecated ?? { since: '?' };
  const end = until === undefined ? '' : `, accepted until ${until}`;
  const instead = replacedBy.length === 0 ? '' : `, replaced by ${replacedBy.join(' and ')}`;
  return `the scope "${name}" is deprecated since ${since}${end}${instead}`;
}
