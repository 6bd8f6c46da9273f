import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { composeSupergraph } from '../../gateway/compose/compose.js';
import type { GatewayConfig, GatewayLog, GatewayOverrides, RunningGateway } from '../../gateway/index.js';
import { startServer } from '../../gateway/server.js';
import type { ServerInternals } from '../../gateway/server.js';
import { send } from './support/http.js';
import type { Answer, Cleanup, Headers } from './support/http.js';
import type { TestSubgraph } from './support/subgraph.js';

export { freePort } from '../../subgraphs/bank/start/free-port.js';
export * from './support/http.js';
export * from './support/issuer.js';
export * from './support/memory-sink.js';
export * from './support/subgraph.js';
export { until } from '../support/wait.js';

/** The challenge for a caller without credentials: both schemes, and no error (RFC 6750 section 3). */
export const BOTH_SCHEMES =
  /^Bearer(?: resource_metadata="[^"]+")?, DPoP algs="[^"]+"(?:, resource_metadata="[^"]+")?$/;

/** Supergraphs by their schemas. Composition takes a tenth of a second, and test files share this module. */
const composed = new Map<string, string>();

export function compose(...subgraphs: readonly Pick<TestSubgraph, 'name' | 'sdl' | 'url'>[]): string {
  const named = subgraphs.map(({ name, sdl }) => ({ name, url: `http://${name}.invalid`, sdl }));
  const key = JSON.stringify(named);
  const supergraph = composed.get(key) ?? composeSupergraph(named);
  composed.set(key, supergraph);
  return subgraphs.reduce(
    (text, { name, url }) => text.replaceAll(`"http://${name}.invalid"`, `"${url}"`),
    supergraph,
  );
}

export interface Logged {
  readonly level: string;
  readonly code: string;
  readonly facts: Readonly<Record<string, string | number | boolean>>;
}

export class TestLog implements GatewayLog {
  readonly entries: Logged[] = [];

  log(level: string, code: string, facts: Readonly<Record<string, string | number | boolean>> = {}): void {
    this.entries.push({ level, code, facts });
  }

  codes(): string[] {
    return this.entries.map(({ code }) => code);
  }

  /** Facts of every log entry with this code. */
  of(code: string): Readonly<Record<string, string | number | boolean>>[] {
    return this.entries.filter((entry) => entry.code === code).map(({ facts }) => facts);
  }

  get text(): string {
    return JSON.stringify(this.entries);
  }
}

export interface Asking {
  readonly token?: string | undefined;
  readonly variables?: Readonly<Record<string, unknown>>;
  readonly operationName?: string;
  readonly headers?: Headers;
}

export function ask(url: string, query: string, { token, headers, ...more }: Asking = {}): Promise<Answer> {
  return send(url, JSON.stringify({ query, ...more }), {
    'content-type': 'application/json',
    ...(token === undefined ? {} : { authorization: `Bearer ${token}` }),
    ...headers,
  });
}

/** Codes of an answer's errors. */
export function codes(answer: Answer): unknown[] {
  return (answer.body.errors ?? []).map(({ extensions }) => extensions?.code);
}

export interface TestGateway {
  readonly url: string;
  readonly running: RunningGateway;
  readonly log: TestLog;
  readonly supergraphFile: string;
  ask(query: string, asking?: Asking): Promise<Answer>;
  /** Replaces the supergraph file and reloads it. */
  update(sdl: string): Promise<void>;
}

/** Plans operations in this thread unless `planInWorker` is true, because the planner's thread takes long to start. */
export async function startTestGateway(
  cleanup: Cleanup,
  supergraph: string,
  config: Omit<Partial<GatewayConfig>, 'issuers'> & Pick<GatewayConfig, 'issuers'>,
  { planInWorker = false, ...overrides }: GatewayOverrides & ServerInternals = {},
): Promise<TestGateway> {
  const folder = await mkdtemp(join(tmpdir(), 'behalf-gateway-'));
  cleanup.add(() => rm(folder, { recursive: true, force: true }));
  const supergraphFile = join(folder, 'supergraph.graphql');
  await writeFile(supergraphFile, supergraph);
  const log = new TestLog();
  const running = await startServer(
    { listen: { port: 0 }, supergraph: supergraphFile, ...config },
    { log, ...overrides },
    { planInWorker },
  );
  cleanup.add(() => running.close());
  const url = `${running.url}/graphql`;
  return {
    url: running.url,
    running,
    log,
    supergraphFile,
    ask: (query, asking) => ask(url, query, asking),
    async update(sdl) {
      await writeFile(supergraphFile, sdl);
      await running.reload();
    },
  };
}
