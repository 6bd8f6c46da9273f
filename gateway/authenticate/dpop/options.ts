import { ConfigurationError } from '../../errors.js';
import { MemoryProofReplayStore } from '../../proof-replay/index.js';
import type { ProofReplayStore } from '../../proof-replay/index.js';
import { DpopNonces, MIN_NONCE_KEY_BYTES } from './nonce.js';
import type { ProofRules } from './proof.js';

/** How tokens that are bound to a key are proved (RFC 9449). Without any of it they are accepted by the defaults. */
export interface DpopOptions {
  /** Refuses tokens that are not bound to a key: of every issuer, or of those that are named. Default: false. */
  readonly required?: boolean | readonly string[];
  /** Default ES256, Ed25519, EdDSA, PS256. */
  readonly algorithms?: readonly string[];
  /** `required`: each proof must hold a nonce of this gateway (section 9). Default `off`. */
  readonly nonce?: 'off' | 'required';
  /** At least 32 bytes, shared by gateways that accept each other's nonces. Default: one is made at each start. */
  readonly nonceKey?: Uint8Array;
  /** Default 60. */
  readonly proofLifetimeSeconds?: number;
  /** Where used proofs are remembered; whoever made it closes it. Default: this gateway's memory. */
  readonly replay?: ProofReplayStore;
}

/** RFC 7518 section 3.1, RFC 8037, RFC 9864: what may be configured, each asymmetric (RFC 9449 section 4.3, check 5). */
const ASYMMETRIC_ALGORITHMS: readonly string[] = [
  'ES256',
  'ES384',
  'ES512',
  'Ed25519',
  'EdDSA',
  'PS256',
  'PS384',
  'PS512',
  'RS256',
];
const DEFAULT_ALGORITHMS: readonly string[] = ['ES256', 'Ed25519', 'EdDSA', 'PS256'];
/** RFC 9449 section 11.1: "on the order of seconds or minutes". */
const DEFAULT_PROOF_LIFETIME_SECONDS = 60;
const MAX_PROOF_LIFETIME_SECONDS = 300;

export interface DpopRules extends ProofRules {
  /** Tokens of every issuer must be bound. */
  readonly isAlwaysRequired: boolean;
  readonly isDpopRequired: (issuer: string) => boolean;
}

/**
 * Completes the options by their defaults.
 *
 * @param issuers The names of all issuers.
 * @throws {ConfigurationError}
 */
export function dpopRules(options: DpopOptions, issuers: readonly string[]): DpopRules {
  const { algorithms = DEFAULT_ALGORITHMS, required = false, nonce = 'off', nonceKey } = options;
  const { proofLifetimeSeconds = DEFAULT_PROOF_LIFETIME_SECONDS } = options;
  if (algorithms.length === 0 || !algorithms.every((name) => ASYMMETRIC_ALGORITHMS.includes(name)))
    throw new ConfigurationError('dpop.algorithms', `must be some of ${ASYMMETRIC_ALGORITHMS.join(', ')}`);
  if (!(proofLifetimeSeconds >= 1 && proofLifetimeSeconds <= MAX_PROOF_LIFETIME_SECONDS))
    throw new ConfigurationError(
      'dpop.proofLifetimeSeconds',
      `must be from 1 to ${MAX_PROOF_LIFETIME_SECONDS}`,
    );
  if (nonceKey !== undefined && nonceKey.length < MIN_NONCE_KEY_BYTES)
    throw new ConfigurationError('dpop.nonceKey', `must be at least ${MIN_NONCE_KEY_BYTES} bytes`);
  const named = typeof required === 'boolean' ? (required ? issuers : []) : required;
  for (const name of named) {
    // Under a mistaken name the tokens of the issuer that was meant would pass.
    if (!issuers.includes(name))
      throw new ConfigurationError('dpop.required', `${name} is none of the issuers`);
  }
  const bound = new Set(named);
  return {
    algorithms,
    proofLifetimeSeconds,
    nonces: nonce === 'required' ? new DpopNonces(nonceKey) : undefined,
    replay: options.replay ?? new MemoryProofReplayStore(),
    isAlwaysRequired: issuers.every((issuer) => bound.has(issuer)),
    isDpopRequired: (issuer) => bound.has(issuer),
  };
}
