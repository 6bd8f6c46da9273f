import { Kysely, PostgresDialect } from 'kysely';
import pg from 'pg';

import { checkPoolOptions } from './check-options.js';
import type { Log } from './log.js';
import { type Timeouts, timeoutSettings } from './timeouts.js';

// PostgreSQL's counts and sequence numbers are bigint, which arrive as text. Ours stay far below 2^53.
const INT8_OID = 20;

const types: pg.CustomTypesConfig = {
  getTypeParser(oid, format) {
    const id: number = oid;
    if (id === INT8_OID && format !== 'binary') return parseSafeInteger;
    return pg.types.getTypeParser(oid, format) as never;
  },
};

function parseSafeInteger(text: string): number {
  const value = Number(text);
  if (!Number.isSafeInteger(value)) throw new RangeError('A bigint of the database exceeds 2^53');
  return value;
}

/** The options of {@link openDatabase}. */
export interface DatabaseOptions extends Timeouts {
  /** The largest number of connections. Default: 10. */
  readonly max?: number;
  /** The name that pg_stat_activity shows. */
  readonly applicationName?: string;
  readonly log?: Log;
}

/**
 * Opens a pool of connections, wrapped by kysely. Nothing connects before the first query; `destroy()` closes all connections.
 * `bigint` columns are read as numbers (an error beyond 2^53), `jsonb` columns as parsed values. The server bounds the time of
 * statements and of waits for locks.
 *
 * A connection that breaks while idle is replaced by the next query; one that breaks in use fails its query.
 *
 * @param url `postgres://user:password@host:port/name`
 * @throws StoreError `OPTION_INVALID` for an option that is unknown or cannot be used; the message names it
 *
 * @example
 * ```ts
 * import { openDatabase } from '@behalf/store';
 *
 * const db = openDatabase<{ person: { name: string } }>('postgres://behalf@localhost/behalf');
 * await db.destroy();
 * ```
 */
export function openDatabase<Schema>(url: string, options: DatabaseOptions = {}): Kysely<Schema> {
  checkPoolOptions(url, options);
  const pool = new pg.Pool({
    connectionString: url,
    max: options.max ?? 10,
    application_name: options.applicationName ?? 'behalf',
    connectionTimeoutMillis: 10_000,
    ...timeoutSettings(options),
    types,
  });
  pool.on('error', (error) =>
    options.log?.log('warn', 'DATABASE_CONNECTION_LOST', { reason: error.message }),
  );
  // The pool does not listen for errors of a connection that is in use, so one that breaks between two statements of a
  // transaction would end the process. The error can be ignored: the connection's next statement fails.
  pool.on('connect', (client) => client.on('error', () => undefined));
  return new Kysely<Schema>({ dialect: new PostgresDialect({ pool }) });
}
