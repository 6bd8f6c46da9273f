import type { AuthorizationDetail, KoaContextWithOIDC } from 'oidc-provider';

import { errors } from './oidc-provider.js';
import { purposesOf } from './offer.js';
import { BEHALF_ACCESS, boundsOf, type GrantedAccess, isWithin, within } from '../details/access.js';
import { AccessProblem, type AccessRules, readGrantedAccess } from '../details/read.js';
import { askedAccess, scopesAskedFor } from '../details/request.js';
import type { Consent } from '../consent/types.js';
import type { ConsentRegister } from '../consent/register.js';
import type { Policy, SchemaVocabulary } from '@behalf/policy';

const AUTHORIZATION_ROUTES: ReadonlySet<string> = new Set(['authorization', 'pushed_authorization_request']);

/** @see richRequests */
export interface RichRequestOptions {
  readonly audience: string;
  readonly consents: ConsentRegister;
  readonly policy: Policy;
  readonly fields: SchemaVocabulary['fields'];
}

/** A token being issued, where an access is narrowed again. */
interface NarrowedToken {
  scope?: string | undefined;
  readonly kind?: string;
}

/** RFC 9396: `authorization_details` of the type `behalf_access`, for oidc-provider. */
export function richRequests(options: RichRequestOptions) {
  return {
    enabled: true as const,
    types: {
      [BEHALF_ACCESS]: {
        validate: (ctx: KoaContextWithOIDC) => {
          const asked = askedFor(ctx, options);
          const { params } = ctx.oidc;
          if (params === undefined || asked?.scopes === undefined) return;
          // From here on, there is one list of scopes, however they were requested (RFC 9396 section 3).
          if (AUTHORIZATION_ROUTES.has(ctx.oidc.route)) {
            params['scope'] = scopesAskedFor(params['scope'], asked).join(' ');
          }
        },
      },
    },
    authorizationDetailsForGrantSource: async (
      ctx: KoaContextWithOIDC,
      source: { grantId?: string | undefined },
    ) => {
      const asked = askedFor(ctx, options);
      const consent = await options.consents.find(source.grantId ?? '');
      if (asked === undefined || consent?.status !== 'active') return undefined;
      const scopes = scopesAskedFor(ctx.oidc.params?.['scope'], asked);
      const whole = accessOf(consent, scopes, options);
      return asDetails(within(whole, boundsOf(asked, whole)));
    },
    authorizationDetailsForAccessToken: async (
      ctx: KoaContextWithOIDC,
      token: NarrowedToken,
      source: { rar?: unknown; grantId?: string | undefined } | undefined,
    ) => {
      const granted = readGrantedAccess(source?.rar);
      const asked = askedFor(ctx, options);
      // RFC 9396 section 6.1: a token request can narrow, and there must be something to narrow.
      if (asked !== undefined && (granted === undefined || !isWithin(asked, granted))) {
        throw new errors.InvalidAuthorizationDetails('more than was granted');
      }
      if (granted === undefined) return undefined;
      const consent = await options.consents.find(source?.grantId ?? '');
      const left =
        consent?.status === 'active'
          ? within(granted, accessOf(consent, granted.scopes, options))
          : undefined;
      const narrowed = asked === undefined || left === undefined ? left : within(left, boundsOf(asked, left));
      if (narrowed === undefined || narrowed.until <= Date.now() / 1000) {
        throw new errors.InvalidGrant('nothing is left of the access that was granted');
      }
      dropScopes(token, granted, narrowed);
      return asDetails(narrowed);
    },
    // Access tokens are JWTs and contain it themselves; see structured-tokens.ts.
    authorizationDetailsForIntrospection: () => undefined,
  };
}

function askedFor(ctx: KoaContextWithOIDC, { audience, fields, policy }: RichRequestOptions) {
  const rules: AccessRules = { clientId: ctx.oidc.client?.clientId ?? '', audience, fields, policy };
  return readOrRefuse(ctx.oidc.params?.['authorization_details'], rules);
}

/** @throws errors.InvalidAuthorizationDetails (RFC 9396 section 5) */
export function readOrRefuse(parameter: unknown, rules: AccessRules) {
  try {
    return askedAccess(parameter, rules);
  } catch (error) {
    if (!(error instanceof AccessProblem)) throw error;
    throw new errors.InvalidAuthorizationDetails(`the authorization_details object ${error.message}`);
  }
}

/** The whole access that these scopes of a consent give, as a granted access. */
function accessOf(
  consent: Consent,
  scopes: readonly string[],
  { audience, policy }: RichRequestOptions,
): GrantedAccess {
  const purposes = purposesOf(consent.clientId, policy).map(({ name }) => name);
  return {
    type: BEHALF_ACCESS,
    locations: [audience],
    scopes: scopes.filter((name) => consent.scopes.includes(name)),
    purposes: consent.purposes.filter((name) => purposes.includes(name)),
    detail: consent.detail,
    levels: consent.levels,
    until: Math.floor(consent.until.getTime() / 1000),
  };
}

function dropScopes(token: NarrowedToken, granted: GrantedAccess, narrowed: GrantedAccess): void {
  const dropped = granted.scopes.filter((name) => !narrowed.scopes.includes(name));
  const left = (token.scope ?? '').split(' ').filter((name) => !dropped.includes(name));
  token.scope = left.join(' ');
}

/** As tokens carry it, and clients read it. */
export function asDetails(access: GrantedAccess | undefined): AuthorizationDetail[] | undefined {
  if (access === undefined) return undefined;
  const { levels, ...rest } = access;
  return [Object.keys(levels).length === 0 ? rest : access];
}
