import { readString } from './directive-specification.js';
import type { DirectiveSpecification } from './directive-specification.js';
import { BEHALF_IDENTITY } from './feature.js';

/**
 * `@subject(field: "…")`: rows of this type belong to the subject that stands in this property of the row.
 *
 * A delegation sees only its own subject's rows (OWASP API1:2023, object-level authorization). The property
 * must come from the store: where a row without it reaches the client, it is refused.
 */
export const subject: DirectiveSpecification<string, 'subject'> = {
  name: 'subject',
  identities: [BEHALF_IDENTITY],
  definition: (name) => `directive @${name}(field: String!) on OBJECT`,
  composed: true,
  protects: true,
  read: ({ field }, coordinate) => readString(field, 'field', coordinate),
};
