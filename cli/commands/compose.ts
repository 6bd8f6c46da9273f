import { Command } from 'commander';
import type { CommandProcess } from '../command-process.js';
import { withExitCodes } from '../exit-codes.js';
import { unwritable } from '../unwritable.js';

export function composeCommand(host: CommandProcess): Command {
  return withExitCodes(
    new Command('compose')
      .description('compose the supergraph from the subgraphs’ schemas')
      .option('--config <file>', 'the subgraphs, in the format of rover’s supergraph.yaml', 'supergraph.yaml')
      .option('--out <file>', 'where to write the supergraph', 'supergraph.graphql')
      .action(async ({ config, out }: { config: string; out: string }) => {
        const { compose } = await import('@behalf/gateway/tools');
        // A file that cannot be read has a code of its own.
        const { subgraphs } = await compose(config, out).catch((error: unknown) => {
          throw unwritable(out, error);
        });
        host.printLine(`${out}: composed from ${subgraphs.join(', ')}`);
      }),
    { 0: 'the supergraph was written', 1: 'the subgraphs do not compose, or a file cannot be used' },
  );
}
