import { writeFile } from 'node:fs/promises';
import { checkConfig, silentLog, startGateway } from '@behalf/gateway';
import { runAsChild } from '../harness/child.js';

// Behalf's gateway with everything on: token verification, authorization, transaction tokens, audit in PostgreSQL.
await runAsChild(async () => {
  const { BENCH_SUPERGRAPH = '', BENCH_SUPERGRAPH_FILE = '', BENCH_CONFIG = '{}' } = process.env;
  await writeFile(BENCH_SUPERGRAPH_FILE, BENCH_SUPERGRAPH);
  const config = checkConfig(JSON.parse(BENCH_CONFIG));
  const gateway = await startGateway(config, { log: silentLog });
  return { url: `${gateway.url}/graphql`, close: () => gateway.close() };
});
