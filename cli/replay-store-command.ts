import { createReplayRole, migrateReplay, REPLAY_ROLE } from '@behalf/store';
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
  return withDatabase(databaseUrl, { max: 2, applicationName: 'behalf-replay-store' }, async (db) => {
    await migrateReplay(db);
    const left = await createReplayRole(db, password, role);
    const made = `the schema "replay" is there, and the role "${role}" can claim proofs in it`;
    if (left.length === 0) return made;
    return `${made}; this database's user may not take from it: ${left.join(', ')}`;
  });
}
