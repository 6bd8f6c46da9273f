import type { DpopOptions } from '../authenticate/dpop/options.js';
import { ConfigurationError } from '../errors.js';
import { MemoryProofReplayStore, PostgresProofReplayStore } from '../proof-replay/index.js';
import type { ProofReplayStore } from '../proof-replay/index.js';
import type { GatewayConfig } from './config.js';

/** Where used proofs are remembered. Whoever opens it closes it. @throws {ConfigurationError} */
export function openReplay({ dpop }: GatewayConfig): ProofReplayStore {
  const maxEntries = dpop?.maxReplayEntries;
  const bound = maxEntries === undefined ? {} : { maxEntries };
  if (dpop?.replay !== 'database') return new MemoryProofReplayStore(bound);
  if (dpop.database === undefined) throw new ConfigurationError('dpop', 'replay: database needs "database"');
  return new PostgresProofReplayStore({ databaseUrl: dpop.database, ...bound });
}

/** The options of the library that the key `dpop` means. */
export function dpopOptions({ dpop = {} }: GatewayConfig, replay: ProofReplayStore): DpopOptions {
  const { required, algorithms, nonce, nonceKey, proofLifetimeSeconds } = dpop;
  return {
    ...(required === undefined ? {} : { required }),
    ...(algorithms === undefined ? {} : { algorithms }),
    ...(nonce === undefined ? {} : { nonce }),
    ...(nonceKey === undefined ? {} : { nonceKey: Buffer.from(nonceKey, 'base64url') }),
    ...(proofLifetimeSeconds === undefined ? {} : { proofLifetimeSeconds }),
    replay,
  };
}
