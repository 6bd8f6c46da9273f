import { userInfo } from 'node:os';
import { GatewayAcknowledgements } from '@behalf/authority/consent';
import type { AuthoritySchema, ChangePosition } from '@behalf/authority/consent';
import { printable } from '@behalf/gateway/internal';
import { CommandError } from './command-error.js';
import { withDatabase } from './database.js';
import type { Log } from '@behalf/store';
import { silentLog } from '@behalf/store/internal';
import type { Kysely } from 'kysely';

/** Longer than a request may wait: whoever types a command can look on. */
export const WAIT_AT_MOST_MS = 30_000;

/** Opens the authority's database for one command. */
export async function withAuthorityDatabase<Result>(
  databaseUrl: string,
  work: (db: Kysely<AuthoritySchema>) => Promise<Result>,
): Promise<Result> {
  return withDatabase(databaseUrl, { max: 2, applicationName: 'behalf-command' }, work);
}

/** Who did it, for the log: an operator has no token, and the database knows only its own role. */
export function operator(): string {
  return `operator:${userInfo().username}`;
}

/** Whoever ends or stops something has to say why. @throws CommandError `USAGE` */
export function needReason(reason: string): string {
  if (reason.trim() === '') throw new CommandError('USAGE', '--reason must say something');
  return reason;
}

/** Prints whether the gateways enforce a change. @returns whether all do */
export async function printInForce(
  db: Kysely<AuthoritySchema>,
  databaseUrl: string,
  change: ChangePosition | undefined,
  print: (line: string) => void,
): Promise<boolean> {
  const acknowledgements = await GatewayAcknowledgements.open({ databaseUrl, db, log: silentLog });
  try {
    const { everywhere, gateways, silent, waitingFor } = await acknowledgements.inForce(
      change,
      WAIT_AT_MOST_MS,
    );
    if (everywhere) print(`in force at every gateway that follows the changes (${gateways})`);
    else print(printable(`NOT in force everywhere: waiting for ${waitingFor.join(', ')}`));
    if (silent.length > 0) print(printable(`permit nothing, unheard of for too long: ${silent.join(', ')}`));
    return everywhere;
  } finally {
    await acknowledgements.close();
  }
}
