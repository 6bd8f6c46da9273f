import { invalidToken } from './bearer.js';
import type { PresentedToken } from './bearer.js';
import { requireCertificate } from './certificate.js';
import type { AuthenticatedToken } from './token.js';
import type { DpopProofs } from './dpop/proof.js';
import type { IncomingRequest } from '../request/exchange.js';

export interface SenderConstraintRules {
  readonly proofs: DpopProofs;
  /** Whose tokens must be bound to a DPoP key. */
  readonly isDpopRequired: (issuer: string) => boolean;
}

/** Whether who sends a token may: decided on every request, since each brings its own proof. */
export class SenderConstraint {
  readonly #rules: SenderConstraintRules;

  constructor(rules: SenderConstraintRules) {
    this.#rules = rules;
  }

  /**
   * A token that is bound is refused without what it is bound to; several bindings must all be met. What the request does not
   * tell (no address, no certificate) is not met.
   *
   * @returns The nonce that the client is to use from now on, when it is another than the one it used.
   * @throws {RefusedError}
   */
  async check(
    { issuer, confirmation }: AuthenticatedToken,
    { scheme, digest }: PresentedToken,
    incoming: IncomingRequest,
  ): Promise<string | undefined> {
    const { jkt, x5t } = confirmation ?? {};
    // RFC 9449 section 7.2: a stolen bound token must not pass as a bearer token, nor one be taken for bound that is not.
    if (scheme === 'bearer' && jkt !== undefined) throw invalidToken('DPOP_DOWNGRADE');
    if (scheme === 'dpop' && jkt === undefined) throw invalidToken('TOKEN_NOT_BOUND');
    if (jkt === undefined && this.#rules.isDpopRequired(issuer)) throw invalidToken('DPOP_REQUIRED');
    if (x5t !== undefined) requireCertificate(x5t, incoming.clientCertificate);
    if (jkt === undefined) return undefined;
    const { method, url } = incoming;
    return this.#rules.proofs.verify(incoming.dpop ?? [], {
      method,
      url,
      tokenDigest: digest,
      thumbprint: jkt,
    });
  }
}
