import { assertAnswered } from '../gateway/answered.js';
import { startIssuer } from '../gateway/issuer.js';
import { ALL_SCOPES, OPERATIONS } from '../gateway/operations.js';
import { startProtectedWorld } from '../gateway/world.js';
import type { MeasuredProcess } from '../harness/child.js';
import { median, meanLatencyMs } from '../harness/load.js';
import { printTable } from '../harness/table.js';

const CONNECTIONS = [1, 10, 100];
const ROUNDS = 5;
const [[NAME, QUERY]] = Object.entries(OPERATIONS) as [[string, string]];

/** What waiting for durability adds to a request: the same gateway with the log off and with mode `required`, in turn. */
export async function benchLatency(writerUrl: string, folder: string): Promise<void> {
  const issuer = await startIssuer();
  const world = await startProtectedWorld(issuer, folder);
  const off = await world.startGateway({ mode: 'off' });
  const required = await world.startGateway({ mode: 'required', database: writerUrl });
  try {
    const requests = (await issuer.tokens(ALL_SCOPES)).map((token) => ({
      body: JSON.stringify({ query: QUERY }),
      headers: { authorization: `Bearer ${token}` },
    }));
    for (const { url } of [off, required]) await assertAnswered(url, requests, false);
    const measured = async (gateway: MeasuredProcess, connections: number): Promise<number> =>
      meanLatencyMs(gateway, requests, connections);
    for (const gateway of [off, required, off, required]) await measured(gateway, 10);
    const rows: string[][] = [];
    for (const connections of CONNECTIONS) {
      const times: { off: number; required: number }[] = [];
      for (let round = 0; round < ROUNDS; round += 1)
        times.push({
          off: await measured(off, connections),
          required: await measured(required, connections),
        });
      rows.push([
        String(connections),
        median(times.map((each) => each.off)).toFixed(2),
        median(times.map((each) => each.required)).toFixed(2),
        median(times.map((each) => each.required / each.off)).toFixed(2),
      ]);
    }
    console.log(`\nLatency of ${NAME}, mean ms of ${ROUNDS} rounds, and median of their ratios`);
    printTable(['concurrent requests', 'audit off', 'required', 'ratio'], rows);
  } finally {
    await off.stop();
    await required.stop();
    await world.close();
    await issuer.close();
  }
}
