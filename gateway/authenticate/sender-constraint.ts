import { invalidToken } from './bearer.js';
import type { PresentedToken } from './bearer.js';
import { requireCertificate } from './certificate.js';
import type { AuthenticatedToken } from './token.js';
import type { DpopProofs } from './dpop/proof.js';
import type { IncomingRequest } from '../request/incoming-request.js';

export interface SenderConstraintRules {
  readonly proofs: DpopProofs;
  /** The issuers whose tokens must be bound to a DPoP key. */
  readonly isDpopRequired: (issuer: string) => boolean;
}

/** Decides whether the sender may use the token, on every request, since each brings its own proof. */
export class SenderConstraint {
  readonly #rules: SenderConstraintRules;

  constructor(rules: SenderConstraintRules) {
    this.#rules = rules;
  }

  /**
   * Refuses a bound token without its proof; several bindings must all be met. Missing request details (no address, no
   * certificate) meet nothing.
   *
   * @returns the nonce for later proofs, if it differs from the one used
   * @throws {RefusedError}
   */
  async check(
    { issuer, confirmation }: AuthenticatedToken,
    { scheme, digest }: PresentedToken,
    incoming: IncomingRequest,
  ): Promise<string | undefined> {
    const { jkt, x5t } = confirmation ?? {};
    // RFC 9449 section 7.2: a stolen bound token must not pass as a bearer token, nor an unbound one as bound.
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
