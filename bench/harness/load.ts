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
  const result = await load(target.url, requests, CONNECTIONS);
  const cpuAfter = await target.cpuMicros();
  const answered = result['2xx'];
  return {
    requestsPerSecond: answered / result.duration,
    cpuMicrosPerRequest: (cpuAfter - cpuBefore) / answered,
  };
}

/** Mean milliseconds from a request to its answer, with so many connections that each ask again at once. */
export async function meanLatencyMs(
  { url }: Pick<MeasuredProcess, 'url'>,
  requests: readonly LoadRequest[],
  connections: number,
): Promise<number> {
  const result = await load(url, requests, connections);
  // autocannon's own mean is of whole milliseconds.
  return (connections * result.duration * 1_000) / result['2xx'];
}

async function load(
  url: string,
  requests: readonly LoadRequest[],
  connections: number,
): Promise<autocannon.Result> {
  const result = await autocannon({
    url,
    connections,
    duration: BURST_SECONDS,
    requests: requests.map(({ body, headers }) => ({
      method: 'POST',
      headers: { 'content-type': 'application/json', ...headers },
      body,
    })),
  });
  if (result.non2xx > 0 || result.errors > 0 || result['2xx'] === 0) {
    throw new Error(
      `${url}: ${result.non2xx} responses were no success, ${result.errors} connections failed`,
    );
  }
  return result;
}

export function median(values: readonly number[]): number {
  const sorted = [...values].sort((a, b) => a - b);
  const middle = Math.floor(sorted.length / 2);
  const upper = sorted[middle] ?? Number.NaN;
  return sorted.length % 2 === 1 ? upper : ((sorted[middle - 1] ?? Number.NaN) + upper) / 2;
}
