import { Command } from 'commander';
import type { CommandProcess } from '../command-process.js';

/** Hidden: prints the page docs/reference/cli.md, made from the commands themselves. */
export function referenceCommand(host: CommandProcess): Command {
  return new Command('reference')
    .description('print the reference of all commands as Markdown')
    .action(async (_options: unknown, command: Command) => {
      const { cliReference } = await import('../actions/cli-reference.js');
      host.stdout.write(cliReference(command.parent ?? command));
    });
}
