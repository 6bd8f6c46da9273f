import { readAlternatives } from './directive-specification.js';
import type { Alternatives, DirectiveSpecification } from './directive-specification.js';
import { FEDERATION_IDENTITY, POLICY_IDENTITY } from './feature.js';

/** `@policy(policies: [[…]])`: OR of ANDs of named policies. https://specs.apollo.dev/policy/v0.1 */
export const policy: DirectiveSpecification<Alternatives, 'policy'> = {
  name: 'policy',
  identities: [FEDERATION_IDENTITY, POLICY_IDENTITY],
  composed: true,
  protects: true,
  read: ({ policies }, coordinate) => readAlternatives(policies, 'policies', coordinate),
};
