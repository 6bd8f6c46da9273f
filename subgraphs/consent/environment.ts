import type { GatewayTrust } from '@behalf/directives';
import { withoutUndefined } from '@behalf/directives/internal';
import type { ShutdownOptions } from '@behalf/http';
import type { ConsentSubgraphOptions } from './start.js';

type Environment = Readonly<Record<string, string | undefined>>;

/**
 * Reads the options of a consent subgraph that runs as its own process.
 *
 * | variable | meaning |
 * | --- | --- |
 * | `DATABASE_URL` | PostgreSQL with the authority's tables; required |
 * | `AUDIT_DATABASE_URL` | PostgreSQL with the audit log, under the reader's role; default: the log cannot be searched |
 * | `GATEWAY_ISSUER` | `iss` of the gateway's transaction tokens; required |
 * | `GATEWAY_JWKS_URI` | where the gateway's keys are; default: `/.well-known/jwks.json` of the issuer |
 * | `ALLOW_INSECURE_GATEWAY` | `true`: the keys may be at an `http:` address outside of this machine |
 * | `HOST`, `PORT` | the address to listen on; default `127.0.0.1` and 4014 |
 * | `NOT_READY_MS`, `DRAIN_MS` | how it ends on SIGTERM; default 5,000 and 3,000 |
 *
 * @throws Error naming the variable that is missing or unusable
 */
export function readEnvironment(env: Environment): ConsentSubgraphOptions {
  return {
    databaseUrl: required(env, 'DATABASE_URL'),
    auditDatabaseUrl: env.AUDIT_DATABASE_URL === '' ? undefined : env.AUDIT_DATABASE_URL,
    gateway: readGateway(env),
    host: env.HOST,
    port: readPort(env.PORT),
    shutdown: readShutdown(env),
  };
}

/** @throws Error naming the variable that is missing or unusable */
export function readGateway(env: Environment): GatewayTrust {
  const issuer = required(env, 'GATEWAY_ISSUER');
  const { GATEWAY_JWKS_URI, ALLOW_INSECURE_GATEWAY } = env;
  if (![undefined, '', 'true', 'false'].includes(ALLOW_INSECURE_GATEWAY))
    throw new Error('ALLOW_INSECURE_GATEWAY is not true or false');
  return {
    issuer,
    jwksUri: GATEWAY_JWKS_URI ?? new URL('/.well-known/jwks.json', issuer).href,
    allowInsecureGateway: ALLOW_INSECURE_GATEWAY === 'true',
  };
}

/** @throws Error naming the variable that is unusable */
export function readShutdown(env: Environment): ShutdownOptions {
  return withoutUndefined({
    notReadyMs: readMs(env, 'NOT_READY_MS'),
    drainMs: readMs(env, 'DRAIN_MS'),
  });
}

function readMs(env: Environment, name: string): number | undefined {
  const text = env[name];
  if (text === undefined || text === '') return undefined;
  if (!/^\d{1,6}$/.test(text)) throw new Error(`${name} is not a number of milliseconds`);
  return Number(text);
}

function required(env: Environment, name: string): string {
  const value = env[name];
  if (value === undefined || value === '') throw new Error(`${name} is not set`);
  return value;
}

function readPort(text: string | undefined): number | undefined {
  if (text === undefined || text === '') return undefined;
  const port = Number(text);
  if (!Number.isInteger(port) || port < 0 || port > 65_535) throw new Error('PORT is not a port');
  return port;
}
