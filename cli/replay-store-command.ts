import { createReplayRole, migrateReplay, REPLAY_ROLE } from '../store/index.js';
import { CommandError } from './command-error.js';
import { withDatabase } from './database.js';

/**
 * `behalf replay-store`: makes, in the database of an administrator, what several gateways share to know used DPoP proofs, and
 * the role that they connect as.
 *
 * @returns What was made, in words.
 * @throws {CommandError} `NO_DATABASE`, `NO_PASSWORD`
 */
export async function replayStoreCommand({
  databaseUrl,
  password,
  role = REPLAY_ROLE,
}: {
  readonly databaseUrl: string | undefined;
  readonly password: string | undefined;
  readonly role?: string | undefined;
}): Promise<string> {
  if (databaseUrl === undefined) throw new CommandError('NO_DATABASE', 'DATABASE_URL is not set');
  if (password === undefined || password === '')
    throw new CommandError('NO_PASSWORD', 'BEHALF_REPLAY_PASSWORD is not set');
  await withDatabase(databaseUrl, { max: 1, applicationName: 'behalf-replay-store' }, async (db) => {
    await migrateReplay(db);
    await createReplayRole(db, password, role);
  });
  return `the schema "replay" is there, and the role "${role}" can claim proofs in it`;
}
