import { requirementMeaning } from '../decide/requirement.js';
import type { DirectiveSpecification } from './directive-specification.js';
import { AUTHENTICATED_IDENTITY, FEDERATION_IDENTITY } from './feature.js';

/** `@authenticated`: met by a valid token, whatever it holds. https://specs.apollo.dev/authenticated/v0.1 */
export const authenticated = Object.freeze({
  name: 'authenticated',
  identities: [FEDERATION_IDENTITY, AUTHENTICATED_IDENTITY],
  arguments: [],
  composed: true,
  protects: true,
  compile: () => requirementMeaning({ authenticated: true }),
  explain: (requirement) => (requirement.authenticated ? ['@authenticated'] : []),
} as const satisfies DirectiveSpecification);
