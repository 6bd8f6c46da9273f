import type { Provider } from 'oidc-provider';

import type { CurrentPolicy, PolicyInForce } from '../clients/current-policy.js';
import type { KeysNow, SigningKeyRing } from '../keys/ring.js';

type Handler = ReturnType<Provider['callback']>;

interface Made {
  readonly keys: KeysNow;
  readonly inForce: PolicyInForce;
  readonly provider: Provider;
  readonly handler: Handler;
}

/** @see RotatingProvider */
export interface RotatingProviderOptions {
  readonly keys: SigningKeyRing;
  readonly policy: CurrentPolicy;
  readonly create: (keys: KeysNow['jwks'], inForce: PolicyInForce) => Provider;
}

/**
 * oidc-provider is given its keys and scopes when it is created, and cannot be given others. When the keys or the policy change,
 * new requests therefore go to a new provider, while those in flight finish with the old one, whose key stays published. Nothing
 * is lost in between: codes, sessions, interactions and grants are in the store, and the keys that sign cookies stay.
 */
export class RotatingProvider {
  readonly #options: RotatingProviderOptions;
  #made: Made | undefined;

  constructor(options: RotatingProviderOptions) {
    this.#options = options;
  }

  /** The provider for a request that begins now. @throws AuthorityError `KEY_MISSING` */
  get provider(): Provider {
    return this.#current().provider;
  }

  /** Its `callback()`. @throws AuthorityError `KEY_MISSING` */
  get handler(): Handler {
    return this.#current().handler;
  }

  #current(): Made {
    const keys = this.#options.keys.now();
    const { inForce } = this.#options.policy;
    if (this.#made?.keys === keys && this.#made.inForce === inForce) return this.#made;
    const provider = this.#options.create(keys.jwks, inForce);
    this.#made = { keys, inForce, provider, handler: provider.callback() };
    return this.#made;
  }
}
