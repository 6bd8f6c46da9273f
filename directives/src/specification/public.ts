import type { DirectiveSpecification } from './directive-specification.js';
import { BEHALF_IDENTITY } from './feature.js';

/**
 * `@public`: deliberately open, which satisfies the coverage rule.
 *
 * It opens nothing that another rule closes: a `@public` field that returns a protected type is protected.
 */
export const publicDirective = Object.freeze({
  name: 'public',
  identities: [BEHALF_IDENTITY],
  arguments: [],
  definition: (name) => `directive @${name} on FIELD_DEFINITION | OBJECT | INTERFACE`,
  composed: true,
  protects: false,
  compile: () => ({ kind: 'public' }) as const,
} as const satisfies DirectiveSpecification);
