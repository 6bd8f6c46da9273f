import { requirementMeaning } from '../decide/requirement.js';
import type { DirectiveSpecification } from './directive-specification.js';
import { BEHALF_IDENTITY } from './feature.js';
import { readStringList } from './read-arguments.js';

/** `@purpose(of: […])`: only for a delegation with one of these purposes among the consented ones. Repeated: all. */
export const purpose = Object.freeze({
  name: 'purpose',
  identities: [BEHALF_IDENTITY],
  arguments: ['of'],
  definition: (name) => `directive @${name}(of: [String!]!) repeatable on FIELD_DEFINITION | OBJECT`,
  composed: true,
  protects: true,
  compile: ({ of }, coordinate) => requirementMeaning({ purposes: [readStringList(of, 'of', coordinate)] }),
  explain: ({ purposes }) => purposes.map((entry) => `@purpose(${entry.join(' | ')})`),
} as const satisfies DirectiveSpecification);
