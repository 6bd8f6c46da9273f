import { SuspensionRegister } from '../authority/internal.js';
import type { Suspension, SuspensionChange, SuspensionTarget } from '../authority/internal.js';
import { printable } from '../gateway/printable.js';
import { needReason, operator, printInForce, withAuthorityDatabase } from './authority-database.js';
import { CommandError } from './command-error.js';

export interface StopOptions {
  readonly databaseUrl: string;
  readonly action: 'suspend' | 'resume';
  readonly kind: SuspensionTarget['kind'];
  /** Not with `everything`. */
  readonly name: string | undefined;
  readonly reason: string;
  readonly wait: boolean;
}

/**
 * `behalf suspend` and `behalf resume`, on the authority's database. This is how a stop of everything is lifted: it lets no
 * administrator through either.
 *
 * @returns 1 when nothing has that name, or it is not in force everywhere
 * @throws CommandError `USAGE`
 */
export async function stopCommand(options: StopOptions, print: (line: string) => void): Promise<0 | 1> {
  const { action, databaseUrl, wait } = options;
  const reason = needReason(options.reason);
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

/** `behalf suspensions`: what is stopped at present. */
export async function suspensionsCommand(databaseUrl: string, print: (line: string) => void): Promise<void> {
  await withAuthorityDatabase(databaseUrl, async (db) => {
    const standing = await new SuspensionRegister(db).standing();
    if (standing.length === 0) print('nothing is suspended');
    for (const suspension of standing)
      print(printable(`${nameOf(suspension.target)}: ${describe(suspension)}`));
  });
}

/** @throws CommandError `USAGE` */
function targetOf({ kind, name }: StopOptions): SuspensionTarget {
  if (kind === 'everything') {
    if (name !== undefined) throw new CommandError('USAGE', '"everything" has no name');
    return { kind };
  }
  if (name === undefined) throw new CommandError('USAGE', `which ${kind}?`);
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

function sentenceOf(action: StopOptions['action'], outcome: SuspensionChange['outcome']): string {
  if (action === 'suspend') {
    if (outcome === 'unknown') return 'suspended, but UNKNOWN here: look at the spelling';
    return outcome === 'done' ? 'suspended' : 'was suspended before';
  }
  if (outcome === 'unknown') return 'was never suspended: look at the spelling';
  return outcome === 'done' ? 'resumed' : 'was resumed before';
}
