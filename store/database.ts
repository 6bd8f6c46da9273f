import { Kysely, PostgresDialect } from 'kysely';
import pg from 'pg';

import type { Log } from './log.js';
import { type Timeouts, timeoutSettings } from './timeouts.js';

// Counts and sequence numbers are bigint in PostgreSQL and arrive as text; ours stay far below 2^53.
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

/** @see openDatabase */
export interface DatabaseOptions extends Timeouts {
  /** Connections at most; default 10. */
  readonly max?: number;
  /** Shown by PostgreSQL's pg_stat_activity. */
  readonly applicationName?: string;
  readonly log?: Log;
}

/**
 * A pool of connections, and kysely on it. Nothing connects before the first query; `destroy()` closes all.
 * `bigint` columns are read as numbers (an error beyond 2^53), `jsonb` as parsed values. Statements and waits for locks are
 * bounded by the server.
 *
 * A connection that breaks while idle is dropped from the pool and replaced by the next query; one that breaks in use
 * fails what it is used for. That is all that happens, since whoever runs the server says when it died.
 */
export function openDatabase<Schema>(url: string, options: DatabaseOptions = {}): Kysely<Schema> {
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
  // Of a connection that is lent out, the pool hears nothing: one that breaks between two statements of a transaction would
  // end the process. Its next statement fails, and that is the answer.
  pool.on('connect', (client) => client.on('error', () => undefined));
  return new Kysely<Schema>({ dialect: new PostgresDialect({ pool }) });
}
