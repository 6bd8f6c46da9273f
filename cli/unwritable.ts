import { CommandError } from './command-error.js';

/** What to throw when a file or folder that the user named cannot be written; any other error stays as it is. */
export function unwritable(target: string, error: unknown): unknown {
  const { code, syscall } = error as NodeJS.ErrnoException;
  if (!(error instanceof Error) || code === undefined || syscall === undefined) return error;
  const reason = code === 'EEXIST' ? 'it is there already' : code;
  return new CommandError('FILE_UNWRITABLE', `${target} cannot be written: ${reason}`);
}
