import { withoutUndefined } from '@behalf/directives/internal';
import type { KoaContextWithOIDC, Provider, TokenEndpointGrantContext } from 'oidc-provider';
import {
  buildTokenResponse,
  checkDpopReplay,
  checkDpopRequired,
  checkMtlsCert,
  validateDpop,
} from 'oidc-provider/lib/helpers/grants.js';

import type { Policy, SchemaVocabulary } from '@behalf/policy';
import { errors } from './oidc-provider.js';
import type { AccountRegister } from '../accounts/register.js';
import type { FindClient } from '../clients/find.js';
import type { SuspensionRegister } from '../consent/suspensions.js';
import type { Lineage } from '../status/register.js';
import { TOKEN_EXCHANGE } from './client-metadata.js';
import { type ExchangeTerms, exchangeTerms } from './exchange-terms.js';
import { grantableScopes } from './offer.js';
import { EXCHANGED_FROM, exchangedFromOf, type OwnToken, sessionIdOf } from './own-token.js';
import type { OwnTokens } from './own-tokens.js';
import type { ResourceServers } from './resource-servers.js';
import { asDetails, readOrRefuse } from './rich-requests.js';
import { refuseSuspended, stoppedScopes } from './suspended.js';

/** RFC 8693 section 3 */
export const ACCESS_TOKEN_TYPE = 'urn:ietf:params:oauth:token-type:access_token';

const PARAMETERS = [
  'subject_token',
  'subject_token_type',
  'requested_token_type',
  'actor_token',
  'actor_token_type',
  'audience',
  'resource',
  'scope',
  'authorization_details',
] as const;

type Parameters = Partial<Record<(typeof PARAMETERS)[number], string>>;
type Context = TokenEndpointGrantContext<Parameters>;

/** @see TokenExchange */
export interface TokenExchangeOptions {
  readonly audience: string;
  readonly accounts: AccountRegister;
  readonly findClient: FindClient;
  readonly policy: Policy;
  readonly fields: SchemaVocabulary['fields'];
  readonly suspensions: SuspensionRegister;
  readonly tokens: OwnTokens;
  readonly resources: ResourceServers;
}

/**
 * RFC 8693 token exchange: a service that was called with a person's token gets its own token, to act further for that person.
 * `exchangeTerms` decides its content; docs/decisions/0012 explains its form.
 */
export class TokenExchange {
  readonly #options: TokenExchangeOptions;
  readonly #terms = new WeakMap<object, ExchangeTerms>();

  constructor(options: TokenExchangeOptions) {
    this.#options = options;
  }

  /** Registers the grant type at the token endpoint. */
  register(provider: Provider): void {
    provider.registerGrantType<Parameters>(TOKEN_EXCHANGE, (ctx) => this.#answer(provider, ctx), PARAMETERS);
  }

  isExchanged(token: object): boolean {
    return this.#terms.has(token);
  }

  /** When the token ends at the latest, in seconds since the epoch; Infinity for a token that was not exchanged. */
  endOf(token: object): number {
    return this.#terms.get(token)?.expiresAtSeconds ?? Infinity;
  }

  /** Undefined for a token that was not exchanged. */
  lineageOf(token: object): Lineage | undefined {
    const terms = this.#terms.get(token);
    return terms === undefined ? undefined : lineageIn(terms);
  }

  /**
   * The claims of an exchanged token, requested just before it is signed.
   *
   * @throws errors.InvalidGrant if the subject token has ended in the meantime
   */
  async claimsOf(token: object): Promise<Record<string, unknown>> {
    const terms = this.#terms.get(token);
    if (terms === undefined) throw new errors.InvalidGrant('not an exchanged token');
    const { accounts, policy, tokens } = this.#options;
    const { act, consent, scopes } = terms;
    const { clientId, payload, subject } = terms.token;
    const account = await accounts.find(subject);
    if (account === undefined || !(await tokens.isInForce(terms.token))) {
      throw new errors.InvalidGrant('the subject token is not in force');
    }
    if (grantableScopes(scopes, account, clientId, policy).length !== scopes.length) {
      throw new errors.InvalidGrant('the policy does not permit the scope');
    }
    const { id, version, purposes, until, detail, levels = {} } = consent;
    return {
      // Claims about the person and their session are repeated, as far as they still hold.
      ...kept(payload, ['sid', 'acr', 'auth_time']),
      ...stillTrue('roles', payload['roles'], account.roles),
      ...stillTrue('policies', payload['policies'], account.policies),
      consent: withoutUndefined({
        ...{ id, version, purposes, until, detail },
        levels: Object.keys(levels).length === 0 ? undefined : levels,
      }),
      act,
      [EXCHANGED_FROM]: lineageIn(terms).exchangedFrom,
    };
  }

  async #answer(provider: Provider, ctx: Context): Promise<void> {
    const terms = await this.#decide(ctx);
    const dPoP = await validateDpop(provider, ctx);
    const certificate = checkMtlsCert(provider, ctx);
    checkDpopRequired(provider, ctx, dPoP);
    // The subject token is bound to its client's key. A bound token must not become a bearer token.
    if (terms.token.isSenderConstrained && dPoP === undefined && certificate === undefined) {
      throw new errors.InvalidGrant(
        'a sender-constrained token is exchanged for a sender-constrained one only',
      );
    }
    const token = await this.#tokenOf(provider, ctx, terms);
    await checkDpopReplay(provider, ctx, dPoP, ctx.oidc.client.clientId);
    if (certificate !== undefined) token.setThumbprint('x5t', certificate);
    if (dPoP !== undefined) token.setThumbprint('jkt', dPoP.thumbprint);
    ctx.oidc.entity('AccessToken', token);
    const accessToken = await token.save();
    ctx.body = buildTokenResponse(provider, {
      accessToken,
      authorizationDetails: token.rar,
      expiresIn: token.expiration,
      issuedTokenType: ACCESS_TOKEN_TYPE,
      scope: token.scope,
      tokenType: token.tokenType,
    });
  }

  async #decide(ctx: Context): Promise<ExchangeTerms> {
    const { audience, fields, findClient, policy, suspensions } = this.#options;
    const { params } = ctx.oidc;
    const actor = ctx.oidc.client.clientId;
    const right = (await findClient(actor))?.oauth?.exchange;
    if (right === undefined) throw new errors.UnauthorizedClient('the client may not exchange tokens');
    refuseWhatIsNotDone(params, audience);
    await refuseSuspended(suspensions, actor);
    const token = await this.#subjectToken(params.subject_token);
    const stopped = await stoppedScopes(suspensions);
    const terms = exchangeTerms({
      token: { ...token, scopes: token.scopes.filter((name) => !stopped.has(name)) },
      actor,
      right,
      scopes: params.scope?.split(' ').filter((name) => name !== ''),
      access: readOrRefuse(params.authorization_details, { clientId: actor, audience, fields, policy }),
      policy,
      now: new Date(),
    });
    if (terms.kind === 'granted') return terms;
    switch (terms.error) {
      case 'invalid_scope':
        throw new errors.InvalidScope(terms.description, params.scope ?? '');
      case 'invalid_authorization_details':
        throw new errors.InvalidAuthorizationDetails(terms.description);
      case 'invalid_request':
        throw new errors.InvalidRequest(terms.description);
    }
  }

  /** RFC 8693 section 2.2.2: an invalid subject token is an invalid request. */
  async #subjectToken(value: string | undefined): Promise<OwnToken> {
    const { tokens } = this.#options;
    const token = value === undefined ? undefined : await tokens.verify(value);
    if (token === undefined || !(await tokens.isInForce(token))) {
      throw new errors.InvalidRequest('the subject token is not valid, or not in force');
    }
    return token;
  }

  async #tokenOf(provider: Provider, ctx: KoaContextWithOIDC, terms: ExchangeTerms) {
    const { audience, resources } = this.#options;
    const { consent, subject, clientId } = terms.token;
    // Issued to the client of the consent: see docs/decisions/0012.
    const client = await provider.Client.find(clientId);
    if (client === undefined)
      throw new errors.InvalidGrant('the client of the subject token is not registered');
    const token = new provider.AccessToken({
      accountId: subject,
      client,
      grantId: consent?.id ?? '',
      gty: TOKEN_EXCHANGE,
      scope: terms.scopes.join(' '),
      expiresIn: Math.max(1, terms.expiresAtSeconds - Math.floor(Date.now() / 1000)),
    });
    token.resourceServer = new provider.ResourceServer(audience, await resources.infoOf(ctx, audience));
    const details = asDetails(terms.access);
    if (details !== undefined) token.rar = details;
    this.#terms.set(token, terms);
    return token;
  }
}

function lineageIn({ act, token }: ExchangeTerms): Lineage {
  return {
    sessionId: sessionIdOf(token),
    actors: [act.sub, ...token.actors],
    exchangedFrom: [token.tokenId, ...exchangedFromOf(token)],
  };
}

/** @throws errors.InvalidRequest, errors.InvalidTarget */
function refuseWhatIsNotDone(params: Parameters, audience: string): void {
  // The actor is the authenticated client. An `actor_token` could only contradict that.
  if (params.actor_token !== undefined || params.actor_token_type !== undefined) {
    throw new errors.InvalidRequest('actor tokens are not taken: the actor is the client');
  }
  if (params.subject_token_type !== ACCESS_TOKEN_TYPE) {
    throw new errors.InvalidRequest('the subject token must be an access token');
  }
  if ((params.requested_token_type ?? ACCESS_TOKEN_TYPE) !== ACCESS_TOKEN_TYPE) {
    throw new errors.InvalidRequest('only access tokens are given');
  }
  for (const target of [params.audience, params.resource]) {
    if (target !== undefined && target !== audience) throw new errors.InvalidTarget();
  }
}

function kept(payload: OwnToken['payload'], names: readonly string[]): Record<string, unknown> {
  return Object.fromEntries(names.filter((name) => name in payload).map((name) => [name, payload[name]]));
}

function stillTrue(name: string, said: unknown, now: readonly string[]): Record<string, readonly string[]> {
  const both = Array.isArray(said) ? now.filter((entry) => said.includes(entry)) : [];
  return both.length === 0 ? {} : { [name]: both };
}
