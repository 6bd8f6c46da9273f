import { printTable } from '../harness/table.js';
import { benchFactors } from './factors.js';
import { FAMILIES } from './inputs.js';
import type { Family } from './inputs.js';
import { bodyOf, startLimitsWorld } from './world.js';
import type { HostileAnswer, LimitsWorld } from './world.js';

/** The server reads at most 256 kB; larger bodies are refused unread. */
const MAX_BODY_BYTES = 256 * 1024;
const REPETITIONS = 2;
const WARM_UPS = 60;
const HOSTILE_OPERATIONS = 10_000;
/** Time to replace a worker that was terminated, which must not count for the next request. */
const SETTLE_MS = 300;
/** Operations of one family with sizes around the largest that is accepted, where the costs are highest. */
const SIZES = [1, 2, 3, 4, 6, 8, 10, 12, 14, 16, 20, 25, 30, 40, 50, 70, 100, 140, 200, 300, 450, 700];

const BATCH_OPERATIONS = 10;
const BATCH_SIZES = [5, 12, 40, 100];

interface Measured {
  readonly size: number;
  readonly bytes: number;
  readonly cpuMs: number;
  readonly answer: HostileAnswer;
}

/**
 * Finds the most expensive request under the default limits: every size of each family, up to the largest body that is read.
 * Then measures what many such operations leave in memory, and whether the factors that caches estimate with are large enough.
 */
export async function benchLimits(): Promise<void> {
  for (const schema of ['open', 'protected'] as const) {
    const world = await startLimitsWorld(schema);
    try {
      await benchCost(world, schema);
      await benchMemory(world, schema);
    } finally {
      await world.close();
    }
  }
  benchFactors();
}

let names = 0;
const freshName = (): string => `Q${(names += 1)}x`;

async function benchCost(world: LimitsWorld, schema: string): Promise<void> {
  for (let n = 0; n < WARM_UPS; n += 1)
    await world.ask(bodyOf({ query: `query ${freshName()} { me { id name } }` }));
  const rows: string[][] = [];
  for (const [name, family] of Object.entries(FAMILIES)) {
    const measured = await measureFamily(world, family);
    const dearest = measured.reduce((one, other) => (other.cpuMs > one.cpuMs ? other : one));
    const largest = measured.at(-1) ?? dearest;
    rows.push([name, ...columns(dearest), ...columns(largest)]);
  }
  rows.push(await measureBatches(world));
  console.log(
    `\nCost of one request with the default limits, ${schema} schema: the dearest size, and the largest`,
  );
  const titles = ['input, bytes', 'CPU, ms', 'answer, bytes', 'answer'];
  printTable(['family', ...titles, ...titles], rows);
}

function columns({ bytes, cpuMs, answer }: Measured): string[] {
  return [String(bytes), cpuMs.toFixed(0), String(answer.bytes), `${answer.status} ${answer.code}`];
}

async function measureFamily(world: LimitsWorld, family: Family): Promise<Measured[]> {
  const found: Measured[] = [];
  let size = 0;
  for (let step = 0; ; step += 1) {
    size = SIZES[step] ?? size * 2;
    if (bodyOf(family(size, 'Q')).length > MAX_BODY_BYTES || size > MAX_BODY_BYTES) break;
    let dearest: Measured | undefined;
    for (let repetition = 0; repetition < REPETITIONS; repetition += 1) {
      const measured = await measureOne(world, size, bodyOf(family(size, freshName())));
      if (dearest === undefined || measured.cpuMs > dearest.cpuMs) dearest = measured;
    }
    if (dearest !== undefined) found.push(dearest);
  }
  return found;
}

/** Ten operations of one family in one request: the benchmark's gateway accepts batches. */
async function measureBatches(world: LimitsWorld): Promise<string[]> {
  const found: Measured[] = [];
  for (const family of Object.values(FAMILIES)) {
    for (const size of BATCH_SIZES) {
      const bodies = Array.from({ length: BATCH_OPERATIONS }, () => bodyOf(family(size, freshName())));
      const body = `[${bodies.join(',')}]`;
      if (body.length <= MAX_BODY_BYTES) found.push(await measureOne(world, size, body));
    }
  }
  const dearest = found.reduce((one, other) => (other.cpuMs > one.cpuMs ? other : one));
  const largest = found.reduce((one, other) => (other.bytes > one.bytes ? other : one));
  return ['ten in a batch', ...columns(dearest), ...columns(largest)];
}

async function measureOne(world: LimitsWorld, size: number, body: string): Promise<Measured> {
  const before = await world.gateway.cpuMicros();
  const answer = await world.ask(body);
  const after = await world.gateway.cpuMicros();
  if (answer.code === 'PLANNING_LIMIT_EXCEEDED')
    await new Promise((resolve) => setTimeout(resolve, SETTLE_MS));
  return { size, bytes: Buffer.byteLength(body), cpuMs: (after - before) / 1_000, answer };
}

/** Different texts with the largest accepted sizes, and some that are too large. */
async function benchMemory(world: LimitsWorld, schema: string): Promise<void> {
  const before = await world.gateway.heapBytes();
  const families = Object.values(FAMILIES);
  let sent = 0;
  for (let n = 0; n < HOSTILE_OPERATIONS; n += 1) {
    const family = families[n % families.length];
    if (family === undefined) break;
    const body = bodyOf(family(SIZES[n % SIZES.length] ?? 1, freshName()));
    if (body.length > MAX_BODY_BYTES) continue;
    sent += body.length;
    await world.ask(body);
  }
  const after = await world.gateway.heapBytes();
  const megabytes = (bytes: number): string => (bytes / 1024 ** 2).toFixed(0);
  console.log(
    `\nMemory, ${schema} schema: ${megabytes(before)} MB before and ${megabytes(after)} MB after ` +
      `${HOSTILE_OPERATIONS} distinct hostile operations (${megabytes(sent)} MB of text)`,
  );
}
