import { DirectiveError } from '../errors.js';
import type { DirectiveSpecification } from './directive-specification.js';
import { BEHALF_IDENTITY } from './feature.js';
import { readAlternatives, readString } from './read-arguments.js';
import type { Alternatives, Arguments } from './read-arguments.js';

/** Whose a type's rows are, and who else may read them. */
export interface SubjectRule {
  /** Property of a row with its subject. */
  readonly property: string;
  /** A delegation that holds one of these reads every subject's rows; empty: nobody does. */
  readonly unless: Alternatives;
}

/** The rule in records. It omits the property that holds the subject, which is the subgraph's own affair. */
export const SUBJECT_RULE = '@subject';

/**
 * `@subject(field: "…", unless: [[…]])`: a row of this type belongs to the subject in this property.
 *
 * A delegation sees only its own subject's rows (OWASP API1:2023, object-level authorization), unless it holds one of the
 * alternatives, as an administrator's does. The property must come from the store; a row without it is refused to everybody,
 * because nobody could be told that it was read.
 */
export const subject = Object.freeze({
  name: 'subject',
  identities: [BEHALF_IDENTITY],
  arguments: ['field', 'unless'],
  definition: (name) => `directive @${name}(field: String!, unless: [[String!]!]) on OBJECT`,
  composed: true,
  protects: true,
  compile: (args, coordinate) => ({ kind: 'subject', subject: readSubject(args, coordinate) }) as const,
} as const satisfies DirectiveSpecification);

/** @throws {DirectiveError} `INVALID_RULE` */
function readSubject({ field, unless }: Arguments, coordinate: string): SubjectRule {
  const property = readString(field, 'field', coordinate);
  if (unless === undefined || unless === null) return { property, unless: [] };
  const alternatives = readAlternatives(unless, 'unless', coordinate);
  // Everybody holds nothing, so the rows would be everybody's.
  if (alternatives.some((names) => names.length === 0))
    throw new DirectiveError('INVALID_RULE', 'an alternative of "unless" must name a scope', coordinate);
  return { property, unless: alternatives };
}
