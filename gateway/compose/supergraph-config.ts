import { readFile } from 'node:fs/promises';
import { dirname, isAbsolute, join } from 'node:path';
import { parse as parseYaml, YAMLParseError } from 'yaml';
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
 * @throws {ComposeError} `COMPOSE_CONFIGURATION`, `COMPOSE_SCHEMA_UNREADABLE`
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
  const config = asRecord(await readYaml(configFile), '', configFile);
  allowKeys(config, ['federation_version', 'subgraphs'], '', configFile);
  const subgraphs = asRecord(config.subgraphs, 'subgraphs', configFile);
  return Promise.all(
    Object.entries(subgraphs).map(async ([name, value]) => {
      const path = `subgraphs.${name}`;
      const subgraph = asRecord(value, path, configFile);
      allowKeys(subgraph, ['routing_url', 'schema'], path, configFile);
      const schema = asRecord(subgraph.schema, `${path}.schema`, configFile);
      allowKeys(schema, ['file', 'subgraph_url'], `${path}.schema`, configFile);
      const { routing_url: url } = subgraph;
      if (typeof url !== 'string') throw configError(configFile, `${path}.routing_url`, 'must be an address');
      if (typeof schema.file === 'string') {
        const file = isAbsolute(schema.file) ? schema.file : join(dirname(configFile), schema.file);
        return { name, url, file, sdl: await readSchemaFile(name, file) };
      }
      if (typeof schema.subgraph_url === 'string')
        return { name, url, sdl: await fetchSdl(name, schema.subgraph_url) };
      throw configError(configFile, `${path}.schema`, 'needs "file" or "subgraph_url"');
    }),
  );
}

async function readYaml(file: string): Promise<unknown> {
  try {
    return parseYaml(await readFile(file, 'utf8'));
  } catch (error) {
    if (error instanceof YAMLParseError) throw configError(file, '', error.message);
    throw configError(file, '', `cannot be read (${systemCode(error)})`);
  }
}

async function readSchemaFile(name: string, file: string): Promise<string> {
  try {
    return await readFile(file, 'utf8');
  } catch (error) {
    throw new ComposeError(
      'COMPOSE_SCHEMA_UNREADABLE',
      `[${name}] ${file} cannot be read (${systemCode(error)})`,
    );
  }
}

const FETCH_TIMEOUT_MS = 10_000;

async function fetchSdl(name: string, url: string): Promise<string> {
  const failed = (reason: string): ComposeError =>
    new ComposeError('COMPOSE_SCHEMA_UNREADABLE', `[${name}] ${url}: ${reason}`);
  let body: unknown;
  try {
    const response = await fetch(url, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify({ query: '{ _service { sdl } }' }),
      signal: AbortSignal.timeout(FETCH_TIMEOUT_MS),
    });
    body = await response.json();
  } catch (error) {
    throw failed(error instanceof Error ? error.message : 'no answer');
  }
  const sdl = (body as { data?: { _service?: { sdl?: unknown } } } | null)?.data?._service?.sdl;
  if (typeof sdl !== 'string') throw failed('the answer has no SDL');
  return sdl;
}

function asRecord(value: unknown, path: string, file: string): Record<string, unknown> {
  if (typeof value === 'object' && value !== null && !Array.isArray(value))
    return value as Record<string, unknown>;
  throw configError(file, path, 'must be a mapping');
}

function allowKeys(
  value: Record<string, unknown>,
  keys: readonly string[],
  path: string,
  file: string,
): void {
  for (const key of Object.keys(value)) {
    if (!keys.includes(key)) throw configError(file, path === '' ? key : `${path}.${key}`, 'is not known');
  }
}

function configError(file: string, path: string, reason: string): ComposeError {
  return new ComposeError('COMPOSE_CONFIGURATION', `${file}${path === '' ? '' : `: ${path}`}: ${reason}`);
}

function systemCode(error: unknown): string {
  return error instanceof Error && 'code' in error ? String(error.code) : 'unknown';
}
