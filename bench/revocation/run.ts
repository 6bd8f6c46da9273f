import { execFileSync } from 'node:child_process';
import { benchCatchUp } from './catch-up.js';
import { benchLatency } from './latency.js';
import { startWorld } from './world.js';
import type { World } from './world.js';
import { projectPath } from '@behalf/example/internal';

const GATEWAYS = 3;
const MEMORY_KINDS = ['consent', 'token', 'session', 'subject and client'] as const;

/** Measures how soon a revocation is in force, what many revocations cost in memory, and how soon a new gateway knows them. */
export async function benchRevocation(): Promise<void> {
  await inWorld(GATEWAYS, benchLatency);
  for (const kind of MEMORY_KINDS) {
    execFileSync(process.execPath, ['--expose-gc', projectPath('bench/dist/revocation/memory.js'), kind], {
      stdio: 'inherit',
    });
  }
  // Without gateways: they would read the same backlog at the same time.
  await inWorld(0, benchCatchUp);
}

async function inWorld(gateways: number, measure: (world: World) => Promise<void>): Promise<void> {
  const world = await startWorld(gateways);
  try {
    await measure(world);
  } finally {
    await world.close();
  }
}
