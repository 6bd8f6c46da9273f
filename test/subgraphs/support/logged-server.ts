import { chmod, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Kysely } from 'kysely';
import { sql } from 'kysely';
import { openDatabase, openDatabaseServer } from '../../../store/index.js';
import type { Cleanup } from '../../support/cleanup.js';
import { until } from '../../support/wait.js';

/** A PostgreSQL that logs every statement into a file. */
export interface LoggedServer {
  readonly url: string;
  /** What the clients of this name have executed since the last call. */
  statementsOf(applicationName: string): Promise<readonly string[]>;
}

/** Statements, as `log_destination = jsonlog` has them. */
interface Entry {
  readonly application_name?: string;
  readonly message?: string;
}

const SETTINGS = {
  logging_collector: 'on',
  log_destination: 'jsonlog',
  log_statement: 'all',
  log_rotation_size: '0',
};

export async function startLoggedServer(cleanup: Cleanup): Promise<LoggedServer> {
  const dataDir = await mkdtemp(join(tmpdir(), 'behalf-logged-'));
  cleanup.add(() => rm(dataDir, { recursive: true, force: true }));
  await chmod(dataDir, 0o711);
  const first = await openDatabaseServer({ dataDir, unsafeNoDurability: true });
  const db = openDatabase<unknown>(first.url, { max: 1 });
  for (const [name, value] of Object.entries(SETTINGS))
    await sql`alter system set ${sql.id(name)} = ${sql.lit(value)}`.execute(db);
  await db.destroy();
  // The collector starts with the server only.
  await first.stop();
  const server = await openDatabaseServer({ dataDir, unsafeNoDurability: true });
  cleanup.add(() => server.stop());
  const reader = openDatabase<unknown>(server.url, { max: 1, applicationName: 'reader' });
  cleanup.add(() => reader.destroy());
  return { url: server.url, statementsOf: statementReader(reader) };
}

function statementReader(reader: Kysely<unknown>): LoggedServer['statementsOf'] {
  let [read, calls] = [0, 0];
  return async (applicationName) => {
    // What was executed before this statement is in the log before it.
    const mark = `mark ${++calls}`;
    await sql`select ${sql.lit(mark)}`.execute(reader);
    let lines: readonly string[] = [];
    await until(async () => {
      lines = (await logText(reader)).split('\n').slice(0, -1);
      return lines.slice(read).some((line) => line.includes(`select '${mark}'`));
    }, 'the log has the mark');
    const entries = lines.slice(read).map((line) => JSON.parse(line) as Entry);
    read = lines.length;
    return entries.flatMap(({ application_name, message = '' }) =>
      application_name === applicationName && /^(?:execute|statement)/.test(message) ? [message] : [],
    );
  };
}

async function logText(reader: Kysely<unknown>): Promise<string> {
  const { rows } = await sql<{
    text: string;
  }>`select pg_read_file(pg_current_logfile('jsonlog')) as text`.execute(reader);
  return rows[0]?.text ?? '';
}
