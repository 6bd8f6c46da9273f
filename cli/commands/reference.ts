import { Command } from 'commander';

/** Hidden: prints the page docs/reference/cli.md, made from the commands themselves. */
export const referenceCommand = new Command('reference')
  .description('print the reference of all commands as Markdown')
  .action(async (_options: unknown, command: Command) => {
    const { cliReference } = await import('../actions/cli-reference.js');
    process.stdout.write(cliReference(command.parent ?? command));
  });
