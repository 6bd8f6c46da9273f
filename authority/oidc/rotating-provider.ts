import type { Provider } from 'oidc-provider';

import type { KeysNow, SigningKeyRing } from '../keys/ring.js';

type Handler = ReturnType<Provider['callback']>;

interface Made {
  readonly keys: KeysNow;
  readonly provider: Provider;
  readonly handler: Handler;
}

/**
 * oidc-provider takes its keys when it is made, and has no way to be given others: when the keys change, another one is made,
 * which new requests go to. Those under way end with the one that they began with, whose key stays published. Nothing is lost
 * in between: codes, sessions, interactions and grants are in the store, and cookies are signed with keys that stay.
 */
export class RotatingProvider {
  readonly #ring: SigningKeyRing;
  readonly #create: (keys: KeysNow['jwks']) => Provider;
  #made: Made | undefined;

  constructor(ring: SigningKeyRing, create: (keys: KeysNow['jwks']) => Provider) {
    this.#ring = ring;
    this.#create = create;
  }

  /** The one for a request that begins now. @throws AuthorityError `key_missing` */
  get provider(): Provider {
    return this.#current().provider;
  }

  /** Its `callback()`. @throws AuthorityError `key_missing` */
  get handler(): Handler {
    return this.#current().handler;
  }

  #current(): Made {
    const keys = this.#ring.now();
    if (this.#made?.keys === keys) return this.#made;
    const provider = this.#create(keys.jwks);
    this.#made = { keys, provider, handler: provider.callback() };
    return this.#made;
  }
}
