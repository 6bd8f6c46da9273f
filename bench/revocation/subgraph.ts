import { startExampleSubgraph } from '@behalf/example';
import { runAsChild } from '../harness/child.js';
import { GATEWAY_ISSUER } from './names.js';

// The consent subgraph, alone in its process: it reads people's consents, and ends them.
await runAsChild(async () => {
  const { BENCH_DATABASE = '', BENCH_GATEWAY_KEYS = '[]' } = process.env;
  return startExampleSubgraph('consent', {
    databaseUrl: BENCH_DATABASE,
    gateway: { issuer: GATEWAY_ISSUER, keys: JSON.parse(BENCH_GATEWAY_KEYS) as [] },
    pseudonymKey: new Uint8Array(32),
    host: '127.0.0.1',
    port: 0,
  });
});
