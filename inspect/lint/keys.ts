import { argumentsOf, JOIN_IDENTITY, Links, ruleText } from '@behalf/directives';
import { Kind } from 'graphql';
import { implies } from '../implication.js';
import type { InspectedSupergraph } from '../supergraph.js';
import type { Found } from './finding.js';

/** Fields that a message names; the others are counted. */
const NAMED_FIELDS = 3;

/**
 * Keys with a rule that not everybody meets who may read something of the type. A protected subgraph gives a key to nobody who
 * may not read it, the gateway included, so that what is joined by it is lost for these callers (decision 0023).
 */
export function checkKeys({ document, rules }: InspectedSupergraph): Found[] {
  const links = new Links(document);
  const join = links.feature(JOIN_IDENTITY);
  if (join === undefined) return [];
  const joinType = links.localName(join, 'type');
  const found: Found[] = [];
  for (const definition of document.definitions) {
    if (definition.kind !== Kind.OBJECT_TYPE_DEFINITION) continue;
    const type = definition.name.value;
    const joins = (definition.directives ?? [])
      .filter(({ name }) => name.value === joinType)
      .map((node) => argumentsOf(node));
    const keys = joins.flatMap(({ key }) => (typeof key === 'string' ? [key] : []));
    // In one subgraph nothing is joined.
    if (new Set(joins.map(({ graph }) => graph)).size < 2) continue;
    const fields = (definition.fields ?? []).map(({ name }) => name.value);
    const keyFields = new Set(keys.flatMap(outermostNames));
    for (const key of keyFields) {
      const wanted = rules.requirementOf(type, key);
      if (wanted.uncovered) continue;
      const losing = fields.filter(
        (field) => !keyFields.has(field) && implies(rules.requirementOf(type, field), wanted) !== 'yes',
      );
      if (losing.length === 0) continue;
      const more = losing.length > NAMED_FIELDS ? ` and ${losing.length - NAMED_FIELDS} more` : '';
      found.push({
        code: 'KEY_PROTECTED',
        coordinate: `${type}.${key}`,
        message: `the key asks ${ruleText(wanted)}, and ${losing.slice(0, NAMED_FIELDS).join(', ')}${more} may be read without`,
      });
    }
  }
  return found;
}

/** Of a field set, without what is selected on its fields. */
function outermostNames(fieldSet: string): string[] {
  let depth = 0;
  const names: string[] = [];
  for (const [token] of fieldSet.matchAll(/\w+|[{}]/g)) {
    if (token === '{') depth += 1;
    else if (token === '}') depth -= 1;
    else if (depth === 0) names.push(token);
  }
  return names;
}
