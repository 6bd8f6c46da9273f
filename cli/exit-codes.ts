import type { Command } from 'commander';
import type { CommandProcess } from './command-process.js';
import { errorLines } from './report.js';

/** The exit codes of a command that only does something. */
export const DEFAULT_EXIT_CODES: Readonly<Record<number, string>> = { 0: 'done', 1: 'it failed' };

const documented = new WeakMap<Command, Readonly<Record<number, string>>>();

/** Documents the exit codes of a command, in its help and in the reference. */
export function withExitCodes(command: Command, codes: Readonly<Record<number, string>>): Command {
  documented.set(command, codes);
  return command.addHelpText('after', () => {
    const lines = Object.entries(codes).map(([code, meaning]) => `  ${code}  ${meaning}`);
    return `\nExit codes:\n${lines.join('\n')}`;
  });
}

/** @see withExitCodes */
export function exitCodesOf(command: Command): Readonly<Record<number, string>> {
  return documented.get(command) ?? DEFAULT_EXIT_CODES;
}

/**
 * Documents a command whose exit code is an answer: 0 and 1 are the answers, 2 means that there is none. A mistake in the
 * command line is no answer either, so it exits with 2 as well.
 */
export function answersBy(command: Command, yes: string, no: string): Command {
  return withExitCodes(command, {
    0: yes,
    1: no,
    2: 'wrong usage, or something that is needed cannot be used',
  });
}

/** The exit code of a mistake in the command line: 2 where 1 is an answer. */
export function usageExitCode(command: Command): 1 | 2 {
  return exitCodesOf(command)[2] === undefined ? 1 : 2;
}

/** Runs a command whose exit code is an answer; a failure exits with 2. */
export async function answer(host: CommandProcess, run: () => Promise<0 | 1 | 2>): Promise<void> {
  try {
    host.exitCode = await run();
  } catch (error) {
    for (const line of errorLines(error)) host.printError(line);
    host.exitCode = 2;
  }
}
