import type { Grant, Provider } from 'oidc-provider';

import type { Consent } from '../consent/types.js';

/**
 * oidc-provider's grant mirrors the consent: same id, same end, written again for each authorization request. The consent
 * register is authoritative.
 *
 * @param scopes the consent's scopes that the policy still permits to the client
 */
export async function grantOf(
  provider: Provider,
  consent: Consent,
  scopes: readonly string[],
  audience: string,
): Promise<Grant> {
  const remainingSeconds = Math.max(1, Math.floor((consent.until.getTime() - Date.now()) / 1000));
  const properties = { accountId: consent.subject, clientId: consent.clientId, expiresIn: remainingSeconds };
  const grant = new provider.Grant(properties);
  grant.jti = consent.id;
  grant.addOIDCScope('openid offline_access');
  grant.addResourceScope(audience, [...scopes]);
  await grant.save();
  return grant;
}
