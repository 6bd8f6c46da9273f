import type { RuleTable } from '@behalf/directives/internal';
import type { DocumentNode } from 'graphql';
import { JoinMetadata } from './join.js';
import type { LostProtection } from './lost-protection-codes.js';
import { PossibleTypes } from './possible-types.js';
import { checkReadings } from './readings.js';
import { Resolvers } from './resolvers.js';
import { checkStatements } from './statements.js';

export type { LostProtection, LostProtectionCode } from './lost-protection-codes.js';

/**
 * Promises of a supergraph's rules that its subgraphs do not keep. Composing, linting and loading use the same check, so that
 * none of them permits what another refuses.
 *
 * @param rules with coverage `open`: a field without a rule has nothing to lose
 * @throws GraphQLError for an unreadable field set
 */
export function checkProtection(document: DocumentNode, rules: RuleTable): readonly LostProtection[] {
  const join = new JoinMetadata(document);
  const possible = new PossibleTypes(rules);
  return [
    ...checkReadings(document, join, rules, possible),
    ...checkStatements(document, rules, new Resolvers(join, rules, possible)),
  ];
}

/** One line for people; the code is what programs look for. */
export function lostProtectionText({ code, coordinate, subgraph, message }: LostProtection): string {
  return `${code}: ${subgraph === undefined ? '' : `[${subgraph}] `}${coordinate}: ${message}`;
}
