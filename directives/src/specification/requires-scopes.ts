import { requirementMeaning } from '../decide/requirement.js';
import type { DirectiveSpecification } from './directive-specification.js';
import { FEDERATION_IDENTITY, REQUIRES_SCOPES_IDENTITY } from './feature.js';
import { alternativesText, readAlternatives } from './read-arguments.js';
import type { Alternatives, Arguments } from './read-arguments.js';

/** `@requiresScopes(scopes: [[…]])`: OR of ANDs. https://specs.apollo.dev/requiresScopes/v0.1 */
export const requiresScopes = Object.freeze({
  name: 'requiresScopes',
  identities: [FEDERATION_IDENTITY, REQUIRES_SCOPES_IDENTITY],
  arguments: ['scopes'],
  composed: true,
  protects: true,
  compile: (args, coordinate) => requirementMeaning({ scopes: [readScopes(args, coordinate)] }),
  explain: ({ scopes }) => scopes.map((entry) => `@requiresScopes(${alternativesText(entry)})`),
} as const satisfies DirectiveSpecification);

/** @throws {DirectiveError} `INVALID_RULE` */
export function readScopes({ scopes }: Arguments, coordinate: string): Alternatives {
  return readAlternatives(scopes, 'scopes', coordinate);
}
