import type { Provider } from 'oidc-provider';

import { secretDigest } from '../clients/secret.js';
import { equalSecrets } from '@behalf/http';

/** Program and store know only digests of clients' secrets, so a presented secret is digested before comparison. */
export function compareSecretsByDigest(provider: Provider): void {
  provider.Client.prototype.compareClientSecret = function (actual: string): boolean {
    return this.clientSecret !== undefined && equalSecrets(secretDigest(actual), this.clientSecret);
  };
}
