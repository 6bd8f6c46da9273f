import { dirname, isAbsolute, join } from 'node:path';
import { isRecord, keyPath, nearest } from '@behalf/directives/internal';
import { parseYamlFile, readTextFile, requireKeys } from '@behalf/policy/internal';
import { networkReason } from '../http/network-reason.js';
import { checkFile } from '../inspect/check-input.js';
import { ComposeError } from './errors.js';

/** A subgraph to be composed, see {@link composeSupergraph}. */
export interface SubgraphSource {
  readonly name: string;
  /** The address by which the gateway reaches it. */
  readonly url: string;
  readonly sdl: string;
  /** Where it was read, when that was a file. */
  readonly file?: string;
}

/**
 * Reads rover's `supergraph.yaml` and the schemas that it names, from files or from running subgraphs.
 *
 * @param configFile Paths in it are relative to its folder.
 * @throws {ConfigurationError} for an argument that cannot be used, with its path
 * @throws {ComposeError} `FILE_UNREADABLE`, `COMPOSE_CONFIGURATION`, `COMPOSE_SCHEMA_UNREADABLE`
 *
 * @example
 * ```ts
 * import { composeSupergraph, readSupergraphConfig } from '@behalf/gateway/tools';
 *
 * const subgraphs = await readSupergraphConfig('supergraph.yaml');
 * const supergraphSdl = composeSupergraph(subgraphs);
 * ```
 */
export async function readSupergraphConfig(configFile: string): Promise<SubgraphSource[]> {
  checkFile('configFile', configFile);
  const text = await readTextFile(configFile, (problem) => new ComposeError('FILE_UNREADABLE', problem), {
    allowPipes: true,
  });
  const refuse = (problem: string): Error => new ComposeError('COMPOSE_CONFIGURATION', problem);
  const config = requireKeys(parseYamlFile(text, configFile, refuse), configFile, refuse);
  allowKeys(config, ['federation_version', 'subgraphs'], '', configFile);
  const subgraphs = asRecord(config.subgraphs, 'subgraphs', configFile);
  return Promise.all(
    Object.entries(subgraphs).map(async ([name, value]) => {
      const path = keyPath('subgraphs', name);
      const subgraph = asRecord(value, path, configFile);
      allowKeys(subgraph, ['routing_url', 'schema'], path, configFile);
      const schema = asRecord(subgraph.schema, `${path}.schema`, configFile);
      allowKeys(schema, ['file', 'subgraph_url'], `${path}.schema`, configFile);
      const { routing_url: url } = subgraph;
      if (typeof url !== 'string')
        throw configError(
          configFile,
          `${path}.routing_url`,
          'must be a string: the address at which the gateway reaches the subgraph',
        );
      if (typeof schema.file === 'string') {
        const file = isAbsolute(schema.file) ? schema.file : join(dirname(configFile), schema.file);
        return { name, url, file, sdl: await readSchemaFile(name, file) };
      }
      if (typeof schema.subgraph_url === 'string')
        return { name, url, sdl: await fetchSdl(name, schema.subgraph_url) };
      throw configError(configFile, `${path}.schema`, 'needs file or subgraph_url');
    }),
  );
}

async function readSchemaFile(name: string, file: string): Promise<string> {
  return readTextFile(file, (problem) => new ComposeError('FILE_UNREADABLE', `[${name}] ${problem}`), {
    allowPipes: true,
  });
}

const FETCH_TIMEOUT_MS = 10_000;

async function fetchSdl(name: string, url: string): Promise<string> {
  const failed = (reason: string): ComposeError =>
    new ComposeError('COMPOSE_SCHEMA_UNREADABLE', `[${name}] ${url}: ${reason}`);
  let body: unknown;
  let status: number | undefined;
  try {
    const response = await fetch(url, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify({ query: '{ _service { sdl } }' }),
      signal: AbortSignal.timeout(FETCH_TIMEOUT_MS),
    });
    ({ status } = response);
    body = await response.json();
  } catch (error) {
    throw failed(
      error instanceof SyntaxError ? `the answer is not JSON (HTTP status ${status})` : networkReason(error),
    );
  }
  const sdl = (body as { data?: { _service?: { sdl?: unknown } } } | null)?.data?._service?.sdl;
  if (typeof sdl !== 'string') throw failed('the answer has no SDL');
  return sdl;
}

function asRecord(value: unknown, path: string, file: string): Readonly<Record<string, unknown>> {
  if (isRecord(value)) return value;
  throw configError(file, path, value === undefined ? 'is missing' : 'must be an object');
}

function allowKeys(
  value: Readonly<Record<string, unknown>>,
  keys: readonly string[],
  path: string,
  file: string,
): void {
  for (const key of Object.keys(value)) {
    if (keys.includes(key)) continue;
    const meant = nearest(key, keys);
    const suggestion = meant === undefined ? '' : `; did you mean ${meant}?`;
    throw configError(file, path === '' ? key : `${path}.${key}`, `is not a known key${suggestion}`);
  }
}

function configError(file: string, path: string, reason: string): ComposeError {
  return new ComposeError('COMPOSE_CONFIGURATION', `${file}${path === '' ? '' : `: ${path}`}: ${reason}`);
}
