import { mkdtemp, rm } from 'node:fs/promises';
import { createServer } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { composeSupergraph } from '@behalf/gateway/tools';
import { listen } from '@behalf/http';
import { BENCH_SUBGRAPHS, openSdl, protectedSdl } from '../gateway/schemas.js';
import { startMeasured } from '../harness/child.js';
import type { MeasuredProcess } from '../harness/child.js';
import type { HostileInput } from './inputs.js';
import { projectPath } from '@behalf/example/internal';

export interface HostileAnswer {
  readonly status: number;
  /** Of the first error; `answered` without one. */
  readonly code: string;
  readonly bytes: number;
}

export interface LimitsWorld {
  readonly gateway: MeasuredProcess;
  ask(body: string): Promise<HostileAnswer>;
  close(): Promise<void>;
}

/**
 * A gateway with the default limits, for callers without a token, before subgraphs that know nothing.
 *
 * @param schema `open`: everything is planned. `protected`: nearly everything is denied.
 */
export async function startLimitsWorld(schema: 'open' | 'protected'): Promise<LimitsWorld> {
  const subgraph = createServer((request, response) => {
    request.resume();
    response.setHeader('content-type', 'application/json');
    response.end('{"data":{}}');
  });
  const { origin } = await listen(subgraph, '127.0.0.1', 0);
  const url = `${origin}/`;
  const sdl = schema === 'open' ? openSdl : protectedSdl;
  const folder = await mkdtemp(join(tmpdir(), 'behalf-limits-'));
  const gateway = await startMeasured(
    projectPath('bench/dist/gateway/behalf.js'),
    {
      BENCH_SUPERGRAPH: composeSupergraph(BENCH_SUBGRAPHS.map((name) => ({ name, url, sdl: sdl(name) }))),
      BENCH_SUPERGRAPH_FILE: join(folder, 'supergraph.graphql'),
      BENCH_CONFIG: JSON.stringify({
        listen: { port: 0 },
        supergraph: join(folder, 'supergraph.graphql'),
        issuers: [{ issuer: 'https://login.example', audience: 'https://api.example' }],
        introspection: 'all',
        http: { batch: { maxOperations: 10 } },
      }),
    },
    'any',
  );
  return {
    gateway,
    async ask(body) {
      const response = await fetch(gateway.url, {
        method: 'POST',
        headers: { 'content-type': 'application/json' },
        body,
      });
      const text = await response.text();
      return { status: response.status, code: codeOf(text), bytes: Buffer.byteLength(text) };
    },
    async close() {
      await gateway.stop();
      subgraph.closeAllConnections();
      await new Promise((resolve) => subgraph.close(resolve));
      await rm(folder, { recursive: true, force: true });
    },
  };
}

function codeOf(text: string): string {
  const parsed = JSON.parse(text) as unknown;
  const first = (Array.isArray(parsed) ? parsed[0] : parsed) as {
    error?: string;
    errors?: { extensions?: { code?: string; limit?: string } }[];
  };
  const { code, limit } = first.errors?.[0]?.extensions ?? {};
  return first.error ?? (code === undefined ? 'answered' : limit === undefined ? code : `${code} ${limit}`);
}

/** As a client sends it. */
export function bodyOf({ query, variables, variablesJson }: HostileInput): string {
  const json = variablesJson ?? JSON.stringify(variables ?? {});
  return `{"query":${JSON.stringify(query)},"variables":${json}}`;
}
