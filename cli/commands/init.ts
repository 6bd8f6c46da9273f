import { Command, Option } from 'commander';
import type { CommandProcess } from '../command-process.js';
import type { InitOptions } from '../actions/init.js';
import { withExitCodes } from '../exit-codes.js';

const EXIT_CODES = { 0: 'the starter was written', 1: 'nothing was written' };

interface Options {
  readonly name?: string;
  readonly force: boolean;
  readonly issuer?: string;
  readonly audience?: string;
}

export function initCommand(host: CommandProcess): Command {
  return new Command('init')
    .description('write a starter project')
    .addCommand(withExitCodes(subgraphCommand(host), EXIT_CODES))
    .addCommand(withExitCodes(gatewayCommand(host), EXIT_CODES));
}

function subgraphCommand(host: CommandProcess): Command {
  return starterCommand(host, 'subgraph', 'write a protected subgraph that runs');
}

function gatewayCommand(host: CommandProcess): Command {
  return starterCommand(host, 'gateway', 'write a gateway that runs in front of the subgraph starter')
    .option(
      '--issuer <url>',
      'issuer of the access tokens, as in their `iss` claim (default: the variable BEHALF_ISSUER, read at each start)',
    )
    .option(
      '--audience <text>',
      'audience of the access tokens, as in their `aud` claim (default: the variable BEHALF_AUDIENCE, read at each start)',
    );
}

function starterCommand(host: CommandProcess, kind: InitOptions['kind'], description: string): Command {
  return new Command(kind)
    .description(description)
    .argument('<folder>', 'where to write it; created if it does not exist')
    .option('--name <name>', 'name of the package (default: the name of the folder)')
    .addOption(
      new Option('--force', 'write into a folder that is not empty, over files of the same name').default(
        false,
      ),
    )
    .action(async (folder: string, options: Options) => {
      const { initProject } = await import('../actions/init.js');
      await initProject({ kind, folder, ...options }, host.printLine);
    });
}
