import type { KoaContextWithOIDC } from 'oidc-provider';

import { readGrantedAccess } from '../details/read.js';
import { ACCESS_TOKEN_SECONDS, REFRESH_ABSOLUTE_SECONDS, REFRESH_IDLE_SECONDS } from './lifetimes.js';

interface Lived {
  /** RFC 9396: the granted access can end before the consent. */
  readonly rar?: unknown;
  /** When the first of a chain of refresh tokens was issued; epoch seconds. */
  readonly iiat?: number | undefined;
}

export function accessTokenSeconds(ctx: KoaContextWithOIDC, token: Lived): number {
  return untilConsentEnds(ctx, token, ACCESS_TOKEN_SECONDS);
}

/** No consent stands behind it. */
export function serviceTokenSeconds(): number {
  return ACCESS_TOKEN_SECONDS;
}

/**
 * RFC 9700 section 4.14.2. Rotating refresh tokens each live for the longest unused time, and their chain for the longest total
 * time. Without rotation, the last use is unknown.
 */
export function refreshTokenSeconds(ctx: KoaContextWithOIDC, token: Lived, rotates: boolean): number {
  const nowSeconds = Math.floor(Date.now() / 1000);
  const leftSeconds = (token.iiat ?? nowSeconds) + REFRESH_ABSOLUTE_SECONDS - nowSeconds;
  return untilConsentEnds(ctx, token, rotates ? Math.min(REFRESH_IDLE_SECONDS, leftSeconds) : leftSeconds);
}

/**
 * No token outlives its grant, which ends with the consent. At least one second, because the claims are refused anyway once it
 * has ended.
 */
function untilConsentEnds(ctx: KoaContextWithOIDC, token: Lived, atMostSeconds: number): number {
  const end = ctx.oidc.entities.Grant?.exp;
  if (end === undefined) return 1;
  const nowSeconds = Math.floor(Date.now() / 1000);
  const accessEnd = readGrantedAccess(token.rar)?.until ?? end;
  return Math.max(1, Math.min(atMostSeconds, end - nowSeconds, accessEnd - nowSeconds));
}
