import { userInfo } from 'node:os';
import { GatewayAcknowledgements } from '@behalf/authority/consent';
import type { AuthoritySchema, ChangePosition } from '@behalf/authority/consent';
import { printable } from '@behalf/gateway/printable';
import { withDatabase } from './database.js';
import { silentLog } from '@behalf/store/internal';
import type { Kysely } from 'kysely';

/** Longer than a mutation may wait: somebody is watching the command. */
export const MAX_WAIT_MS = 30_000;

/** Opens the authority's database for one command. */
export async function withAuthorityDatabase<Result>(
  databaseUrl: string,
  work: (db: Kysely<AuthoritySchema>) => Promise<Result>,
): Promise<Result> {
  return withDatabase(databaseUrl, { max: 2, applicationName: 'behalf-command' }, work);
}

/** The author recorded in the log. An operator has no token, and the database knows only its own role. */
export function operator(): string {
  return `operator:${userInfo().username}`;
}

export async function printInForce(
  db: Kysely<AuthoritySchema>,
  databaseUrl: string,
  change: ChangePosition | undefined,
  print: (line: string) => void,
): Promise<boolean> {
  const acknowledgements = await GatewayAcknowledgements.open({ databaseUrl, db, log: silentLog });
  try {
    const { everywhere, gateways, silent, waitingFor } = await acknowledgements.inForce(change, MAX_WAIT_MS);
    if (everywhere) print(`in force at every gateway that follows the changes (${gateways})`);
    else print(printable(`NOT in force everywhere: waiting for ${waitingFor.join(', ')}`));
    if (silent.length > 0)
      print(printable(`silent for so long that they permit nothing: ${silent.join(', ')}`));
    return everywhere;
  } finally {
    await acknowledgements.close();
  }
}
