import { resolve } from 'node:path';
import { CommandError } from './command-error.js';
import { readRunFile } from './run-file.js';

export type Environment = Readonly<Record<string, string | undefined>>;

/** `BEHALF_DATA`, or `.behalf` in the working directory. */
export function defaultDataDir(env: Environment): string {
  return env.BEHALF_DATA ?? '.behalf';
}

/**
 * The database that a command works on: `DATABASE_URL`, or that of the process that runs on the data folder.
 *
 * @throws CommandError `NO_DATABASE`
 */
export async function findDatabaseUrl(dataDir: string, env: Environment): Promise<string> {
  const databaseUrl = env.DATABASE_URL ?? (await readRunFile(resolve(dataDir)))?.databaseUrl;
  if (databaseUrl !== undefined) return databaseUrl;
  throw new CommandError(
    'NO_DATABASE',
    `DATABASE_URL is not set, and no Behalf runs on the data folder ${dataDir}`,
  );
}
