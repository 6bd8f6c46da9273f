import type { Policy } from '../../policy/index.js';
import type { AccountRegister } from '../accounts/register.js';
import { AuthorityError } from '../errors.js';
import type { ClientCertificates } from '../http/client-certificate.js';
import { SIGNING_ALGORITHMS } from '../oidc/client-authentication.js';
import { serviceScopes } from '../oidc/offer.js';
import { EXCHANGE_DEPTH_AT_MOST } from '../oidc/lifetimes.js';
import type { ClientRegistration } from './register.js';

/** @see checkClients */
export interface ClientRules {
  readonly accounts: AccountRegister;
  readonly policy: Policy;
  /** Undefined: no certificate is believed. */
  readonly certificates: ClientCertificates | undefined;
  readonly profile: 'fapi2' | undefined;
}

/**
 * Holds registrations against what they could never do, or must not: the start stops, rather than a flow later.
 *
 * @throws AuthorityError `client_invalid`
 */
export async function checkClients(
  clients: readonly ClientRegistration[],
  rules: ClientRules,
): Promise<void> {
  const seen = new Set<string>();
  for (const client of clients) {
    const problem = seen.has(client.clientId) ? 'is registered twice' : problemOf(client, rules);
    if (problem !== undefined) throw invalid(client, problem);
    seen.add(client.clientId);
    // The `sub` of a client's own token is its id: `@subject` would take it for the person.
    if (await rules.accounts.isSubject(client.clientId))
      throw invalid(client, "has a person's subject as its id");
  }
}

function invalid({ clientId }: ClientRegistration, problem: string): AuthorityError {
  return new AuthorityError('client_invalid', `The client ${clientId} ${problem}`);
}

/** Whether nothing but knowing its name is asked of the client. */
export function isPublic({ oauth, secret, secretDigest }: ClientRegistration): boolean {
  return secret === undefined && secretDigest === undefined && oauth?.authentication === undefined;
}

function problemOf(client: ClientRegistration, rules: ClientRules): string | undefined {
  const { oauth = {}, redirectUris, secret } = client;
  const { authentication, clientCredentials, exchange, introspection } = oauth;
  if (secret !== undefined && authentication !== undefined) return 'has two ways to authenticate';
  if (isPublic(client) && (clientCredentials ?? exchange ?? (introspection === true ? client : undefined))) {
    return 'does not authenticate, and can have no right of its own';
  }
  if (redirectUris.length === 0 && (clientCredentials ?? exchange ?? introspection) === undefined) {
    return 'can do nothing: no redirect address, and no right of its own';
  }
  const beyond = serviceScopes(clientCredentials?.scopes ?? [], client.clientId, rules.policy).beyond;
  if (beyond.length > 0) return `is beyond the policy's entry for it: ${beyond.join(', ')}`;
  return (
    keyProblem(client) ??
    exchangeProblem(client) ??
    certificateProblem(client, rules) ??
    profileProblem(client, rules)
  );
}

function keyProblem({ oauth }: ClientRegistration): string | undefined {
  const authentication = oauth?.authentication;
  if (authentication?.method !== 'private_key_jwt') return undefined;
  const { keys } = authentication.jwks;
  if (keys.length === 0) return 'authenticates by a key, and has none';
  if (keys.some((key) => key.kty === 'oct' || key.d !== undefined)) return 'has a key that is not public';
  const taken: readonly string[] = SIGNING_ALGORITHMS;
  const other = keys.find(({ alg }) => alg !== undefined && !taken.includes(alg));
  return other === undefined ? undefined : `has a key for ${other.alg ?? ''}, which is not taken`;
}

function exchangeProblem({ clientId, oauth }: ClientRegistration): string | undefined {
  const exchange = oauth?.exchange;
  if (exchange === undefined) return undefined;
  const { depth = 1, from } = exchange;
  if (from.length === 0) return 'may exchange tokens, but of nobody';
  if (from.includes(clientId)) return 'would exchange its own tokens';
  if (Number.isInteger(depth) && depth >= 1 && depth <= EXCHANGE_DEPTH_AT_MOST) return undefined;
  return `has a depth of exchange outside of 1 to ${EXCHANGE_DEPTH_AT_MOST}`;
}

function certificateProblem(
  { oauth }: ClientRegistration,
  { certificates }: ClientRules,
): string | undefined {
  const method = oauth?.authentication?.method;
  const needed = method === 'tls_client_auth' || method === 'self_signed_tls_client_auth';
  if (!needed && oauth?.senderConstraint !== 'certificate') return undefined;
  if (certificates === undefined) return 'needs certificates, and no proxy is named that brings them';
  if (method === 'tls_client_auth' && !certificates.hasAuthorities) {
    return 'needs a certificate, and nobody is named who issues it';
  }
  return undefined;
}

/** FAPI 2.0 Security Profile section 5.3.2.1. */
function profileProblem(client: ClientRegistration, { profile }: ClientRules): string | undefined {
  const { oauth, redirectUris, secret } = client;
  if (profile !== 'fapi2' && oauth?.profile !== 'fapi2') return undefined;
  if (secret !== undefined || isPublic(client)) return 'must authenticate by a key (FAPI 2.0)';
  const getsTokens = redirectUris.length > 0 || (oauth?.clientCredentials ?? oauth?.exchange) !== undefined;
  if (getsTokens && oauth?.senderConstraint === undefined) {
    return 'must have its tokens bound to a key (FAPI 2.0)';
  }
  return undefined;
}
