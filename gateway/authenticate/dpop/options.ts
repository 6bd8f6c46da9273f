import type { ProofReplayStore } from '../../proof-replay/index.js';
import { DpopNonces } from './nonce.js';
import type { ProofRules } from './proof.js';

/** How tokens that are bound to a key are proved (RFC 9449), as it is given. Without any of it the defaults apply. */
export interface DpopOptions {
  /** Refuses tokens that are not bound to a key: of every issuer, or of those that are named. Default false. */
  readonly required?: boolean | readonly string[] | undefined;
  /** Default ES256, Ed25519, EdDSA, PS256. */
  readonly algorithms?: readonly string[] | undefined;
  /** `required`: each proof must hold a nonce of this gateway (section 9). Default `off`. */
  readonly nonce?: 'off' | 'required' | undefined;
  /**
   * At least 32 bytes, or as many in base64url, shared by gateways that accept each other's nonces. Default: made at each start.
   */
  readonly nonceKey?: Uint8Array | string | undefined;
  /** Seconds; at most 300. Default 60. */
  readonly proofLifetimeSeconds?: number | undefined;
  /**
   * Where used proofs are remembered: `memory`, `database` for several gateways, or a store of yours, which whoever made it
   * closes. Default `memory`.
   */
  readonly replay?: 'memory' | 'database' | ProofReplayStore | undefined;
  /** PostgreSQL connection string, with `replay: 'database'`: of the role that can claim and nothing else. */
  readonly database?: string | undefined;
  /** Used proofs of this gateway that are remembered at a time; beyond it, proofs are refused. Default 500,000. */
  readonly maxReplayEntries?: number | undefined;
}

/** The same, complete. */
export interface DpopSettings {
  readonly required: boolean | readonly string[];
  readonly algorithms: readonly string[];
  readonly nonce: 'off' | 'required';
  readonly nonceKey: Uint8Array | undefined;
  readonly proofLifetimeSeconds: number;
  /** `isOwn`: the gateway made the store, and closes it. */
  readonly replay: { readonly store: ProofReplayStore; readonly isOwn: boolean };
}

export interface DpopRules extends ProofRules {
  /** Tokens of every issuer must be bound. */
  readonly isAlwaysRequired: boolean;
  readonly isDpopRequired: (issuer: string) => boolean;
}

/** @param issuers The names of all issuers. */
export function dpopRules(settings: DpopSettings, issuers: readonly string[]): DpopRules {
  const { algorithms, required, nonce, nonceKey, proofLifetimeSeconds, replay } = settings;
  const bound = new Set(typeof required === 'boolean' ? (required ? issuers : []) : required);
  return {
    algorithms,
    proofLifetimeSeconds,
    nonces: nonce === 'required' ? new DpopNonces(nonceKey) : undefined,
    replay: replay.store,
    isAlwaysRequired: issuers.every((issuer) => bound.has(issuer)),
    isDpopRequired: (issuer) => bound.has(issuer),
  };
}
