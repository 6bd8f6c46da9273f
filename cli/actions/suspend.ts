import { SuspensionRegister } from '@behalf/authority/consent';
import type { Suspension, SuspensionChange, SuspensionTarget } from '@behalf/authority/consent';
import { printable } from '@behalf/gateway/printable';
import { operator, printInForce, withAuthorityDatabase } from '../authority-database.js';
import { CommandError } from '../command-error.js';

export interface SuspendOptions {
  readonly databaseUrl: string;
  readonly action: 'suspend' | 'resume';
  readonly kind: SuspensionTarget['kind'];
  /** The client_id or the scope; undefined for `everything`. */
  readonly name: string | undefined;
  readonly reason: string;
  readonly wait: boolean;
}

/**
 * `behalf suspend` and `behalf resume`. They work on the authority's database because a suspension of everything also locks
 * out administrators: only this command can lift it.
 *
 * @returns 0 when it is done; 1 when the name is unknown, or not every gateway enforces it yet
 * @throws CommandError `USAGE`
 */
export async function changeSuspension(
  options: SuspendOptions,
  print: (line: string) => void,
): Promise<0 | 1> {
  const { action, databaseUrl, reason, wait } = options;
  const target = targetOf(options);
  return withAuthorityDatabase(databaseUrl, async (db) => {
    const register = new SuspensionRegister(db);
    const { change, outcome, suspension } = await register[action](target, { by: operator(), reason });
    print(printable(`${nameOf(target)}: ${sentenceOf(action, outcome)}`));
    if (suspension !== undefined) print(printable(`  ${describe(suspension)}`));
    const isNothing = outcome === 'unknown' && change === undefined;
    const everywhere = !wait || isNothing || (await printInForce(db, databaseUrl, change, print));
    return outcome !== 'unknown' && everywhere ? 0 : 1;
  });
}

/** `behalf suspensions`: prints what is suspended at present. */
export async function listSuspensions(databaseUrl: string, print: (line: string) => void): Promise<void> {
  await withAuthorityDatabase(databaseUrl, async (db) => {
    const active = await new SuspensionRegister(db).standing();
    if (active.length === 0) print('nothing is suspended');
    for (const suspension of active)
      print(printable(`${nameOf(suspension.target)}: ${describe(suspension)}`));
  });
}

/** @throws CommandError `USAGE` */
function targetOf({ kind, name }: SuspendOptions): SuspensionTarget {
  if (kind === 'everything') {
    if (name !== undefined) throw new CommandError('USAGE', '"everything" takes no name');
    return { kind };
  }
  if (name === undefined) throw new CommandError('USAGE', `name the ${kind}`);
  return kind === 'client' ? { kind, clientId: name } : { kind, scope: name };
}

function nameOf(target: SuspensionTarget): string {
  if (target.kind === 'everything') return 'everything';
  return target.kind === 'client' ? `client ${target.clientId}` : `scope ${target.scope}`;
}

function describe({ by, endedAt, endedBy, reason, since }: Suspension): string {
  const lifted = endedAt === undefined ? '' : `; lifted ${endedAt.toISOString()} by ${endedBy ?? '?'}`;
  return `since ${since.toISOString()} by ${by}: ${reason}${lifted}`;
}

function sentenceOf(action: SuspendOptions['action'], outcome: SuspensionChange['outcome']): string {
  if (action === 'suspend') {
    if (outcome === 'unknown') return 'suspended, but UNKNOWN here: check the spelling';
    return outcome === 'done' ? 'suspended' : 'was already suspended';
  }
  if (outcome === 'unknown') return 'was never suspended: check the spelling';
  return outcome === 'done' ? 'resumed' : 'was already resumed';
}
