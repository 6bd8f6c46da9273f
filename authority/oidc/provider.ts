import type { Configuration, KoaContextWithOIDC, Provider } from 'oidc-provider';

import type { Policy, SchemaVocabulary } from '@behalf/policy';
import { errors, interactionPolicy } from './oidc-provider.js';
import type { AccountRegister } from '../accounts/register.js';
import { SIGNING_ALGORITHMS } from '../clients/credentials.js';
import type { ClientDirectory } from '../clients/directory.js';
import type { FindClient } from '../clients/find.js';
import type { ClientRegistration } from '../client-registration.js';
import type { ConsentRegister } from '../consent/register.js';
import type { SuspensionRegister } from '../consent/suspensions.js';
import type { ClientCertificates } from '../http/client-certificate.js';
import type { ClientNetworks } from '../http/client-networks.js';
import type { Cors } from '../http/cors.js';
import type { KeysNow } from '../keys/ring.js';
import type { Languages } from '../language/languages.js';
import { languageOf, parametersOf } from '../language/request-language.js';
import { renderErrorPage } from '../pages/error.js';
import { setPageHeaders } from '../pages/headers.js';
import type { AuthorityDatabase } from '../schema.js';
import type { StatusRegister } from '../status/register.js';
import { adapterFactory } from './adapter.js';
import { authenticationMethods, checkAssertion } from './client-authentication.js';
import { isFapi2, metadataOf, ORIGINS_MEMBER, PROFILE_MEMBER } from './client-metadata.js';
import { mayUseClient, replaceCorsHeaders } from './client-origins.js';
import { compareSecretsByDigest } from './client-secrets.js';
import { consentPrompt } from './consent-prompt.js';
import { endingsOf, endOnReuse } from './endings.js';
import { explainError } from './explain-error.js';
import { TokenExchange } from './exchange.js';
import { grantOf } from './grant.js';
import { IssueTimes } from './issue-times.js';
import { ACCESS_TOKEN_SECONDS, CODE_SECONDS, INTERACTION_SECONDS, SESSION_SECONDS } from './lifetimes.js';
import { mutualTls } from './mutual-tls.js';
import { grantableScopes } from './offer.js';
import { askBeforeReplacing } from './other-person.js';
import { OwnTokens } from './own-tokens.js';
import { admitPending, type PendingRequests } from './pending-requests.js';
import { limitCaching } from './public-documents.js';
import { ResourceServers } from './resource-servers.js';
import { ProviderWithPages } from './response-modes.js';
import { richRequests } from './rich-requests.js';
import { PASSWORD_ACR } from './sign-in.js';
import { answerForStructuredTokens } from './structured-tokens.js';
import { refuseSuspended } from './suspended.js';
import { claimsOf } from './token-claims.js';
import { accessTokenSeconds, refreshTokenSeconds, serviceTokenSeconds } from './token-lifetimes.js';
import { keepHeadSafe } from './safe-head.js';
import { leaveUnanswered } from './unanswered.js';

/** @see createProvider */
export interface ProviderOptions {
  readonly issuer: string;
  readonly audience: string;
  readonly db: AuthorityDatabase;
  readonly jwks: KeysNow['jwks'];
  readonly cookieKeys: readonly string[];
  /** 32 bytes, the same in each instance: RFC 9449 section 8. */
  readonly dpopNonceKey: Buffer;
  readonly accounts: AccountRegister;
  readonly consents: ConsentRegister;
  readonly suspensions: SuspensionRegister;
  /** Those given at the start. */
  readonly clients: readonly ClientRegistration[];
  /** Includes the clients of the store. */
  readonly directory: ClientDirectory;
  readonly certificates: ClientCertificates | undefined;
  readonly policy: Policy;
  readonly fields: SchemaVocabulary['fields'];
  readonly languages: Languages;
  readonly profile: 'fapi2' | undefined;
  readonly statuses: StatusRegister;
  readonly pending: PendingRequests;
  readonly networks: ClientNetworks;
  readonly cors: Cors;
}

/**
 * OAuth 2.0 and OpenID Connect. For every client: the authorization code flow with PKCE (S256 only), pushed requests, refresh,
 * DPoP, revocation, discovery, JWKS. If registered for it: client credentials, token exchange, introspection, certificates, the
 * FAPI 2.0 profile. Everything else is off: device flow, implicit grant, dynamic registration.
 */
export function createProvider(options: ProviderOptions): Provider {
  const { consents, issuer, suspensions } = options;
  const parts = createParts(options);
  const provider = new ProviderWithPages(issuer, configurationOf(options, parts), options.languages);
  compareSecretsByDigest(provider);
  leaveUnanswered(provider);
  keepHeadSafe(provider);
  replaceCorsHeaders(provider, options.cors);
  askBeforeReplacing(provider);
  limitCaching(provider);
  // This server speaks plain http even for an https issuer; `addressToIssuer` sets the scheme of the request.
  provider.proxy = issuer.startsWith('https:');
  parts.exchange.register(provider);
  answerForStructuredTokens(provider, {
    consents,
    findClient: parts.findClient,
    suspensions,
    tokens: parts.tokens,
  });
  return provider;
}

/** The functions that oidc-provider calls. */
interface ProviderParts {
  readonly findClient: FindClient;
  readonly resources: ResourceServers;
  readonly tokens: OwnTokens;
  readonly exchange: TokenExchange;
  readonly issueTimes: IssueTimes;
}

function createParts(options: ProviderOptions): ProviderParts {
  const { accounts, audience, db, directory, fields, issuer, jwks, policy, suspensions } = options;
  const findClient: FindClient = (clientId) => directory.find(clientId);
  const resources = new ResourceServers(audience, [...policy.scopes.keys()], suspensions);
  const tokens = new OwnTokens({ issuer, audience, db, jwks, accounts, findClient, suspensions });
  const exchange = new TokenExchange({
    audience,
    accounts,
    fields,
    findClient,
    policy,
    suspensions,
    tokens,
    resources,
  });
  return { findClient, resources, tokens, exchange, issueTimes: new IssueTimes() };
}

function configurationOf(options: ProviderOptions, parts: ProviderParts): Configuration {
  const { accounts, audience, clients, consents, db, fields, jwks, policy, profile, statuses, suspensions } =
    options;
  const { exchange, findClient, issueTimes } = parts;
  const tokenRules = { db, accounts, findClient, policy, suspensions, exchange, statuses, issueTimes };
  const prompts = interactionPolicy.base();
  prompts.remove('consent');
  prompts.add(consentPrompt({ accounts, audience, consents, fields, policy, suspensions }));
  const methods = authenticationMethods(options.certificates !== undefined);
  return {
    adapter: storeOf(options, findClient),
    clients: clients.map((client) => metadataOf(client, profile)),
    extraClientMetadata: { properties: [PROFILE_MEMBER, ORIGINS_MEMBER] },
    clientDefaults: { id_token_signed_response_alg: 'ES256' },
    clientBasedCORS: mayUseClient,
    jwks: { keys: [...jwks.keys] },
    cookies: { keys: [...options.cookieKeys] },
    scopes: ['openid', 'offline_access', ...policy.scopes.keys()],
    acrValues: [PASSWORD_ACR],
    responseTypes: ['code'],
    clientAuthMethods: methods,
    assertJwtClientAuthClaimsAndHeader: checkAssertion,
    enabledJWA: { clientAuthSigningAlgValues: SIGNING_ALGORITHMS, dPoPSigningAlgValues: SIGNING_ALGORITHMS },
    discovery: {
      // RFC 9728 section 4
      protected_resources: [options.audience],
      ui_locales_supported: [...options.languages.tags],
      introspection_endpoint_auth_methods_supported: methods.filter((method) => method !== 'none'),
      revocation_endpoint_auth_methods_supported: methods,
    },
    pkce: { required: () => true },
    features: featuresOf(options, parts.resources),
    extraTokenClaims: (ctx, token) => claimsOf(ctx, token, tokenRules),
    formats: {
      customizers: {
        jwt: (_ctx, token, { payload }) =>
          issueTimes.stamp(token, token.expiration, payload, exchange.endOf(token)),
      },
    },
    findAccount: (ctx, subject) => findAccount(ctx, subject, options),
    interactions: { policy: prompts, url: (_ctx, interaction) => `/interaction/${interaction.uid}` },
    loadExistingGrant: (ctx) => loadGrant(ctx, options),
    issueRefreshToken: (_ctx, client) => client.grantTypeAllowed('refresh_token'),
    expiresWithSession: () => false,
    // FAPI 2.0 section 5.3.2.1: there, a refresh token is useless without the client's key, so it is not rotated. See decision
    // 0013.
    rotateRefreshToken: (ctx) => !isFapi2(ctx.oidc.client),
    revokeGrantPolicy: (ctx) => endOnReuse(ctx, consents),
    renderError: (ctx, _out, error) => {
      setPageHeaders(ctx.res);
      ctx.type = 'html';
      const { req, method } = ctx;
      const language = languageOf(options.languages, req, ctx.oidc.params?.['ui_locales']);
      const parameters = method === 'POST' ? undefined : parametersOf(req);
      ctx.body = renderErrorPage(language, explainError(error), parameters);
    },
    ttl: LIFETIMES,
  };
}

function storeOf(
  { consents, db, directory, networks, pending, profile }: ProviderOptions,
  findClient: FindClient,
): Configuration['adapter'] {
  return adapterFactory(
    db,
    endingsOf(consents),
    async (clientId) => {
      const client = await directory.find(clientId);
      return client && metadataOf(client, profile);
    },
    (model) => admitPending(model, { pending, networks, findClient }),
  );
}

function featuresOf(
  { audience, certificates, consents, dpopNonceKey, fields, policy, profile }: ProviderOptions,
  resources: ResourceServers,
): Configuration['features'] {
  return {
    devInteractions: { enabled: false },
    deviceFlow: { enabled: false },
    rpInitiatedLogout: { enabled: false },
    userinfo: { enabled: false },
    clientCredentials: { enabled: true },
    dPoP: { enabled: true, nonceSecret: dpopNonceKey, requireNonce: () => true },
    fapi: { enabled: true, profile: (_ctx, client) => (isFapi2(client) ? '2.0' : undefined) },
    // oidc-provider does not introspect JWT access tokens; see structured-tokens.ts. No other tokens are introspected.
    introspection: { enabled: true, allowedPolicy: () => false },
    mTLS: mutualTls(certificates),
    pushedAuthorizationRequests: { enabled: true, requirePushedAuthorizationRequests: profile === 'fapi2' },
    resourceIndicators: {
      enabled: true,
      defaultResource: () => audience,
      useGrantedResource: () => true,
      getResourceServerInfo: (ctx, resource) => resources.infoOf(ctx, resource),
    },
    revocation: { enabled: true, allowedPolicy: mayRevoke },
    richAuthorizationRequests: richRequests({ audience, consents, fields, policy }),
  };
}

/** In seconds, by oidc-provider's names. */
const LIFETIMES: Configuration['ttl'] = {
  AccessToken: accessTokenSeconds,
  AuthorizationCode: CODE_SECONDS,
  ClientCredentials: serviceTokenSeconds,
  RefreshToken: (ctx, token, client) => refreshTokenSeconds(ctx, token, !isFapi2(client)),
  IdToken: ACCESS_TOKEN_SECONDS,
  Interaction: INTERACTION_SECONDS,
  Session: SESSION_SECONDS,
  Grant: INTERACTION_SECONDS,
};

/** RFC 7009 section 2.1. @throws errors.InvalidRequest */
function mayRevoke(
  _ctx: KoaContextWithOIDC,
  client: { readonly clientId: string },
  token: { readonly clientId?: string | undefined },
): boolean {
  if (token.clientId === client.clientId) return true;
  throw new errors.InvalidRequest('client is not authorized to revoke the presented token');
}

async function findAccount(
  ctx: KoaContextWithOIDC,
  subject: string,
  { accounts, suspensions }: ProviderOptions,
) {
  // Checked before a code is issued, and before a refresh token is consumed, which must not be lost because of a suspension.
  await refuseSuspended(suspensions, ctx.oidc.client?.clientId);
  const account = await accounts.find(subject);
  return account === undefined ? undefined : { accountId: subject, claims: () => ({ sub: subject }) };
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
