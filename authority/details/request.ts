import type { AskedAccess } from './access.js';
import { AccessProblem, type AccessRules, readAskedAccess } from './read.js';

/**
 * The access requested by the `authorization_details` parameter; undefined if there is none.
 *
 * @throws AccessProblem
 */
export function askedAccess(parameter: unknown, rules: AccessRules): AskedAccess | undefined {
  if (parameter === undefined) return undefined;
  const entries = parse(parameter);
  if (entries.length === 0) return undefined;
  // There is one consent between a person and a client, with one set of purposes, one level of detail and one end.
  if (entries.length > 1) throw new AccessProblem('is one of several; there can be one');
  return readAskedAccess(entries[0], rules);
}

function parse(parameter: unknown): readonly unknown[] {
  try {
    const value: unknown = typeof parameter === 'string' ? JSON.parse(parameter) : parameter;
    if (Array.isArray(value)) return value;
  } catch {
    // Told below.
  }
  throw new AccessProblem('is not a JSON array');
}

/** The scopes requested by both parameters together (RFC 9396 section 3). */
export function scopesAskedFor(scope: unknown, asked: AskedAccess | undefined): readonly string[] {
  const words = typeof scope === 'string' ? scope.split(' ').filter((word) => word !== '') : [];
  return [...new Set([...words, ...(asked?.scopes ?? [])])];
}
