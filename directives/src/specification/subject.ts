import type { DirectiveSpecification } from './directive-specification.js';
import { BEHALF_IDENTITY } from './feature.js';
import { readString } from './read-arguments.js';

/** The rule in records. It omits the property that holds the subject, which is the subgraph's own affair. */
export const SUBJECT_RULE = '@subject';

/**
 * `@subject(field: "…")`: a row of this type belongs to the subject in this property.
 *
 * A delegation sees only its own subject's rows (OWASP API1:2023, object-level authorization). The property must come from the
 * store; a row without it is refused.
 */
export const subject = Object.freeze({
  name: 'subject',
  identities: [BEHALF_IDENTITY],
  arguments: ['field'],
  definition: (name) => `directive @${name}(field: String!) on OBJECT`,
  composed: true,
  protects: true,
  compile: ({ field }, coordinate) =>
    ({ kind: 'subject', property: readString(field, 'field', coordinate) }) as const,
} as const satisfies DirectiveSpecification);
