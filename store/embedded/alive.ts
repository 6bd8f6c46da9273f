import { readFile } from 'node:fs/promises';

/**
 * Whether a process runs. A zombie does not. Where the system reveals command lines, a process whose command line lacks `mark` is a
 * different one that reuses the number.
 */
export async function runs(pid: number, mark = ''): Promise<boolean> {
  if (!(pid > 0) || !answersSignal(pid)) return false;
  const state = await readFile(`/proc/${pid}/stat`, 'utf8').catch(() => undefined);
  // The second field, a name in parentheses, may contain anything.
  if (state !== undefined && /^[ZX]/.test(state.slice(state.lastIndexOf(')') + 2))) return false;
  const command = await readFile(`/proc/${pid}/cmdline`, 'utf8').catch(() => undefined);
  return command === undefined || command.includes(mark);
}

function answersSignal(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return error instanceof Error && 'code' in error && error.code === 'EPERM';
  }
}
