import type { DpopOptions } from '../authenticate/dpop/options.js';
import { ConfigurationError } from '../errors.js';
import { MemoryReplayStore, PostgresReplayStore } from '../replay/index.js';
import type { ReplayStore } from '../replay/index.js';
import type { GatewayConfig } from './config.js';

/** Where used proofs are remembered. Whoever opens it closes it. @throws {ConfigurationError} */
export async function openReplay({ dpop }: GatewayConfig): Promise<ReplayStore> {
  const maxEntries = dpop?.maxReplayEntries;
  const bound = maxEntries === undefined ? {} : { maxEntries };
  if (dpop?.replay !== 'database') return new MemoryReplayStore(bound);
  if (dpop.database === undefined) throw new ConfigurationError('dpop', 'replay: database needs "database"');
  return PostgresReplayStore.open({ databaseUrl: dpop.database, ...bound });
}

/** The options of the library that the key `dpop` means. */
export function dpopOptions({ dpop = {} }: GatewayConfig, replay: ReplayStore): DpopOptions {
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
