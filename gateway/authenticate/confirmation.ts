import { isRecord } from '@behalf/directives/internal';
import { invalidToken } from './bearer.js';

/** The proofs that the sender of a token must add. All are required. */
export interface Confirmation {
  /** RFC 9449 section 6.1: thumbprint (RFC 7638, SHA-256, base64url) of the key that DPoP proofs are signed with. */
  readonly jkt?: string;
  /** RFC 8705 section 3.1: SHA-256 of the client certificate's DER, base64url. */
  readonly x5t?: string;
}

/** The supported members of `cnf`, and their names here. */
const MEMBERS: ReadonlyMap<string, keyof Confirmation> = new Map([
  ['jkt', 'jkt'],
  ['x5t#S256', 'x5t'],
]);
const SHA256_BYTES = 32;

/**
 * Reads a token's `cnf` (RFC 7800 section 3.1).
 *
 * RFC 7800 leaves it to the application which methods it supports. Here an unknown one refuses the token: ignoring it would
 * accept a bound token from any holder.
 *
 * @returns undefined for an unbound token
 * @throws {RefusedError} 401 `INVALID_TOKEN`
 */
export function readConfirmation(claim: unknown): Confirmation | undefined {
  if (claim === undefined) return undefined;
  if (!isRecord(claim)) throw invalidToken('CONFIRMATION_MALFORMED');
  const confirmation: { -readonly [member in keyof Confirmation]: Confirmation[member] } = {};
  for (const [name, value] of Object.entries(claim)) {
    const member = MEMBERS.get(name);
    if (member === undefined) throw invalidToken('CONFIRMATION_UNKNOWN');
    if (!isSha256(value)) throw invalidToken('CONFIRMATION_MALFORMED');
    confirmation[member] = value;
  }
  // An empty `cnf` is not supported either.
  if (confirmation.jkt === undefined && confirmation.x5t === undefined)
    throw invalidToken('CONFIRMATION_MALFORMED');
  return confirmation;
}

/** Each digest has one spelling, so the text can be compared. */
function isSha256(value: unknown): value is string {
  if (typeof value !== 'string') return false;
  const bytes = Buffer.from(value, 'base64url');
  return bytes.length === SHA256_BYTES && bytes.toString('base64url') === value;
}
