import { resolve } from 'node:path';
import { Command } from 'commander';
import type { CommandProcess } from '../command-process.js';
import { printableLines } from '@behalf/gateway/printable';
import { DEFAULT_EXIT_CODES, withExitCodes } from '../exit-codes.js';

export function policiesCommand(host: CommandProcess): Command {
  return withExitCodes(
    new Command('policies')
      .description('print the Cedar schema that policies of a supergraph are validated against')
      .option('--supergraph <file>', 'a composed supergraph', 'supergraph.graphql')
      .action(async ({ supergraph }: { supergraph: string }) => {
        const { policiesSchema } = await import('../actions/policies.js');
        const schema = await policiesSchema(resolve(supergraph));
        // Cedar has escapes of its own, so a schema written to a file is not escaped again.
        host.stdout.write(host.stdout.isTTY ? printableLines(schema) : schema);
      }),
    DEFAULT_EXIT_CODES,
  );
}
