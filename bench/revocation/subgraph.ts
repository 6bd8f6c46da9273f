import { startConsentSubgraph } from '@behalf/consent-subgraph';
import { runAsChild } from '../harness/child.js';
import { GATEWAY_ISSUER } from './names.js';

// The consent subgraph in a process of its own: it reads and revokes people's consents.
await runAsChild(async () => {
  const { BENCH_DATABASE = '', BENCH_GATEWAY_KEYS = '[]' } = process.env;
  return startConsentSubgraph({
    databaseUrl: BENCH_DATABASE,
    gateway: { issuer: GATEWAY_ISSUER, keys: JSON.parse(BENCH_GATEWAY_KEYS) as [] },
    port: 0,
  });
});
