import { isRecord } from '@behalf/directives/internal';
import { errors } from './oidc-provider.js';

/** The time claims of an access token before it is signed. */
interface Times {
  iat?: unknown;
  exp?: unknown;
  readonly consent?: unknown;
}

/**
 * The time of issue of each access token by the database's clock, like the times of revocations. oidc-provider would use this
 * machine's time, and a token from a machine with a fast clock would outlive a later revocation.
 */
export class IssueTimes {
  readonly #times = new WeakMap<object, Date>();

  set(token: object, issuedAt: Date): void {
    this.#times.set(token, issuedAt);
  }

  /**
   * Sets the time claims. The token ends when oidc-provider decided, but not later than its intended lifetime from then, than its
   * consent, or than the token that it was exchanged for: a lifetime that was computed in one second and counted from the next
   * would outlive them.
   *
   * @param lifeSeconds the intended lifetime
   * @param notAfterSeconds the end of what it was exchanged for, since the epoch; Infinity for another token
   * @throws errors.InvalidGrant for a token without a recorded time
   */
  stamp(token: object, lifeSeconds: number, claims: Times, notAfterSeconds: number): void {
    const issuedAt = this.#times.get(token);
    const { exp } = claims;
    if (issuedAt === undefined || typeof exp !== 'number') {
      throw new errors.InvalidGrant('a token needs a time');
    }
    const iat = Math.floor(issuedAt.getTime() / 1000);
    claims.iat = iat;
    claims.exp = Math.min(exp, iat + lifeSeconds, notAfterSeconds, consentEnd(claims.consent));
  }
}

function consentEnd(consent: unknown): number {
  const until = isRecord(consent) ? consent.until : undefined;
  return typeof until === 'number' ? until : Infinity;
}
