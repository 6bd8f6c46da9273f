import type { DirectiveSpecification } from './directive-specification.js';
import { BEHALF_IDENTITY } from './feature.js';
import { readString } from './read-arguments.js';

/** `@personalData(category: "…")`: classifies the personal data in a field. It forbids nothing. */
export const personalData = Object.freeze({
  name: 'personalData',
  identities: [BEHALF_IDENTITY],
  arguments: ['category'],
  definition: (name) => `directive @${name}(category: String!) on FIELD_DEFINITION`,
  composed: true,
  protects: false,
  compile: ({ category }, coordinate) =>
    ({ kind: 'personalData', category: readString(category, 'category', coordinate) }) as const,
} as const satisfies DirectiveSpecification);
