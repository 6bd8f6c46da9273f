import { randomBytes } from 'node:crypto';

import type { SealedSecrets } from './sealed.js';

/** The keys that sign browsers' cookies, created by the first start. @throws AuthorityError `KEYS_UNREADABLE` */
export async function loadCookieKeys(secrets: SealedSecrets): Promise<readonly string[]> {
  return [await secrets.getOrCreate('cookie-key', () => randomBytes(32).toString('base64url'))];
}
