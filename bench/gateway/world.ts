import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { calculateJwkThumbprint, exportJWK, generateKeyPair } from 'jose';
import { composeSupergraph } from '@behalf/gateway/tools';
import { projectPath } from '@behalf/example/internal';
import { startMeasured } from '../harness/child.js';
import type { MeasuredProcess } from '../harness/child.js';
import { AUDIENCE } from './issuer.js';
import type { BenchIssuer } from './issuer.js';
import { benchPolicy } from './policy.js';
import { BENCH_SUBGRAPHS, protectedSdl } from './schemas.js';
import { startBenchSubgraphs } from './subgraphs.js';

const GATEWAY_ISSUER = 'http://gateway.bench';

/** Protected subgraphs, and gateways before them. */
export interface ProtectedWorld {
  /** Starts a gateway with this audit log. */
  readonly startGateway: (audit: object) => Promise<MeasuredProcess>;
  readonly close: () => Promise<void>;
}

/** @param folder of the gateways' files */
export async function startProtectedWorld(issuer: BenchIssuer, folder: string): Promise<ProtectedWorld> {
  const supergraphFile = join(folder, 'supergraph.graphql');
  // The gateway is given a key that the subgraphs trust, so neither has to be started first.
  const { privateKey, publicKey } = await generateKeyPair('Ed25519', { extractable: true });
  const keyFile = `${supergraphFile}.key.json`;
  await writeFile(keyFile, JSON.stringify(await exportJWK(privateKey)));
  const publicJwk = await exportJWK(publicKey);
  const subgraphs = await startBenchSubgraphs({
    issuer: GATEWAY_ISSUER,
    keys: [{ ...publicJwk, alg: 'EdDSA', kid: await calculateJwkThumbprint(publicJwk) }],
  });
  const supergraph = composeSupergraph(
    BENCH_SUBGRAPHS.map((name) => ({ name, url: subgraphs.urls[name] ?? '', sdl: protectedSdl(name) })),
  );
  const policyFile = `${supergraphFile}.policy.json`;
  await writeFile(policyFile, benchPolicy(supergraph));
  const config = {
    listen: { port: 0 },
    supergraph: supergraphFile,
    policy: policyFile,
    issuers: [{ issuer: issuer.url, audience: AUDIENCE }],
    authorization: { coverage: 'required' },
    propagation: { issuer: GATEWAY_ISSUER, keyFile },
  };
  return {
    startGateway: (audit) =>
      startMeasured(projectPath('bench/dist/gateway/behalf.js'), {
        BENCH_SUPERGRAPH: supergraph,
        BENCH_SUPERGRAPH_FILE: supergraphFile,
        BENCH_CONFIG: JSON.stringify({ ...config, audit }),
      }),
    close: () => subgraphs.close(),
  };
}
