import type { DocumentNode } from 'graphql';
import { isUnrestricted } from '../decide/requirement.js';
import { RuleTable } from '../decide/rule-table.js';
import { DirectiveError } from '../errors.js';
import { completeSubgraph } from '../specification/complete.js';
import { BEHALF_IDENTITY, FEDERATION_IDENTITY } from '../specification/feature.js';
import { Links } from '../specification/link.js';
import { lowerRequiresScope } from '../specification/lower.js';
import { refuseUnknownArguments } from './check-arguments.js';
import { refuseMisspeltNames } from './check-names.js';

/** A subgraph's published schema, and its rules. */
export interface CompiledRules {
  /** Completed and lowered, so that every composer keeps its rules. */
  readonly document: DocumentNode;
  readonly rules: RuleTable;
}

/**
 * Completes, lowers and compiles the schema of one subgraph. `isFederated`: it is published for composition.
 *
 * @throws {DirectiveError} if a rule cannot be compiled, with the coordinate
 */
export function compileRules(
  source: DocumentNode,
  { coverage = 'required', isFederated }: { coverage: 'required' | 'open' | undefined; isFederated: boolean },
): CompiledRules {
  refuseMisspeltNames(source);
  refuseUnknownArguments(source);
  if (isFederated) refuseFederation1(new Links(source));
  const document = lowerRequiresScope(completeSubgraph(source));
  const rules = new RuleTable(document, { coverage });
  refuseInterfaceRules(rules);
  refuseOpenFilters(rules);
  return { document, rules };
}

/** Composition treats a schema without a federation link as Federation 1, and drops directives that it does not know. */
function refuseFederation1(links: Links): void {
  if (links.feature(BEHALF_IDENTITY) === undefined || links.feature(FEDERATION_IDENTITY) !== undefined)
    return;
  throw new DirectiveError(
    'FEDERATION_NOT_LINKED',
    `the schema has rules, and no @link to ${FEDERATION_IDENTITY}/v2.9 (or another version from v2.5 on): composition would lose them`,
  );
}

/**
 * Lowering moves `@requiresScope` from an interface to its implementing types. Any other rule there would apply to fields that
 * return the interface, but not to its implementers' fields: composition refuses it as well.
 */
function refuseInterfaceRules(rules: RuleTable): void {
  for (const type of rules.allTypes()) {
    if (type.kind !== 'interface') continue;
    const places = [{ coordinate: type.name, own: type.own }, ...type.fields.values()];
    const ruled = places.find(({ own }) => !isUnrestricted(own));
    if (ruled !== undefined)
      throw new DirectiveError('INVALID_RULE', 'put this rule on the implementing types', ruled.coordinate);
  }
}

/** A field that everybody sees whole has nothing that its filters could reveal. Its rule may be in another subgraph only. */
function refuseOpenFilters({ filters }: RuleTable): void {
  for (const { coordinate, fields } of filters.stated.values()) {
    if (filters.gateAt(coordinate) !== undefined) continue;
    const [named] = fields;
    throw new DirectiveError(
      'INVALID_RULE',
      `@filters names ${named?.type}.${named?.field}, which everybody reads whole by the rules of this schema. State the field's rules here as well, or remove @filters`,
      coordinate,
    );
  }
}
