import { Argument, Command } from 'commander';
import type { CommandProcess } from '../command-process.js';
import type { SuspendOptions } from '../actions/suspend.js';
import { answer, answersBy, DEFAULT_EXIT_CODES, withExitCodes } from '../exit-codes.js';
import { dataOption, reasonOption, waitOption } from '../options.js';
import { findDatabaseUrl } from '../data-dir.js';

type Options = Pick<SuspendOptions, 'reason' | 'wait'> & { readonly data: string };

export function suspendCommand(host: CommandProcess): Command {
  return changeCommand(
    host,
    'suspend',
    'stop a client, a scope or everything until it is resumed, directly in the authority’s database',
  );
}

export function resumeCommand(host: CommandProcess): Command {
  return changeCommand(
    host,
    'resume',
    'lift a suspension, even of everything, directly in the authority’s database',
  );
}

export function suspensionsCommand(host: CommandProcess): Command {
  return withExitCodes(
    new Command('suspensions')
      .description('list what is suspended: since when, by whom and why')
      .addOption(dataOption(host.env))
      .action(async ({ data }: { data: string }) => {
        const { listSuspensions } = await import('../actions/suspend.js');
        await listSuspensions(await findDatabaseUrl(data, host.env), host.printLine);
      }),
    DEFAULT_EXIT_CODES,
  );
}

function changeCommand(host: CommandProcess, action: SuspendOptions['action'], description: string): Command {
  return answersBy(
    new Command(action)
      .description(description)
      .addArgument(new Argument('<kind>', `what to ${action}`).choices(['client', 'scope', 'everything']))
      .argument('[name]', 'the client_id or the scope; nothing for everything')
      .addOption(reasonOption())
      .addOption(waitOption())
      .addOption(dataOption(host.env))
      .action((kind: SuspendOptions['kind'], name: string | undefined, { data, ...options }: Options) =>
        answer(host, async () => {
          const { changeSuspension } = await import('../actions/suspend.js');
          const databaseUrl = await findDatabaseUrl(data, host.env);
          return changeSuspension({ ...options, databaseUrl, action, kind, name }, host.printLine);
        }),
      ),
    action === 'suspend' ? 'it is suspended' : 'it is no longer suspended',
    'the name is unknown, or (with --wait) not every gateway enforces it yet',
  );
}
