import { createReplayRole, migrateReplay, REPLAY_ROLE } from '@behalf/store';
import { CommandError } from '../command-error.js';
import { withDatabase } from '../database.js';

/**
 * `behalf replay-store`: creates the tables in which several gateways share used DPoP proofs, and the role that they connect
 * as. The database's user must be allowed to create roles.
 *
 * @returns what was created, in words
 * @throws CommandError `NO_DATABASE`, `NO_PASSWORD`
 */
export async function prepareReplayStore({
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
    const made = `created: the schema "replay", and the role "${role}", which can claim proofs in it`;
    if (left.length === 0) return made;
    return `${made}; the database user cannot revoke these rights from the role: ${left.join(', ')}`;
  });
}
