import { readString } from './directive-specification.js';
import type { DirectiveSpecification } from './directive-specification.js';
import { BEHALF_IDENTITY } from './feature.js';

/** `@personalData(category: "…")`: what kind of personal data a field holds. It classifies and forbids nothing. */
export const personalData: DirectiveSpecification<string, 'personalData'> = {
  name: 'personalData',
  identities: [BEHALF_IDENTITY],
  definition: (name) => `directive @${name}(category: String!) on FIELD_DEFINITION`,
  composed: true,
  protects: false,
  read: ({ category }, coordinate) => readString(category, 'category', coordinate),
};
