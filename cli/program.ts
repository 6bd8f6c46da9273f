import { Command, CommanderError } from 'commander';
import { printableLines } from '@behalf/gateway/printable';
import { readOwnVersion } from './actions/templates.js';
import type { CommandProcess } from './command-process.js';
import { auditCommand } from './commands/audit.js';
import { clientsCommand } from './commands/clients.js';
import { composeCommand } from './commands/compose.js';
import { consentsCommand } from './commands/consents.js';
import { diffCommand } from './commands/diff.js';
import { errorsCommand } from './commands/errors.js';
import { explainCommand } from './commands/explain.js';
import { gatewayCommand } from './commands/gateway.js';
import { initCommand } from './commands/init.js';
import { lintCommand } from './commands/lint.js';
import { manifestCommand } from './commands/manifest.js';
import { policiesCommand } from './commands/policies.js';
import { referenceCommand } from './commands/reference.js';
import { replayStoreCommand } from './commands/replay-store.js';
import { revokeCommand } from './commands/revoke.js';
import { rotateKeysCommand } from './commands/rotate-keys.js';
import { witnessCommand } from './commands/witness.js';
import { usageExitCode } from './exit-codes.js';
import { resumeCommand, suspendCommand, suspensionsCommand } from './commands/suspend.js';

/** The commands by task, in the order of the help. */
const GROUPS: Readonly<Record<string, readonly ((host: CommandProcess) => Command)[]>> = {
  'Start and run': [initCommand, composeCommand, gatewayCommand],
  'Check rules': [lintCommand, explainCommand, manifestCommand, diffCommand, policiesCommand],
  'End and suspend access': [revokeCommand, suspendCommand, resumeCommand, suspensionsCommand],
  'Administer the authority': [clientsCommand, consentsCommand, rotateKeysCommand, replayStoreCommand],
  'Find out': [auditCommand, witnessCommand, errorsCommand],
};

/** `behalf`: all commands. Each command loads what it needs when it runs: `lint` loads neither a database driver nor a server. */
export function createProgram(host: CommandProcess): Command {
  const program = new Command('behalf')
    .description('The authorization layer of a GraphQL federation')
    .version(readOwnVersion(), '-V, --version', 'print the version');
  for (const [group, commands] of Object.entries(GROUPS)) {
    for (const create of commands) program.addCommand(create(host).helpGroup(`${group}:`));
  }
  program.addCommand(referenceCommand(host), { hidden: true });
  program.addHelpText(
    'after',
    '\n`behalf help COMMAND` describes one command, with its options and exit codes.',
  );
  configure(program, host);
  return program;
}

function configure(command: Command, host: CommandProcess): void {
  command
    .configureOutput({
      writeOut: (text) => host.stdout.write(text),
      // Commander quotes arguments in its errors, so they are escaped like everything else that is printed.
      writeErr: (text) => host.stderr.write(printableLines(text)),
    })
    .showHelpAfterError(`(\`${helpOf(command)}\` shows how it is used)`)
    .showSuggestionAfterError()
    .exitOverride(({ code, exitCode, message }) => {
      throw new CommanderError(exitCode === 0 ? 0 : usageExitCode(command), code, message);
    });
  for (const child of command.commands) configure(child, host);
}

function helpOf(command: Command): string {
  const names: string[] = [];
  for (let each: Command | null = command; each !== null; each = each.parent) names.unshift(each.name());
  return [...names, '--help'].join(' ');
}
