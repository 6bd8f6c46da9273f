import { CommanderError } from 'commander';
import type { CommandProcess } from './command-process.js';
import { createProgram } from './program.js';
import { errorLines } from './report.js';

/**
 * Runs one command.
 *
 * @param args the command line, without the names of node and the program
 * @returns the exit code
 */
export async function run(args: readonly string[], host: CommandProcess): Promise<number> {
  try {
    await createProgram(host).parseAsync([...args], { from: 'user' });
    return host.exitCode;
  } catch (error) {
    // Commander has printed it: the help, the version, or a mistake in the command line.
    if (error instanceof CommanderError) return error.exitCode;
    for (const line of errorLines(error)) host.printError(line);
    return 1;
  }
}
