import { randomBytes } from 'node:crypto';

import { type Kysely, sql } from 'kysely';
import { inject } from 'vitest';

import { openDatabase } from '@behalf/store';
import { until } from './wait.js';

/** A database that only its creator uses. */
export interface TestDatabase<Schema> {
  readonly url: string;
  readonly db: Kysely<Schema>;
  /** Whether anybody can connect. `false` also ends every connection, those of `db` as well. */
  setReachable(isReachable: boolean): Promise<void>;
  /** Whether it refuses writes, as a standby does. Ends every connection, those of `db` as well. */
  setReadOnly(isReadOnly: boolean): Promise<void>;
  /** Closes `db` and removes the database, even if others are connected. */
  drop(): Promise<void>;
}

/** @see createTestDatabase */
export interface TestDatabaseOptions {
  /** A name from `ensureTemplate`: the new database starts as a copy of it. */
  readonly template?: string;
}

// An arbitrary number that serializes template builders across all test processes.
const TEMPLATE_LOCK = 917_265;

/** Templates that this process knows to exist, or is building. */
const templates = new Map<string, Promise<string>>();

/** Creates a separate database on the run's server; `drop()` it in afterAll. */
export async function createTestDatabase<Schema>(
  options: TestDatabaseOptions = {},
): Promise<TestDatabase<Schema>> {
  const name = `test_${randomBytes(8).toString('hex')}`;
  const template = options.template ?? 'template1';
  // Twice as fast as the other strategy for a database of a few megabytes.
  await onServer((server) =>
    sql`create database ${sql.id(name)} template ${sql.id(template)} strategy file_copy`.execute(server),
  );
  const url = urlOf(name);
  const db = openDatabase<Schema>(url);
  return {
    url,
    db,
    setReachable: (isReachable) =>
      onServer(async (server) => {
        await sql`alter database ${sql.id(name)} allow_connections ${sql.lit(isReachable)}`.execute(server);
        if (!isReachable) await endConnections(server, name);
      }).then(() => (isReachable ? untilAnswered(db) : undefined)),
    setReadOnly: (isReadOnly) =>
      onServer(async (server) => {
        await sql`alter database ${sql.id(name)} set default_transaction_read_only = ${sql.lit(isReadOnly)}`.execute(
          server,
        );
        await endConnections(server, name);
      }).then(() => untilAnswered(db)),
    async drop() {
      await db.destroy();
      await onServer((server) => sql`drop database if exists ${sql.id(name)} with (force)`.execute(server));
    },
  };
}

/**
 * Builds a database once per run, however many test files ask for it. `createTestDatabase` then copies it in milliseconds,
 * which suits data that takes seconds to create.
 *
 * @param name for the content, lower case; change it with the content if the server outlives the run
 * @param build fills the database at the URL, and closes its connections
 * @returns what to pass as `template`
 */
export async function ensureTemplate(name: string, build: (url: string) => Promise<void>): Promise<string> {
  const known = templates.get(name) ?? buildTemplate(name, build);
  templates.set(name, known);
  return known;
}

async function buildTemplate(name: string, build: (url: string) => Promise<void>): Promise<string> {
  const template = `template_${name}`;
  await onOwnConnection(async (server) => {
    await sql`select pg_advisory_lock(${sql.lit(TEMPLATE_LOCK)})`.execute(server);
    const { rows } = await sql`select from pg_database where datname = ${template}`.execute(server);
    if (rows.length > 0) return;
    const partial = `${template}_new`;
    await sql`drop database if exists ${sql.id(partial)} with (force)`.execute(server);
    await sql`create database ${sql.id(partial)}`.execute(server);
    await build(urlOf(partial));
    await sql`alter database ${sql.id(partial)} rename to ${sql.id(template)}`.execute(server);
  });
  return template;
}

/** A pool notices the end of a connection a moment later, and may use it until then. */
async function untilAnswered<Schema>(db: Kysely<Schema>): Promise<void> {
  const isAnswered = (): Promise<boolean> =>
    sql`select 1`.execute(db).then(
      () => true,
      () => false,
    );
  await until(isAnswered, 'the database answers');
}

function urlOf(database: string): string {
  const url = new URL(inject('databaseUrl'));
  url.pathname = `/${database}`;
  return url.href;
}

async function endConnections(server: Kysely<unknown>, name: string): Promise<void> {
  await sql`select pg_terminate_backend(pid) from pg_stat_activity where datname = ${name}`.execute(server);
}

// Waits for whoever builds a template, however busy the machine is.
const UNBOUNDED = { statementTimeoutMs: 0, lockTimeoutMs: 0 };

/** One for all test files of a process: a new connection costs the server a fifth of what creating a database does. */
let shared: Kysely<unknown> | undefined;

function onServer<Result>(work: (server: Kysely<unknown>) => Promise<Result>): Promise<Result> {
  shared ??= openDatabase<unknown>(inject('databaseUrl'), { max: 1, ...UNBOUNDED });
  return work(shared);
}

/** A connection of its own, closed afterwards, which also releases its locks. */
async function onOwnConnection(work: (server: Kysely<unknown>) => Promise<void>): Promise<void> {
  const server = openDatabase<unknown>(inject('databaseUrl'), { max: 1, ...UNBOUNDED });
  try {
    await work(server);
  } finally {
    await server.destroy();
  }
}
