import { readStringList } from './directive-specification.js';
import type { DirectiveSpecification } from './directive-specification.js';
import { BEHALF_IDENTITY } from './feature.js';

/** `@purpose(of: […])`: only for a delegation with one of these purposes among the consented ones. Repeated: all. */
export const purpose: DirectiveSpecification<readonly string[], 'purpose'> = {
  name: 'purpose',
  identities: [BEHALF_IDENTITY],
  definition: (name) => `directive @${name}(of: [String!]!) repeatable on FIELD_DEFINITION | OBJECT`,
  composed: true,
  protects: true,
  read: ({ of }, coordinate) => readStringList(of, 'of', coordinate),
};
