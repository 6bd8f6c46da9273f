import { Argument, Command } from 'commander';
import type { SuspendOptions } from '../actions/suspend.js';
import { answer, answersBy, DEFAULT_EXIT_CODES, withExitCodes } from '../exit-codes.js';
import { dataOption, reasonOption, waitOption } from '../options.js';
import { findDatabaseUrl } from '../data-dir.js';
import { printLine } from '../terminal.js';

type Options = Pick<SuspendOptions, 'reason' | 'wait'> & { readonly data: string };

export const suspendCommand = changeCommand(
  'suspend',
  'stop a client, a scope or everything until it is resumed, directly in the authority’s database',
);

export const resumeCommand = changeCommand(
  'resume',
  'lift a suspension, even of everything, directly in the authority’s database',
);

export const suspensionsCommand = withExitCodes(
  new Command('suspensions')
    .description('list what is suspended: since when, by whom and why')
    .addOption(dataOption())
    .action(async ({ data }: { data: string }) => {
      const { listSuspensions } = await import('../actions/suspend.js');
      await listSuspensions(await findDatabaseUrl(data), printLine);
    }),
  DEFAULT_EXIT_CODES,
);

function changeCommand(action: SuspendOptions['action'], description: string): Command {
  return answersBy(
    new Command(action)
      .description(description)
      .addArgument(new Argument('<kind>', `what to ${action}`).choices(['client', 'scope', 'everything']))
      .argument('[name]', 'the client_id or the scope; nothing for everything')
      .addOption(reasonOption())
      .addOption(waitOption())
      .addOption(dataOption())
      .action((kind: SuspendOptions['kind'], name: string | undefined, { data, ...options }: Options) =>
        answer(async () => {
          const { changeSuspension } = await import('../actions/suspend.js');
          const databaseUrl = await findDatabaseUrl(data);
          return changeSuspension({ ...options, databaseUrl, action, kind, name }, printLine);
        }),
      ),
    action === 'suspend' ? 'it is suspended' : 'it is no longer suspended',
    'the name is unknown, or (with --wait) not every gateway enforces it yet',
  );
}
