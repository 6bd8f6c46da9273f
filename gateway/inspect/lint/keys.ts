import { ruleText } from '@behalf/directives/internal';
import { outermostFields } from '../../supergraph/field-set.js';
import { JoinMetadata } from '../../supergraph/join.js';
import { implies } from '../implication.js';
import type { InspectedSupergraph } from '../supergraph.js';
import type { Found } from './finding.js';

/** A message names this many fields, and counts the others. */
const NAMED_FIELDS = 3;

/**
 * Keys with a rule that is stricter than that of another field of the type. A protected subgraph withholds a key from callers who
 * may not read it, even inside the federation, so everything joined by the key is lost to them (decision 0023).
 */
export function checkKeys({ document, rules }: InspectedSupergraph): Found[] {
  const found: Found[] = [];
  for (const { name: type, isInterface, joins, fields } of new JoinMetadata(document).types.values()) {
    if (isInterface) continue;
    // A type of a single subgraph is never joined.
    if (new Set(joins.map(({ graph }) => graph)).size < 2) continue;
    const keyFields = new Set(
      joins.flatMap(({ key }) => (key === undefined ? [] : [...outermostFields(key)])),
    );
    for (const key of keyFields) {
      const wanted = rules.requirementOf(type, key);
      if (wanted.uncovered) continue;
      const losing = [...fields.keys()].filter(
        (field) => !keyFields.has(field) && implies(rules.requirementOf(type, field), wanted) !== 'yes',
      );
      if (losing.length === 0) continue;
      const more = losing.length > NAMED_FIELDS ? ` and ${losing.length - NAMED_FIELDS} more` : '';
      found.push({
        code: 'KEY_PROTECTED',
        coordinate: `${type}.${key}`,
        message: `the key requires ${ruleText(wanted)}, and ${losing.slice(0, NAMED_FIELDS).join(', ')}${more} can be read without it`,
      });
    }
  }
  return found;
}
