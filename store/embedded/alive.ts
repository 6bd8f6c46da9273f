import { readFile } from 'node:fs/promises';

/**
 * Whether a process runs. One that has ended and that its parent has not collected does not; where the system tells
 * command lines, one whose command line lacks `mark` is another process that got the number.
 */
export async function runs(pid: number, mark = ''): Promise<boolean> {
  if (!(pid > 0) || !answersSignal(pid)) return false;
  const state = await readFile(`/proc/${pid}/stat`, 'utf8').catch(() => undefined);
  // The second field, the name in parentheses, may hold anything.
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
