import { requirementMeaning } from '../decide/requirement.js';
import type { DirectiveSpecification } from './directive-specification.js';
import { BEHALF_IDENTITY } from './feature.js';
import { readString } from './read-arguments.js';
import type { Alternatives, Arguments } from './read-arguments.js';

/**
 * `@requiresScope(scope: "…")`: the delegation must hold the scope; repeated, it must hold them all.
 *
 * Before composition it is lowered to `@requiresScopes` ({@link lowerScopes}; `lower.ts` walks the document), for composition's
 * own checks and every other router. Explanations therefore show `@requiresScopes`.
 */
export const requiresScope = Object.freeze({
  name: 'requiresScope',
  identities: [BEHALF_IDENTITY],
  arguments: ['scope'],
  definition: (name) =>
    `directive @${name}(scope: String!) repeatable on FIELD_DEFINITION | OBJECT | INTERFACE | SCALAR | ENUM`,
  composed: false,
  protects: true,
  compile: (args, coordinate) => requirementMeaning({ scopes: [[[readScope(args, coordinate)]]] }),
} as const satisfies DirectiveSpecification);

/** @throws {DirectiveError} `INVALID_RULE` */
export function readScope({ scope }: Arguments, coordinate: string): string {
  return readString(scope, 'scope', coordinate);
}

/**
 * The argument of the `@requiresScopes` equivalent to several `@requiresScope`.
 *
 * @param beside a `@requiresScopes` on the same element: both must hold, so each of its alternatives also gets the scopes
 */
export function lowerScopes(scopes: ReadonlySet<string>, beside: Alternatives = [[]]): Alternatives {
  return beside.map((alternative) => [...new Set([...alternative, ...scopes])]);
}
