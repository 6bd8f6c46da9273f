import type { KoaContextWithOIDC } from 'oidc-provider';

import type { ConsentRegister } from '../consent/register.js';
import type { Endings } from './adapter.js';

/** Why a consent ended, in its log and in the change that gateways hear. */
export const REFRESH_TOKEN_REUSE = 'refresh token reuse';

/** How the end of a credential becomes the end of what came of it, in the store and at the gateways. */
export function endingsOf(consents: ConsentRegister): Endings {
  return {
    refreshTokenReused: (consentId) => endConsent(consents, consentId),
    tokensEnded: (consentId) => consents.endTokens(consentId, 'ended at the token endpoint'),
  };
}

/**
 * oidc-provider asks whether a grant is to go, before it revokes all that belongs to it. Where a rotated refresh token came
 * again, that is the moment to end the consent (RFC 9700 section 4.14.2): the rest finds it ended.
 *
 * @returns true: the grant is a shadow of the consent, and made anew when it is needed
 */
export async function endOnReuse(ctx: KoaContextWithOIDC, consents: ConsentRegister): Promise<true> {
  const { RefreshToken: token } = ctx.oidc.entities;
  const isReuse = ctx.oidc.route === 'token' && token?.consumed !== undefined && token.consumed !== false;
  if (isReuse && token.grantId !== undefined) await endConsent(consents, token.grantId);
  return true;
}

async function endConsent(consents: ConsentRegister, consentId: string): Promise<void> {
  const options = { by: 'authority', initiator: 'policy', reason: REFRESH_TOKEN_REUSE } as const;
  await consents.revokeConsent(consentId, options);
}
