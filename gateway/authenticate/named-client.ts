import { claimAt } from './claims.js';
import type { ClaimPath } from './claims.js';
import type { Namespaces } from './namespaces.js';

/** A payload whose signature is valid, and whose it is. */
export interface Signed {
  readonly issuer: {
    readonly namespace?: string;
    readonly claims?: { readonly clientId?: ClaimPath };
  };
  readonly namespaces: Namespaces;
  readonly payload: Readonly<Record<string, unknown>>;
}

/** The client that a valid signature names, for the record of a refused token. Undefined if it names none that can be read. */
export function namedClient({ issuer, namespaces, payload }: Signed): string | undefined {
  const clientId = claimAt(payload, issuer.claims?.clientId ?? 'client_id');
  return typeof clientId === 'string' && clientId !== ''
    ? namespaces.qualify(issuer.namespace, clientId)
    : undefined;
}
