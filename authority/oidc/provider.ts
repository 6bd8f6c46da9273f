import {
  type Configuration,
  errors,
  interactionPolicy,
  type KoaContextWithOIDC,
  Provider,
} from 'oidc-provider';

import type { Policy } from '../../policy/index.js';
import type { AccountRegister } from '../accounts/register.js';
import type { ClientRegistration } from '../clients/register.js';
import type { ConsentRegister } from '../consent/register.js';
import type { SuspensionRegister } from '../consent/suspensions.js';
import type { AuthorityKeys } from '../keys/keys.js';
import { renderErrorPage } from '../pages/error.js';
import { setPageHeaders } from '../pages/headers.js';
import type { AuthorityDatabase } from '../schema.js';
import { adapterFactory } from './adapter.js';
import { accessTokenClaims } from './claims.js';
import { consentPrompt } from './consent-prompt.js';
import { grantOf } from './grant.js';
import { grantableScopes } from './offer.js';
import { PASSWORD_ACR } from './sign-in.js';
import { refuseSuspended, stoppedScopes } from './suspended.js';

/** RFC 9068 access tokens live this long at most; their consent can end earlier. */
export const ACCESS_TOKEN_SECONDS = 300;
const CODE_SECONDS = 60;
const INTERACTION_SECONDS = 15 * 60;
const SESSION_SECONDS = 12 * 60 * 60;

/** @see createProvider */
export interface ProviderOptions {
  readonly issuer: string;
  readonly audience: string;
  readonly db: AuthorityDatabase;
  readonly keys: AuthorityKeys;
  readonly accounts: AccountRegister;
  readonly consents: ConsentRegister;
  readonly suspensions: SuspensionRegister;
  readonly clients: readonly ClientRegistration[];
  readonly policy: Policy;
}

/**
 * OAuth 2.0 and OpenID Connect: the authorization code flow with PKCE (S256 only), refresh, discovery, JWKS. Nothing else
 * is on.
 */
export function createProvider(options: ProviderOptions): Provider {
  const { accounts, audience, clients, consents, db, issuer, keys, policy, suspensions } = options;
  const scopes = [...policy.scopes.keys()];
  const prompts = interactionPolicy.base();
  prompts.remove('consent');
  prompts.add(consentPrompt({ accounts, consents, policy, suspensions }));

  const configuration: Configuration = {
    adapter: adapterFactory(db),
    clients: clients.map(metadataOf),
    clientDefaults: { id_token_signed_response_alg: 'ES256' },
    clientBasedCORS: () => false,
    jwks: { keys: [...keys.jwks.keys] },
    cookies: { keys: [...keys.cookieKeys] },
    scopes: ['openid', 'offline_access', ...scopes],
    acrValues: [PASSWORD_ACR],
    responseTypes: ['code'],
    clientAuthMethods: ['none', 'client_secret_basic'],
    pkce: { required: () => true },
    features: {
      devInteractions: { enabled: false },
      dPoP: { enabled: false },
      pushedAuthorizationRequests: { enabled: false },
      rpInitiatedLogout: { enabled: false },
      userinfo: { enabled: false },
      resourceIndicators: {
        enabled: true,
        defaultResource: () => audience,
        useGrantedResource: () => true,
        getResourceServerInfo: async (_ctx, resource) => {
          if (resource !== audience) throw new errors.InvalidTarget();
          // Nothing else is put into a token. A grant or refresh token keeps what is stopped, for when it is lifted.
          const stopped = await stoppedScopes(suspensions);
          const scope = scopes.filter((name) => !stopped.has(name)).join(' ');
          return { audience, scope, accessTokenFormat: 'jwt', jwt: { sign: { alg: 'ES256' } } };
        },
      },
    },
    extraTokenClaims: (ctx, token) => accessTokenClaims(ctx, token, { db, accounts, policy, suspensions }),
    findAccount: async (ctx, subject) => {
      // Asked before a code is given, and before a refresh token is used up: it must not be lost to a suspension.
      await refuseSuspended(suspensions, ctx.oidc.client?.clientId);
      const account = await accounts.find(subject);
      return account === undefined ? undefined : { accountId: subject, claims: () => ({ sub: subject }) };
    },
    interactions: { policy: prompts, url: (_ctx, interaction) => `/interaction/${interaction.uid}` },
    loadExistingGrant: async (ctx) => loadGrant(ctx, options),
    issueRefreshToken: (_ctx, client) => client.grantTypeAllowed('refresh_token'),
    expiresWithSession: () => false,
    rotateRefreshToken: true,
    renderError: (ctx, out) => {
      setPageHeaders(ctx.res);
      ctx.type = 'html';
      ctx.body = renderErrorPage(out.error, out.error_description);
    },
    ttl: {
      AccessToken: (ctx) => untilConsentEnds(ctx, ACCESS_TOKEN_SECONDS),
      AuthorizationCode: CODE_SECONDS,
      RefreshToken: (ctx) => untilConsentEnds(ctx, Number.MAX_SAFE_INTEGER),
      IdToken: ACCESS_TOKEN_SECONDS,
      Interaction: INTERACTION_SECONDS,
      Session: SESSION_SECONDS,
      Grant: INTERACTION_SECONDS,
    },
  };
  const provider = new Provider(issuer, configuration);
  // This server speaks plain http: with an https issuer a proxy stands before it, and tells what the browser used.
  provider.proxy = issuer.startsWith('https:');
  return provider;
}

function metadataOf(client: ClientRegistration) {
  return {
    client_id: client.clientId,
    client_name: client.displayName,
    redirect_uris: [...client.redirectUris],
    // Loopback redirect addresses on any port; whether it can keep a secret is another matter.
    application_type: 'native' as const,
    grant_types: ['authorization_code', 'refresh_token'],
    response_types: ['code' as const],
    ...(client.secret === undefined
      ? { token_endpoint_auth_method: 'none' as const }
      : { token_endpoint_auth_method: 'client_secret_basic' as const, client_secret: client.secret }),
  };
}

async function loadGrant(ctx: KoaContextWithOIDC, options: ProviderOptions) {
  const { accounts, audience, consents, policy } = options;
  const subject = ctx.oidc.account?.accountId;
  const clientId = ctx.oidc.client?.clientId;
  if (subject === undefined || clientId === undefined) return undefined;
  const account = await accounts.find(subject);
  const consent = await consents.findActive(subject, clientId);
  if (account === undefined || consent === undefined) return undefined;
  const scopes = grantableScopes(consent.scopes, account, clientId, policy);
  return grantOf(ctx.oidc.provider, consent, scopes, audience);
}

/** The grant ends with the consent: no token goes beyond it. At least a second: the claims are refused when it is over. */
function untilConsentEnds(ctx: KoaContextWithOIDC, atMostSeconds: number): number {
  const end = ctx.oidc.entities.Grant?.exp;
  if (end === undefined) return 1;
  return Math.max(1, Math.min(atMostSeconds, end - Math.floor(Date.now() / 1000)));
}
