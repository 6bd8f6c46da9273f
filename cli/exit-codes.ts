import type { Command } from 'commander';
import { reportError } from './report.js';

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
  }).exitOverride(({ exitCode }) => process.exit(exitCode === 0 ? 0 : 2));
}

/** Runs such a command; a failure exits with 2. */
export async function answer(run: () => Promise<0 | 1 | 2>): Promise<void> {
  try {
    process.exitCode = await run();
  } catch (error) {
    reportError(error);
    process.exitCode = 2;
  }
}
