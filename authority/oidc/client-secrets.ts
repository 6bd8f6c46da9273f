import type { Provider } from 'oidc-provider';

import { secretDigest } from '../clients/secret.js';
import { equalSecrets } from '@behalf/http';

/** Of every client this program and its store know a digest of the secret only: what a client presents is digested, too. */
export function compareSecretsByDigest(provider: Provider): void {
  provider.Client.prototype.compareClientSecret = function (actual: string): boolean {
    return this.clientSecret !== undefined && equalSecrets(secretDigest(actual), this.clientSecret);
  };
}
