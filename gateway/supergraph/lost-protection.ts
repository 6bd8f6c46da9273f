import type { RuleTable } from '@behalf/directives/internal';
import type { DocumentNode } from 'graphql';
import { JoinMetadata } from './join.js';
import { PossibleTypes } from './possible-types.js';
import { checkReadings } from './readings.js';
import { Resolvers } from './resolvers.js';
import { checkStatements } from './statements.js';

/** Ways in which a supergraph loses what its rules promise. Stable; `behalf lint`, `behalf compose` and loading share them. */
export type LostProtectionCode =
  /** A field reads what asks for more than the field itself. */
  | 'REQUIRES_PROTECTED'
  /** A field reads a minimized value and is not minimized as strictly. */
  | 'REQUIRES_MINIMIZED'
  /** A field reads rows of a subject, and its own type has none. */
  | 'REQUIRES_SUBJECT'
  /** A subgraph can resolve a field and does not state its `@minimize`. */
  | 'SHARED_MINIMIZATION_DIFFERS'
  /** A subgraph can resolve fields of a type and does not state its `@subject`. */
  | 'SHARED_SUBJECT_DIFFERS'
  /** A subgraph resolves fields of a type with `@subject` and is not given the owner. */
  | 'SUBJECT_NOT_RECEIVED'
  /** More than one subgraph can resolve it, and nothing tells which of them state the rule. */
  | 'STATEMENTS_UNRECORDED'
  /** The record of who states a rule does not fit who resolves what. */
  | 'STATEMENTS_CONTRADICT';

export interface LostProtection {
  readonly code: LostProtectionCode;
  /** Type, or `Type.field`. */
  readonly coordinate: string;
  /** The subgraph by which it is lost. */
  readonly subgraph?: string;
  readonly message: string;
}

/**
 * What the rules of a supergraph promise and its subgraphs do not keep. The same is asked when it is composed, linted and
 * loaded, so that none of them lets pass what another one refuses.
 *
 * @param rules With coverage `open`: a field without a rule protects nothing that could be lost.
 * @throws GraphQLError for a field set that cannot be read.
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
