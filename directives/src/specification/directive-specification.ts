import type { Requirement } from '../decide/requirement.js';
import type { Arguments } from './read-arguments.js';

/**
 * Everything that is particular to one directive; each has a file of its own, which satisfies this type.
 * The results of all their `compile` functions are the union `Meaning` (see `specified-directives.ts`).
 */
export interface DirectiveSpecification {
  /** Name in its specification, without `@`. */
  readonly name: string;
  /** Identities of the specifications that define it. */
  readonly identities: readonly string[];
  /** Definition that a subgraph's schema needs; absent for the standard ones, which federation defines. */
  readonly definition?: (localName: string) => string;
  /** False for a directive that is lowered to another one before composition. */
  readonly composed: boolean;
  /** Whether somebody sees less because of it. Under such a name, a directive that no `@link` explains stops the start. */
  readonly protects: boolean;
  /**
   * Reads the arguments of one application, and says what it means.
   *
   * @throws {DirectiveError} `INVALID_RULE` with the coordinate, for arguments that cannot be read.
   */
  readonly compile: (args: Arguments, coordinate: string) => { readonly kind: string };
  /** The part of a requirement that comes from this directive, in the words of the schema, for records and explanations. */
  readonly explain?: (requirement: Requirement) => readonly string[];
}
