import { type SubgraphName, startExampleSubgraph } from './example.js';

/**
 * Runs one subgraph as its own process until SIGINT or SIGTERM, configured by the environment:
 *
 * | variable | |
 * | --- | --- |
 * | `DATABASE_URL` | PostgreSQL with the bank's and the authority's tables |
 * | `GATEWAY_ISSUER` | `iss` of the gateway's transaction tokens |
 * | `GATEWAY_JWKS_URI` | where its keys are; default `/.well-known/jwks.json` of the issuer |
 * | `HOST`, `PORT` | default `127.0.0.1` and the given port |
 * | `PSEUDONYM_KEY` | base64url, at least 32 bytes; the accounts subgraph needs it |
 */
export async function runSubgraph(name: SubgraphName, defaultPort: number): Promise<void> {
  const { env } = process;
  const issuer = needed('GATEWAY_ISSUER');
  const subgraph = await startExampleSubgraph(name, {
    databaseUrl: needed('DATABASE_URL'),
    gateway: { issuer, jwksUri: env.GATEWAY_JWKS_URI ?? new URL('/.well-known/jwks.json', issuer).href },
    pseudonymKey: Buffer.from(name === 'accounts' ? needed('PSEUDONYM_KEY') : '', 'base64url'),
    host: env.HOST ?? '127.0.0.1',
    port: readPort(env.PORT) ?? defaultPort,
    log: console,
  });
  console.log(`${name}: ${subgraph.url}`);
  let isClosing = false;
  for (const signal of ['SIGINT', 'SIGTERM'] as const) {
    process.on(signal, () => {
      if (isClosing) return;
      isClosing = true;
      subgraph.close().catch((error: unknown) => {
        console.error(error instanceof Error ? error.message : 'The subgraph did not close');
        process.exitCode = 1;
      });
    });
  }
}

function needed(name: string): string {
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
