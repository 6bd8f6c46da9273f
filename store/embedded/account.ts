import { execFile } from 'node:child_process';
import { promisify } from 'node:util';

import { StoreError } from '../errors.js';

const run = promisify(execFile);

/** The system account for PostgreSQL, which refuses to run as root. */
export interface Account {
  readonly uid: number;
  readonly gid: number;
}

/**
 * The account for the server: undefined (our own) unless we are root; then `postgres`, created if missing.
 *
 * @throws StoreError `ACCOUNT_MISSING`
 */
export async function serverAccount(): Promise<Account | undefined> {
  if (process.getuid?.() !== 0) return undefined;
  const found = await lookUp('postgres');
  if (found !== undefined) return found;
  try {
    await run('useradd', [
      '--system',
      '--user-group',
      '--no-create-home',
      '--shell',
      '/bin/false',
      'postgres',
    ]);
  } catch (cause) {
    throw new StoreError(
      'ACCOUNT_MISSING',
      'PostgreSQL does not run as root, and the account "postgres" could not be created: ' +
        'create it, start Behalf as another user, or set DATABASE_URL',
      { cause },
    );
  }
  const created = await lookUp('postgres');
  if (created === undefined) throw new StoreError('ACCOUNT_MISSING', 'The account "postgres" is missing');
  return created;
}

async function lookUp(name: string): Promise<Account | undefined> {
  try {
    const [uid, gid] = await Promise.all([run('id', ['-u', name]), run('id', ['-g', name])]);
    return { uid: Number(uid.stdout), gid: Number(gid.stdout) };
  } catch {
    return undefined;
  }
}

/** Whether the account can enter the folder. The system itself is asked, because parents, groups and ACLs matter. */
export async function canEnter(account: Account | undefined, folder: string): Promise<boolean> {
  try {
    await run('/bin/sh', ['-c', 'cd "$1"', 'sh', folder], { ...account, cwd: '/' });
    return true;
  } catch {
    return false;
  }
}
