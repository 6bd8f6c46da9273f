import * as oidc from 'openid-client';

import { client, clientKey, claimsOf, connect, discoverAs, post, withClients } from './oauth-setup.js';
import { discover, startTestAuthority, type TestAuthority } from './setup.js';

const TOKEN_EXCHANGE = 'urn:ietf:params:oauth:grant-type:token-exchange';
const ACCESS_TOKEN = 'urn:ietf:params:oauth:token-type:access_token';
const ACTORS = ['statements', 'archive', 'printer'] as const;
const SCOPES = ['accounts:read'];

type Actor = (typeof ACTORS)[number];

/** An authority with three services that can act for each other, and one that introspects tokens. */
export interface ExchangingAuthority extends TestAuthority {
  readonly person: oidc.Configuration;
  /** @returns the tokens of a person who has just signed in and agreed */
  signIn(): Promise<
    oidc.TokenEndpointResponse & { readonly access_token: string; readonly refresh_token?: string }
  >;
  exchange(actor: Actor, token: string): Promise<string>;
  /** The authority's introspection response (RFC 7662). */
  isActive(token: string): Promise<boolean>;
  /** Whether its bit in the status list is set. */
  isListedAsRevoked(token: string): Promise<boolean>;
  revokeAt7009(clientId: string, token: string): Promise<number>;
}

/** @param prepare changes the database before the authority opens it */
export async function startExchangingAuthority(
  prepare?: Parameters<typeof startTestAuthority>[1],
): Promise<ExchangingAuthority> {
  const key = await clientKey();
  const { authentication } = key;
  const from = ['budget-app', ...ACTORS];
  const clients = ACTORS.map((name) =>
    client(name, { authentication, exchange: { from: from.filter((each) => each !== name), depth: 3 } }),
  );
  const policies = Object.fromEntries([...ACTORS, 'looker'].map((name) => [name, { scopes: SCOPES }]));
  const authority = await startTestAuthority(
    withClients([...clients, client('looker', { authentication, introspection: true })], policies),
    prepare,
  );
  const as = Object.fromEntries(
    await Promise.all(ACTORS.map(async (name) => [name, await discoverAs(authority, name, key)] as const)),
  );
  const looker = await discoverAs(authority, 'looker', key);
  const person = await discover(authority);
  return Object.assign(authority, {
    person,
    signIn: () => connect(person, 'accounts:read') as ReturnType<ExchangingAuthority['signIn']>,
    async exchange(actor: Actor, token: string) {
      const parameters = { subject_token: token, subject_token_type: ACCESS_TOKEN };
      const service = as[actor];
      if (service === undefined) throw new Error('no such service');
      return (await oidc.genericGrantRequest(service, TOKEN_EXCHANGE, parameters)).access_token;
    },
    isActive: async (token: string) => (await oidc.tokenIntrospection(looker, token)).active,
    async isListedAsRevoked(token: string) {
      const { revoked } = await authority.database.db
        .selectFrom('authority.token_status')
        .select('revoked')
        .where('jti', '=', jtiOf(token))
        .executeTakeFirstOrThrow();
      return revoked;
    },
    async revokeAt7009(clientId: string, token: string) {
      return (await post(`${authority.issuer}/token/revocation`, { client_id: clientId, token })).status;
    },
  });
}

export function jtiOf(token: string): string {
  return claimsOf({ access_token: token }).jti ?? '';
}
