import { requirementMeaning } from '../decide/requirement.js';
import type { DirectiveSpecification } from './directive-specification.js';
import { FEDERATION_IDENTITY, POLICY_IDENTITY } from './feature.js';
import { alternativesText, readAlternatives } from './read-arguments.js';

/** `@policy(policies: [[…]])`: OR of ANDs of named policies. https://specs.apollo.dev/policy/v0.1 */
export const policy = Object.freeze({
  name: 'policy',
  identities: [FEDERATION_IDENTITY, POLICY_IDENTITY],
  arguments: ['policies'],
  composed: true,
  protects: true,
  compile: ({ policies }, coordinate) =>
    requirementMeaning({ policies: [readAlternatives(policies, 'policies', coordinate)] }),
  explain: ({ policies }) => policies.map((entry) => `@policy(${alternativesText(entry)})`),
} as const satisfies DirectiveSpecification);
