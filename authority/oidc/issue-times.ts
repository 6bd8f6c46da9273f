import { errors } from 'oidc-provider';

/** The claims of an access token that say when it was issued and when it ends, before it is signed. */
interface Times {
  iat?: unknown;
  exp?: unknown;
}

/**
 * When each access token counts as issued: by the database's clock, as what revokes it. oidc-provider would write this
 * machine's time, and a token of a machine whose clock is ahead would outlive a revocation that came after it.
 */
export class IssueTimes {
  readonly #times = new WeakMap<object, Date>();

  set(token: object, issuedAt: Date): void {
    this.#times.set(token, issuedAt);
  }

  /**
   * Writes it into the claims. The token ends when oidc-provider has said, but lives no longer than it was meant to from then.
   *
   * @param lifeSeconds how long it was meant to live
   * @throws errors.InvalidGrant for a token whose time nobody has taken
   */
  stamp(token: object, lifeSeconds: number, claims: Times): void {
    const issuedAt = this.#times.get(token);
    const { exp } = claims;
    if (issuedAt === undefined || typeof exp !== 'number') {
      throw new errors.InvalidGrant('a token needs a time');
    }
    const iat = Math.floor(issuedAt.getTime() / 1000);
    claims.iat = iat;
    claims.exp = Math.min(exp, iat + lifeSeconds);
  }
}
