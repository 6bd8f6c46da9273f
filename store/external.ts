import pg from 'pg';

import { StoreError } from './errors.js';
import { timeoutSettings } from './timeouts.js';

const MIN_MAJOR_VERSION = 15;

/**
 * Checks that a PostgreSQL answers at the URL and is new enough.
 *
 * @throws StoreError `DATABASE_UNREACHABLE`, `DATABASE_VERSION`; the message names the host, never the password
 *
 * @example
 * ```ts
 * import { checkDatabase } from '@behalf/store';
 *
 * await checkDatabase('postgres://behalf@db.example/behalf');
 * ```
 */
export async function checkDatabase(url: string): Promise<void> {
  const { client, where } = open(url);
  client.on('error', () => undefined);
  let version: number;
  try {
    await client.connect();
    const { rows } = await client.query<{ server_version_num: string }>('show server_version_num');
    version = Math.floor(Number(rows[0]?.server_version_num) / 10_000);
  } catch (cause) {
    const reason = reasonOf(cause);
    throw new StoreError('DATABASE_UNREACHABLE', `The database at ${where} cannot be used: ${reason}`, {
      cause,
    });
  } finally {
    await client.end().catch(() => undefined);
  }
  if (!(version >= MIN_MAJOR_VERSION)) {
    throw new StoreError(
      'DATABASE_VERSION',
      `The database at ${where} is PostgreSQL ${version}; Behalf needs ${MIN_MAJOR_VERSION} or newer`,
    );
  }
}

function reasonOf(cause: unknown): string {
  if (!(cause instanceof Error)) return 'no answer';
  // A host name with several addresses fails with an `AggregateError`, whose message is empty.
  const code: unknown = 'code' in cause ? cause.code : undefined;
  return cause.message || (typeof code === 'string' ? code : cause.name);
}

function open(url: string): { client: pg.Client; where: string } {
  try {
    const { protocol } = new URL(url);
    if (protocol !== 'postgres:' && protocol !== 'postgresql:') throw new TypeError('not a postgres: URL');
    const client = new pg.Client({
      connectionString: url,
      connectionTimeoutMillis: 10_000,
      ...timeoutSettings(),
    });
    return { client, where: `${client.host}:${client.port}` };
  } catch (cause) {
    // The URL may hold a password, which the parser's message would repeat.
    throw new StoreError(
      'DATABASE_UNREACHABLE',
      'The database URL is not of the form postgres://user:password@host:port/name',
      { cause },
    );
  }
}
