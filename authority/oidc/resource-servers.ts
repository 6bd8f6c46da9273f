import type { KoaContextWithOIDC, ResourceServer } from 'oidc-provider';

import { errors } from './oidc-provider.js';
import type { SuspensionRegister } from '../consent/suspensions.js';
import { stoppedScopes } from './suspended.js';

/** The only API that tokens are issued for (RFC 8707). */
export class ResourceServers {
  readonly #audience: string;
  readonly #scopes: readonly string[];
  readonly #suspensions: SuspensionRegister;

  constructor(audience: string, scopes: Iterable<string>, suspensions: SuspensionRegister) {
    this.#audience = audience;
    this.#scopes = [...scopes];
    this.#suspensions = suspensions;
  }

  /** @throws errors.InvalidTarget for any other resource */
  async infoOf(_ctx: KoaContextWithOIDC, resource: string): Promise<ResourceServer> {
    if (resource !== this.#audience) throw new errors.InvalidTarget();
    // Nothing else is put into a token. A grant or refresh token keeps what is stopped, for when it is lifted.
    const stopped = await stoppedScopes(this.#suspensions);
    return {
      audience: this.#audience,
      scope: this.#scopes.filter((name) => !stopped.has(name)).join(' '),
      accessTokenFormat: 'jwt',
      jwt: { sign: { alg: 'ES256' } },
    };
  }
}
