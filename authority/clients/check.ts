import { originProblem } from '@behalf/http';
import type { Policy } from '@behalf/policy';
import type { AccountRegister } from '../accounts/register.js';
import { MAX_EXCHANGE_DEPTH } from '../client-oauth.js';
import { AuthorityError } from '../errors.js';
import type { ClientCertificates } from '../http/client-certificate.js';
import { credentialProblem } from './credentials.js';
import { serviceScopes } from './service-scopes.js';
import type { ClientRegistration } from '../client-registration.js';

/** A registration is checked against the policy and the existing accounts. */
export interface GrantRules {
  readonly accounts: Pick<AccountRegister, 'isSubject'>;
  readonly policy: Policy;
}

/** The requirements of the authority that serves the client. */
export interface ServingRules {
  /** Undefined: certificates are never accepted. */
  readonly certificates: ClientCertificates | undefined;
  readonly profile: 'fapi2' | undefined;
}

/** @see checkClients */
export type ClientRules = GrantRules & ServingRules;

/**
 * Refuses registrations that could never work, or must not, at the start rather than in a later flow.
 *
 * @throws AuthorityError `CLIENT_INVALID`
 */
export async function checkClients(
  clients: readonly ClientRegistration[],
  rules: ClientRules,
): Promise<void> {
  const seen = new Set<string>();
  for (const client of clients) {
    const problem = seen.has(client.clientId)
      ? 'is registered twice'
      : (servingProblem(client, rules) ?? (await grantProblem(client, rules)));
    if (problem !== undefined) throw invalid(client, problem);
    seen.add(client.clientId);
  }
}

function invalid({ clientId }: ClientRegistration, problem: string): AuthorityError {
  return new AuthorityError('CLIENT_INVALID', `The client ${clientId} ${problem}`);
}

/** Whether the client does not authenticate. */
export function isPublic({ oauth, secret, secretDigest }: ClientRegistration): boolean {
  return secret === undefined && secretDigest === undefined && oauth?.authentication === undefined;
}

/** Whether it requests tokens. A resource server that only introspects others' tokens does not. */
export function getsTokens({
  oauth,
  redirectUris,
}: Pick<ClientRegistration, 'oauth' | 'redirectUris'>): boolean {
  return redirectUris.length > 0 || (oauth?.clientCredentials ?? oauth?.exchange) !== undefined;
}

/** Why this authority cannot serve the client: because of the registration itself, or of this authority's requirements. */
export function servingProblem(client: ClientRegistration, rules: ServingRules): string | undefined {
  return (
    registrationProblem(client) ?? certificateProblem(client, rules) ?? profileProblem(client, rules.profile)
  );
}

/** Why no authority can, or may, serve the client, judged by the registration alone. */
export function registrationProblem(client: ClientRegistration): string | undefined {
  const { oauth = {}, secret, secretDigest } = client;
  const { authentication, clientCredentials, exchange, introspection } = oauth;
  if ((secret ?? secretDigest) !== undefined && authentication !== undefined) {
    return 'has two ways to authenticate';
  }
  if (isPublic(client) && (clientCredentials ?? exchange ?? (introspection === true ? client : undefined))) {
    return 'does not authenticate, and can have no right of its own';
  }
  if (!getsTokens(client) && introspection !== true) {
    return 'can do nothing: no redirect address, and no right of its own';
  }
  return (
    originsProblem(client) ??
    credentialProblem(authentication) ??
    exchangeProblem(client) ??
    profileProblem(client, undefined)
  );
}

/**
 * Why the policy, or an account of the same name, rules the registration out. Both change, so this is decided again for each
 * token: see oidc/token-claims.ts.
 */
export async function grantProblem(
  { clientId, oauth }: ClientRegistration,
  { accounts, policy }: GrantRules,
): Promise<string | undefined> {
  const { beyond } = serviceScopes(oauth?.clientCredentials?.scopes ?? [], clientId, policy);
  if (beyond.length > 0) return `is beyond the policy's entry for it: ${beyond.join(', ')}`;
  // The `sub` of a client's own token is its id, which `@subject` would mistake for the person's.
  return (await accounts.isSubject(clientId)) ? "has a person's subject as its id" : undefined;
}

function originsProblem({ origins = [] }: ClientRegistration): string | undefined {
  for (const [index, origin] of origins.entries()) {
    const problem = originProblem(origin) ?? plainHttpProblem(origin);
    if (problem !== undefined) return `origins[${index}] ${problem}`;
  }
  return undefined;
}

/** Somebody on the network can change a page that is fetched over plain http, except from this machine. */
function plainHttpProblem(origin: string): string | undefined {
  const { hostname, protocol } = new URL(origin);
  const isPermitted = protocol === 'https:' || ['localhost', '127.0.0.1', '[::1]'].includes(hostname);
  return isPermitted ? undefined : 'must be https, except on localhost, 127.0.0.1 and [::1]';
}

function exchangeProblem({ clientId, oauth }: ClientRegistration): string | undefined {
  const exchange = oauth?.exchange;
  if (exchange === undefined) return undefined;
  const { depth = 1, from } = exchange;
  if (from.length === 0) return 'may exchange tokens, but names no clients';
  if (from.includes(clientId)) return 'would exchange its own tokens';
  if (Number.isInteger(depth) && depth >= 1 && depth <= MAX_EXCHANGE_DEPTH) return undefined;
  return `has a depth of exchange outside of 1 to ${MAX_EXCHANGE_DEPTH}`;
}

function certificateProblem(
  { oauth }: ClientRegistration,
  { certificates }: ServingRules,
): string | undefined {
  const method = oauth?.authentication?.method;
  const needed = method === 'tls_client_auth' || method === 'self_signed_tls_client_auth';
  if (!needed && oauth?.senderConstraint !== 'certificate') return undefined;
  if (certificates === undefined) return 'needs certificates, and no proxy is named that brings them';
  if (method === 'tls_client_auth' && !certificates.hasAuthorities) {
    return 'needs a certificate, but no issuer is named';
  }
  return undefined;
}

/** FAPI 2.0 Security Profile section 5.3.2.1: either by the client's registration or because it applies to all clients. */
function profileProblem(client: ClientRegistration, profile: 'fapi2' | undefined): string | undefined {
  const { oauth } = client;
  if (profile !== 'fapi2' && oauth?.profile !== 'fapi2') return undefined;
  if (oauth?.authentication === undefined) return 'must authenticate by a key (FAPI 2.0)';
  if (getsTokens(client) && oauth.senderConstraint === undefined) {
    return 'must have its tokens bound to a key (FAPI 2.0)';
  }
  return undefined;
}
