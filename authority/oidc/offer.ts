import type { Account } from '../accounts/register.js';
import type { Consent } from '../consent/types.js';

/** A scope, and the sentence that the schema gives it (`@scope`). */
export interface CatalogueEntry {
  readonly name: string;
  readonly sentence: string;
}

// Scopes that a person can give away only if they have the role themselves.
const ROLE_OF_SCOPE: ReadonlyMap<string, string> = new Map([['consents:admin', 'administrator']]);

/** Whether this person can grant the scope at all. */
export function mayGrant(account: Account, scope: string): boolean {
  const role = ROLE_OF_SCOPE.get(scope);
  return role === undefined || account.roles.includes(role);
}

/**
 * What can be put before the person, of all that the client asks for: in the catalogue, and theirs to give. Others
 * do not even see the rest.
 */
export function offeredScopes(
  requested: Iterable<string>,
  account: Account,
  catalogue: readonly CatalogueEntry[],
): readonly CatalogueEntry[] {
  const wanted = new Set(requested);
  return catalogue.filter(({ name }) => wanted.has(name) && mayGrant(account, name));
}

/** True when the person has decided about all of it: they are not asked a second time about what they refused. */
export function decided(consent: Consent, offered: readonly CatalogueEntry[]): boolean {
  return offered.every(({ name }) => consent.scopes.includes(name) || consent.declined.includes(name));
}
