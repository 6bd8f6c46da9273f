import { readAlternatives } from './directive-specification.js';
import type { Alternatives, DirectiveSpecification } from './directive-specification.js';
import { FEDERATION_IDENTITY, REQUIRES_SCOPES_IDENTITY } from './feature.js';

/** `@requiresScopes(scopes: [[…]])`: OR of ANDs. https://specs.apollo.dev/requiresScopes/v0.1 */
export const requiresScopes: DirectiveSpecification<Alternatives, 'requiresScopes'> = {
  name: 'requiresScopes',
  identities: [FEDERATION_IDENTITY, REQUIRES_SCOPES_IDENTITY],
  composed: true,
  protects: true,
  read: ({ scopes }, coordinate) => readAlternatives(scopes, 'scopes', coordinate),
};
