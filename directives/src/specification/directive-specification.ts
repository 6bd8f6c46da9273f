import type { Requirement } from '../decide/requirement.js';
import type { Arguments } from './read-arguments.js';

/**
 * Everything specific to one directive; each has its own file, which satisfies this type. The results of all their `compile`
 * functions are the union `Meaning` (see `specified-directives.ts`).
 */
export interface DirectiveSpecification {
  /** Name in its specification, without `@`. */
  readonly name: string;
  /** Identities of the specifications that define it. */
  readonly identities: readonly string[];
  /** Names of its arguments. */
  readonly arguments: readonly string[];
  /** Definition that a subgraph's schema needs; absent for the standard ones, which federation defines. */
  readonly definition?: (localName: string) => string;
  /** False for a directive that is lowered to another one before composition. */
  readonly composed: boolean;
  /** Whether it restricts what callers see. With such a name, a directive without a `@link` stops the start. */
  readonly protects: boolean;
  /** It belongs on arguments, input fields and enum values. The others belong on types and fields. */
  readonly isOnInput?: true;
  /**
   * Reads the arguments of one application, and returns its meaning.
   *
   * @throws {DirectiveError} `INVALID_RULE` with the coordinate, for unreadable arguments
   */
  readonly compile: (args: Arguments, coordinate: string) => { readonly kind: string };
  /** The part of a requirement that comes from this directive, in the schema's words, for records and explanations. */
  readonly explain?: (requirement: Requirement) => readonly string[];
}
