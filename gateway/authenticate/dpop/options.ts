import type { Clock } from '@behalf/directives';
import type { ProofReplayStore } from '../../proof-replay/index.js';
import { DpopNonces } from './nonce.js';
import type { ProofRules } from './proof.js';

/** How DPoP-bound tokens are proved (RFC 9449), as configured. Defaults apply to everything left out. */
export interface DpopOptions {
  /** Refuses tokens that are not bound to a key: of every issuer, or of the named ones. Default false. */
  readonly required?: boolean | readonly string[] | undefined;
  /** Default ES256, Ed25519, EdDSA, PS256. */
  readonly algorithms?: readonly string[] | undefined;
  /** `required`: each proof must hold a nonce of this gateway (section 9). Default `off`. */
  readonly nonce?: 'off' | 'required' | undefined;
  /**
   * At least 32 bytes, or as many in base64url, shared by gateways that accept each other's nonces. Default: generated at each
   * start.
   */
  readonly nonceKey?: Uint8Array | string | undefined;
  /** Seconds; at most 300. Default 60. */
  readonly proofLifetimeSeconds?: number | undefined;
  /**
   * Where used proofs are remembered: `memory`, `database` for several gateways, or a custom store, which its creator closes.
   * Default `memory`.
   */
  readonly replay?: 'memory' | 'database' | ProofReplayStore | undefined;
  /** PostgreSQL connection string for `replay: 'database'`, with the role that can only claim. */
  readonly database?: string | undefined;
  /** Used proofs that this gateway remembers at a time; beyond it, proofs are refused. Default 500,000. */
  readonly maxReplayEntries?: number | undefined;
}

/** The same, complete. */
export interface DpopSettings {
  readonly required: boolean | readonly string[];
  readonly algorithms: readonly string[];
  readonly nonce: 'off' | 'required';
  readonly nonceKey: Uint8Array | undefined;
  readonly proofLifetimeSeconds: number;
  /** `isOwn`: the gateway created the store, and closes it. */
  readonly replay: { readonly store: ProofReplayStore; readonly isOwn: boolean };
}

export interface DpopRules extends ProofRules {
  /** Whether every issuer's tokens must be bound. */
  readonly isAlwaysRequired: boolean;
  readonly isDpopRequired: (issuer: string) => boolean;
}

/** @param issuers the names of all issuers */
export function dpopRules(settings: DpopSettings, issuers: readonly string[], clock: Clock): DpopRules {
  const { algorithms, required, nonce, nonceKey, proofLifetimeSeconds, replay } = settings;
  const bound = new Set(typeof required === 'boolean' ? (required ? issuers : []) : required);
  return {
    algorithms,
    proofLifetimeSeconds,
    nonces: nonce === 'required' ? new DpopNonces(nonceKey, clock) : undefined,
    replay: replay.store,
    clock,
    isAlwaysRequired: issuers.every((issuer) => bound.has(issuer)),
    isDpopRequired: (issuer) => bound.has(issuer),
  };
}
