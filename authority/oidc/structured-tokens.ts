import type { KoaContextWithOIDC, Provider } from 'oidc-provider';

import type { FindClient } from '../clients/find.js';
import type { ClientRegistration } from '../client-registration.js';
import { isPublic } from '../clients/check.js';
import type { ConsentRegister } from '../consent/register.js';
import type { SuspensionRegister } from '../consent/suspensions.js';
import type { OwnToken } from './own-token.js';
import type { OwnTokens } from './own-tokens.js';
import { stoppedScopes } from './suspended.js';

/** @see answerForStructuredTokens */
export interface StructuredTokensOptions {
  readonly consents: ConsentRegister;
  readonly suspensions: SuspensionRegister;
  readonly findClient: FindClient;
  readonly tokens: OwnTokens;
}

/**
 * Introspection (RFC 7662) and revocation (RFC 7009) of access tokens. oidc-provider refuses both for JWTs, with a specific
 * error, after it has authenticated the client and parsed the request. Only that refusal is replaced here.
 */
export function answerForStructuredTokens(provider: Provider, options: StructuredTokensOptions): void {
  provider.use(async (context, next) => {
    await next();
    const ctx = context as KoaContextWithOIDC;
    if (!isRefusedForItsForm(ctx)) return;
    const caller = await options.findClient(ctx.oidc.client?.clientId ?? '');
    const value = ctx.oidc.params?.['token'];
    if (caller === undefined || typeof value !== 'string') return;
    const token = await options.tokens.verify(value);
    if (ctx.oidc.route === 'introspection') await introspect(ctx, caller, token, options);
    else if (ctx.oidc.route === 'revocation') await revoke(ctx, caller, token, options);
  });
}

/** Reached only after client authentication, whose failure is a different error. */
function isRefusedForItsForm(ctx: KoaContextWithOIDC): boolean {
  const body: unknown = ctx.body;
  if (ctx.status !== 400 || typeof body !== 'object' || body === null) return false;
  return 'error' in body && body.error === 'unsupported_token_type';
}

/** RFC 7662 section 2.2. A client that may not introspect gets the same answer as for an unknown token. */
async function introspect(
  ctx: KoaContextWithOIDC,
  caller: ClientRegistration,
  token: OwnToken | undefined,
  { suspensions, tokens }: StructuredTokensOptions,
): Promise<void> {
  ctx.status = 200;
  ctx.body = { active: false };
  if (caller.oauth?.introspection !== true || isPublic(caller)) return;
  if (token === undefined || !(await tokens.isInForce(token))) return;
  const { cnf } = token.payload;
  const isDpop = typeof cnf === 'object' && cnf !== null && 'jkt' in cnf;
  const stopped = await stoppedScopes(suspensions);
  const scope = token.scopes.filter((name) => !stopped.has(name)).join(' ');
  ctx.body = { ...token.payload, scope, active: true, token_type: isDpop ? 'DPoP' : 'Bearer' };
}

/** RFC 7009 section 2.1: only the client that the token was issued to may revoke it; an invalid token needs no revocation. */
async function revoke(
  ctx: KoaContextWithOIDC,
  caller: ClientRegistration,
  token: OwnToken | undefined,
  { consents }: StructuredTokensOptions,
): Promise<void> {
  if (token !== undefined && (token.actors[0] ?? token.clientId) !== caller.clientId) {
    ctx.body = {
      error: 'invalid_request',
      error_description: 'client is not authorized to revoke the presented token',
    };
    return;
  }
  ctx.status = 200;
  ctx.body = '';
  if (token === undefined) return;
  const { clientId } = caller;
  const options = { by: clientId, initiator: 'policy', reason: 'revoked by its client' } as const;
  await consents.revokeToken(token.tokenId, { ...options, request: { caller: { clientId } } });
}
