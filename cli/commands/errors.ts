import { Command } from 'commander';
import type { CommandProcess } from '../command-process.js';
import { CommandError } from '../command-error.js';
import { DEFAULT_EXIT_CODES, withExitCodes } from '../exit-codes.js';

export function errorsCommand(host: CommandProcess): Command {
  return withExitCodes(
    new Command('errors')
      .description('explain an error code; without one, print all of them as Markdown')
      .argument('[code]', 'the code, in upper or lower case')
      .action(async (code: string | undefined) => {
        const { explainError } = await import('../actions/errors.js');
        const text = explainError(code);
        if (text === undefined) throw new CommandError('UNKNOWN_CODE', 'Behalf has no such error code');
        host.stdout.write(text);
      }),
    DEFAULT_EXIT_CODES,
  );
}
