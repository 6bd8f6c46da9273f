import { endOnSignals, readGateway, readShutdown } from '@behalf/consent-subgraph/internal';
import { startExampleSubgraph, type SubgraphName } from './start-subgraphs.js';

/**
 * Runs one subgraph as its own process until SIGINT or SIGTERM, configured by the environment:
 *
 * | variable | meaning |
 * | --- | --- |
 * | `DATABASE_URL` | PostgreSQL with the bank's tables; required |
 * | `GATEWAY_ISSUER` | `iss` of the gateway's transaction tokens; required |
 * | `GATEWAY_JWKS_URI` | where the gateway's keys are; default: `/.well-known/jwks.json` of the issuer |
 * | `ALLOW_INSECURE_GATEWAY` | `true`: the keys may be at an `http:` address outside of this machine |
 * | `HOST`, `PORT` | the address to listen on; default `127.0.0.1` and `defaultPort` |
 * | `NOT_READY_MS`, `DRAIN_MS` | how it ends on SIGTERM; default 5,000 and 3,000 |
 * | `PSEUDONYM_KEY` | base64url, at least 32 bytes; required by the accounts subgraph |
 */
export async function runSubgraph(
  name: Exclude<SubgraphName, 'consent'>,
  defaultPort: number,
): Promise<void> {
  const { env } = process;
  const subgraph = await startExampleSubgraph(name, {
    databaseUrl: required('DATABASE_URL'),
    gateway: readGateway(env),
    pseudonymKey: Buffer.from(name === 'accounts' ? required('PSEUDONYM_KEY') : '', 'base64url'),
    host: env.HOST ?? '127.0.0.1',
    port: readPort(env.PORT) ?? defaultPort,
    shutdown: readShutdown(env),
    log: console,
  });
  endOnSignals(subgraph);
  console.log(`${name}: ${subgraph.url}`);
}

function required(name: string): string {
  const value = process.env[name];
  if (value === undefined || value === '') throw new Error(`${name} is not set`);
  return value;
}

function readPort(text: string | undefined): number | undefined {
  if (text === undefined || text === '') return undefined;
  const port = Number(text);
  if (!Number.isInteger(port) || port < 0 || port > 65_535) throw new Error('PORT is not a port');
  return port;
}
