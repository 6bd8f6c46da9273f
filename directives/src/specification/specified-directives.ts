import { authenticated } from './authenticated.js';
import type { DirectiveSpecification } from './directive-specification.js';
import { BEHALF_IDENTITY } from './feature.js';
import { filters } from './filters.js';
import type { Links } from './link.js';
import { minimize } from './minimize.js';
import { personalData } from './personal-data.js';
import { policy } from './policy.js';
import { publicDirective } from './public.js';
import { purpose } from './purpose.js';
import { requiresScope } from './requires-scope.js';
import { requiresScopes } from './requires-scopes.js';
import { subject } from './subject.js';

/** Every directive that Behalf reads, in the order of the documentation. */
export const specifiedDirectives = Object.freeze([
  authenticated,
  requiresScopes,
  requiresScope,
  policy,
  publicDirective,
  minimize,
  filters,
  purpose,
  subject,
  personalData,
] as const);

/** One of them, discriminated by `name`. */
export type SpecifiedDirective = (typeof specifiedDirectives)[number];

/** One compiled application of a directive, discriminated by `kind`. */
export type Meaning = ReturnType<SpecifiedDirective['compile']>;

/** Those that Behalf defines itself. */
export const behalfDirectives: readonly DirectiveSpecification[] = Object.freeze(
  specifiedDirectives.filter(({ identities }) => (identities as readonly string[]).includes(BEHALF_IDENTITY)),
);

/** The specification behind a directive's name in a schema; undefined if it is not one of these. */
export function specificationOf(links: Links, localName: string): SpecifiedDirective | undefined {
  const resolved = links.resolve(localName);
  if (resolved === undefined) return undefined;
  return specifiedDirectives.find(
    ({ name, identities }) =>
      name === resolved.name && (identities as readonly string[]).includes(resolved.feature.identity),
  );
}
