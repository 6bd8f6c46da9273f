import autocannon from 'autocannon';
import type { MeasuredProcess } from './child.js';

export interface BurstResult {
  readonly requestsPerSecond: number;
  readonly cpuMicrosPerRequest: number;
}

export interface LoadRequest {
  readonly body: string;
  readonly headers: Readonly<Record<string, string>>;
}

const CONNECTIONS = 10;
const BURST_SECONDS = 2;
/** A young process still compiles during its first thousands of requests: it is warm when two bursts take equally long. */
const MAX_WARM_UP_BURSTS = 15;
const AGREEMENT = 0.05;

/** Warms the process up, then measures. */
export async function measure(
  target: MeasuredProcess,
  requests: readonly LoadRequest[],
  bursts: number,
): Promise<BurstResult[]> {
  let before = await burst(target, requests);
  for (let count = 0; count < MAX_WARM_UP_BURSTS; count += 1) {
    const after = await burst(target, requests);
    const change = Math.abs(after.cpuMicrosPerRequest / before.cpuMicrosPerRequest - 1);
    before = after;
    if (change < AGREEMENT) break;
  }
  const results: BurstResult[] = [];
  for (let count = 0; count < bursts; count += 1) results.push(await burst(target, requests));
  return results;
}

async function burst(target: MeasuredProcess, requests: readonly LoadRequest[]): Promise<BurstResult> {
  const cpuBefore = await target.cpuMicros();
  const result = await autocannon({
    url: target.url,
    connections: CONNECTIONS,
    duration: BURST_SECONDS,
    requests: requests.map(({ body, headers }) => ({
      method: 'POST',
      headers: { 'content-type': 'application/json', ...headers },
      body,
    })),
  });
  const cpuAfter = await target.cpuMicros();
  const answered = result['2xx'];
  if (result.non2xx > 0 || result.errors > 0 || answered === 0) {
    throw new Error(
      `${target.url}: ${result.non2xx} responses were no success, ${result.errors} connections failed`,
    );
  }
  return {
    requestsPerSecond: answered / result.duration,
    cpuMicrosPerRequest: (cpuAfter - cpuBefore) / answered,
  };
}

export function median(values: readonly number[]): number {
  const sorted = [...values].sort((a, b) => a - b);
  const middle = Math.floor(sorted.length / 2);
  const upper = sorted[middle] ?? Number.NaN;
  return sorted.length % 2 === 1 ? upper : ((sorted[middle - 1] ?? Number.NaN) + upper) / 2;
}
