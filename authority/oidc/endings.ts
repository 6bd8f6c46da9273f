import type { KoaContextWithOIDC } from 'oidc-provider';

import { AUTHORITY } from '../audit/record-events.js';
import type { ConsentRegister } from '../consent/register.js';
import type { Endings } from './adapter.js';

/** The reason why a consent ended, in its log and in the change sent to gateways. */
export const REFRESH_TOKEN_REUSE = 'refresh token reuse';

/** Ends everything that came from a credential together with it, in the store and at the gateways. */
export function endingsOf(consents: ConsentRegister): Endings {
  return {
    refreshTokenReused: (consentId) => endConsent(consents, consentId),
    tokensEnded: (consentId) => consents.endTokens(consentId, 'ended at the token endpoint'),
  };
}

/**
 * oidc-provider asks whether to remove a grant before it revokes everything under it. If a rotated refresh token was reused, the
 * consent is ended at this point (RFC 9700 section 4.14.2), so that later steps find it ended.
 *
 * @returns true: the grant mirrors the consent and is created again when needed
 */
export async function endOnReuse(ctx: KoaContextWithOIDC, consents: ConsentRegister): Promise<true> {
  const { RefreshToken: token } = ctx.oidc.entities;
  const isReuse = ctx.oidc.route === 'token' && token?.consumed !== undefined && token.consumed !== false;
  if (isReuse && token.grantId !== undefined) await endConsent(consents, token.grantId);
  return true;
}

async function endConsent(consents: ConsentRegister, consentId: string): Promise<void> {
  const options = { by: AUTHORITY, initiator: 'policy', reason: REFRESH_TOKEN_REUSE } as const;
  await consents.revokeConsent(consentId, options);
}
