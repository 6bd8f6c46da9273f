import { decodeJwt, exportJWK, generateKeyPair, type JWK, type JWTPayload } from 'jose';
import type { Selectable } from 'kysely';
import * as oidc from 'openid-client';

import type { AuthorityOptions, ClientRegistration } from '../../authority/index.js';
import type { ClientOAuthOptions, AuthoritySchema } from '../../authority/internal.js';
import { checkPolicy } from '../../policy/index.js';
import { BrowserlessPerson, type PersonsWill } from '../support/person.js';
import {
  authorizationRequest,
  exchange,
  OVER_LOOPBACK,
  POLICY_FILE,
  REDIRECT_URI,
  type TestAuthority,
  type Tokens,
  withPolicy,
} from './setup.js';

export const ALMA = { user: 'alma', password: 'alma-demo' };
export const NOOR = { user: 'noor', password: 'noor-demo' };
/** Their subjects. */
export const ALMA_SUBJECT = 'c-000001';

/** The claims of an access token that the tests read. */
export interface Claims extends JWTPayload {
  readonly scope?: string;
  readonly client_id: string;
  readonly consent?: { id: string; version: number; purposes: string[]; until: number; detail: string };
  readonly cnf?: { jkt?: string; 'x5t#S256'?: string };
  readonly act?: { sub: string; act?: unknown };
  readonly authorization_details?: readonly Record<string, unknown>[];
}

export function claimsOf(tokens: { readonly access_token: string }): Claims {
  return decodeJwt<Claims>(tokens.access_token);
}

/** A client's key pair, and the registration of its public half. */
export interface ClientKey {
  readonly privateKey: oidc.CryptoKey;
  readonly authentication: { readonly method: 'private_key_jwt'; readonly jwks: { keys: JWK[] } };
}

export async function clientKey(alg = 'ES256'): Promise<ClientKey> {
  const { privateKey, publicKey } = await generateKeyPair(alg, { extractable: true });
  const jwk = { ...(await exportJWK(publicKey)), alg, use: 'sig', kid: 'client-key' };
  return { privateKey, authentication: { method: 'private_key_jwt', jwks: { keys: [jwk] } } };
}

/** A registration; without `redirectUris` it is a service. */
export function client(clientId: string, oauth: ClientOAuthOptions, redirectUris: readonly string[] = []) {
  return { clientId, displayName: `The ${clientId}`, redirectUris, oauth } satisfies ClientRegistration;
}

export function application(clientId: string, oauth: ClientOAuthOptions): ClientRegistration {
  return client(clientId, oauth, ['http://127.0.0.1/callback']);
}

type PolicyOfClient = { readonly scopes: readonly string[]; readonly purposes?: readonly string[] };

/** The tests' policy with additional clients. */
export function withClients(
  clients: readonly ClientRegistration[],
  policies: Readonly<Record<string, PolicyOfClient>>,
): Pick<AuthorityOptions, 'clients' | 'policy' | 'vocabulary'> {
  const policy = checkPolicy({ ...POLICY_FILE, clients: { ...POLICY_FILE.clients, ...policies } });
  return { clients, ...withPolicy(policy) };
}

/** A real OAuth client that authenticates by its key, or not at all. */
export async function discoverAs(
  test: TestAuthority,
  clientId: string,
  key?: ClientKey,
): Promise<oidc.Configuration> {
  const authentication =
    key === undefined ? oidc.None() : oidc.PrivateKeyJwt({ key: key.privateKey, kid: 'client-key' });
  return oidc.discovery(new URL(test.issuer), clientId, undefined, authentication, OVER_LOOPBACK);
}

/** The code flow of a person who agrees. */
export async function connect(
  configuration: oidc.Configuration,
  scope: string,
  will: PersonsWill = ALMA,
  more: { readonly parameters?: Record<string, string>; readonly DPoP?: oidc.DPoPHandle } = {},
): Promise<Tokens> {
  const request = await authorizationRequest(configuration, scope, more.parameters);
  const { callbackUrl } = await new BrowserlessPerson().follow(request.url, will);
  if (more.DPoP === undefined) return exchange(configuration, callbackUrl, request);
  return oidc.authorizationCodeGrant(
    configuration,
    callbackUrl,
    { pkceCodeVerifier: request.verifier, expectedState: request.state },
    undefined,
    { DPoP: more.DPoP },
  );
}

/** A request that a correct client would not make, and without a client's checks of the response. */
export async function post(
  url: string | URL,
  form: Record<string, string>,
  headers: Record<string, string> = {},
): Promise<{ status: number; body: Record<string, unknown>; headers: Headers }> {
  const response = await fetch(url, { method: 'POST', body: new URLSearchParams(form), headers });
  const text = await response.text();
  const body = text === '' ? {} : (JSON.parse(text) as Record<string, unknown>);
  return { status: response.status, body, headers: response.headers };
}

/** Changes in the order in which gateways receive them. */
export async function changes(
  test: TestAuthority,
): Promise<Selectable<AuthoritySchema['authority.change_event']>[]> {
  return test.database.db.selectFrom('authority.change_event').selectAll().orderBy('seq').execute();
}

export { nextSecond } from '../support/wait.js';
export { REDIRECT_URI };
