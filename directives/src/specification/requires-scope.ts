import { readString } from './directive-specification.js';
import type { DirectiveSpecification } from './directive-specification.js';
import { BEHALF_IDENTITY } from './feature.js';

/**
 * `@requiresScope(scope: "…")`: the delegation must hold the scope; repeated, it must hold them all.
 *
 * It is lowered to `@requiresScopes` before composition (see `lower.ts`), so that composition's own checks
 * and every other router know it.
 */
export const requiresScope: DirectiveSpecification<string, 'requiresScope'> = {
  name: 'requiresScope',
  identities: [BEHALF_IDENTITY],
  definition: (name) =>
    `directive @${name}(scope: String!) repeatable on FIELD_DEFINITION | OBJECT | INTERFACE | SCALAR | ENUM`,
  composed: false,
  protects: true,
  read: ({ scope }, coordinate) => readString(scope, 'scope', coordinate),
};
