import { BREAK, visit } from 'graphql';
import type { DocumentNode } from 'graphql';
import { RefusedError } from '../errors.js';
import { bearerChallenge } from '../http/challenge.js';

/** The callers who may read the schema. `granted`: authenticated callers, who see only what their token can reach. */
export type SchemaIntrospectionRule = 'off' | 'authenticated' | 'granted' | 'all';

const asking = new WeakMap<DocumentNode, boolean>();

/**
 * Refuses introspection if the rule says so. `__typename` does not count as introspection.
 *
 * @throws {RefusedError} 403 or 401 `INTROSPECTION_DISABLED`
 */
export function refuseSchemaIntrospection(
  document: DocumentNode,
  rule: SchemaIntrospectionRule,
  isAuthenticated: boolean,
): void {
  if (rule === 'all') return;
  if (rule !== 'off' && isAuthenticated) return;
  if (!asksForSchema(document)) return;
  throw schemaIntrospectionRefused(isAuthenticated || rule === 'off' ? 403 : 401, isAuthenticated);
}

export function schemaIntrospectionRefused(status: 401 | 403, isAuthenticated: boolean): RefusedError {
  return new RefusedError({
    code: 'INTROSPECTION_DISABLED',
    message: 'Introspection is not available to this caller',
    status,
    headers: isAuthenticated ? new Map() : new Map([['www-authenticate', bearerChallenge()]]),
  });
}

/** These fields belong to the query type, which a nested field may return as well. */
export function asksForSchema(document: DocumentNode): boolean {
  let asks = asking.get(document);
  if (asks === undefined) {
    asks = false;
    visit(document, {
      Field({ name: { value: name } }) {
        if (name !== '__schema' && name !== '__type') return undefined;
        asks = true;
        return BREAK;
      },
    });
    asking.set(document, asks);
  }
  return asks;
}
