import { once } from 'node:events';
import type { Clock } from '@behalf/directives';
import { every, systemClock } from '@behalf/directives/internal';
import type { RateLimiterAbstract } from 'rate-limiter-flexible';
import { RateLimiterPostgres, RateLimiterRedis } from 'rate-limiter-flexible';
import { ConfigurationError } from '../errors.js';
import { importOptional } from '../import-optional.js';
import type { GatewayLog } from '../log.js';
import { MemoryRateCounters } from './rate-counters.js';
import type { RateCounters } from './rate-counters.js';
import { MAX_STORE_WAIT_MS, SharedRateCounters } from './shared-counters.js';
import type { CounterStore } from './shared-counters.js';

const PATH = 'limits.store';
/** Each request holds one for about a millisecond. */
const MAX_CONNECTIONS = 4;
const CLEAR_EXPIRED_EVERY_MS = 60_000;
const MAX_RECONNECT_MS = 2_000;
const POSTGRES_SCHEMA = 'limits';
const POSTGRES_TABLE = 'counter';
/** So few at a time that the statement ends within its time limit. */
const CLEAR_EXPIRED = `delete from ${POSTGRES_SCHEMA}.${POSTGRES_TABLE} where key in (
  select key from ${POSTGRES_SCHEMA}.${POSTGRES_TABLE} where expire < $1 limit 5000 for update skip locked)`;

/**
 * The counters that the key `limits.store` names: `memory`, or the address of a PostgreSQL, Redis or Valkey. An unreachable
 * store is not an error: the gateway tries it again while it runs.
 *
 * @throws {ConfigurationError} for an unreadable address
 */
export function makeRateCounters(
  store: string | undefined,
  log: GatewayLog,
  clock: Clock = systemClock,
): RateCounters {
  if (store === undefined || store === 'memory') return new MemoryRateCounters();
  const { protocol, hostname, pathname } = URL.canParse(store) ? new URL(store) : new URL('none:');
  switch (protocol) {
    case 'postgres:':
    case 'postgresql:':
      return new SharedRateCounters(() => openPostgres(store, clock), log, clock);
    case 'redis:':
    case 'rediss:':
    case 'valkey:':
    case 'valkeys:':
      if (hostname === '')
        throw new ConfigurationError(PATH, 'must name a host, as in redis://redis.internal:6379');
      if (!/^\/?\d*$/.test(pathname))
        throw new ConfigurationError(
          PATH,
          'must end with the number of a database, as in redis://redis.internal/1',
        );
      // Valkey uses Redis' protocol, and the driver only knows that scheme.
      return new SharedRateCounters(() => openRedis(store.replace(/^valkey/, 'redis'), clock), log, clock);
    default:
      // The address may contain a password, so it is not repeated.
      throw new ConfigurationError(
        PATH,
        'must be memory, or begin with postgres://, redis://, rediss:// or valkey://',
      );
  }
}

/** The table exists already (see docs/how-to/gateway.md), so the role needs no right to create one. */
async function openPostgres(connectionString: string, clock: Clock): Promise<CounterStore> {
  const { default: pg } = await importOptional(PATH, 'pg', () => import('pg'));
  const pool = new pg.Pool({
    connectionString,
    max: MAX_CONNECTIONS,
    application_name: 'behalf-limits',
    connectionTimeoutMillis: MAX_STORE_WAIT_MS,
    query_timeout: MAX_STORE_WAIT_MS,
    statement_timeout: MAX_STORE_WAIT_MS,
    lock_timeout: MAX_STORE_WAIT_MS,
    idle_in_transaction_session_timeout: MAX_STORE_WAIT_MS,
  });
  // The next request replaces a connection that broke while idle, and reports if it cannot.
  pool.on('error', () => undefined);
  const stopClearing = every(clock, CLEAR_EXPIRED_EVERY_MS, () => {
    // Rows that cannot be cleared now are cleared next time, or by another gateway.
    pool.query(CLEAR_EXPIRED, [clock.now()]).catch(() => undefined);
  });
  return {
    limiter: ({ requests, perSeconds }, keyPrefix): RateLimiterAbstract =>
      new RateLimiterPostgres({
        storeClient: pool,
        storeType: 'pool',
        schemaName: POSTGRES_SCHEMA,
        tableName: POSTGRES_TABLE,
        tableCreated: true,
        // The library's own timer cannot be stopped.
        clearExpiredByTimeout: false,
        keyPrefix,
        points: requests,
        duration: perSeconds,
      }),
    async close() {
      stopClearing();
      await pool.end();
    },
  };
}

async function openRedis(url: string, clock: Clock): Promise<CounterStore> {
  const { Redis } = await importOptional(PATH, 'ioredis', () => import('ioredis'));
  const client = new Redis(url, {
    // A command that cannot be sent now fails now, and this gateway counts by itself.
    enableOfflineQueue: false,
    maxRetriesPerRequest: 0,
    connectTimeout: MAX_STORE_WAIT_MS,
    commandTimeout: MAX_STORE_WAIT_MS,
    retryStrategy: (attempt) => Math.min(attempt * 100, MAX_RECONNECT_MS),
  });
  // The counting request learns of it. A connection that becomes ready without an error has signed in and chosen its database.
  let failure: Error | undefined;
  let hasFailed = false;
  client.on('error', (error: Error) => {
    failure = error;
    hasFailed = true;
  });
  client.on('connect', () => (hasFailed = false));
  client.on('ready', () => {
    if (!hasFailed) failure = undefined;
  });
  // So that the first requests are counted there, if it is reachable.
  await Promise.race([
    once(client, 'ready').catch(() => undefined),
    new Promise<void>((resolve) => clock.after(MAX_STORE_WAIT_MS, resolve)),
  ]);
  return {
    limiter: ({ requests, perSeconds }, keyPrefix): RateLimiterAbstract =>
      new RateLimiterRedis({
        storeClient: client,
        keyPrefix,
        points: requests,
        duration: perSeconds,
        rejectIfRedisNotReady: true,
      }),
    failure: () => failure,
    close: async () => client.disconnect(),
  };
}
