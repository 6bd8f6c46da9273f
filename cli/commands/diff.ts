import { Command } from 'commander';
import type { CommandProcess } from '../command-process.js';
import type { DiffOptions } from '../actions/diff.js';
import { answer, answersBy } from '../exit-codes.js';
import { coverageOption, formatOption } from '../options.js';

export function diffCommand(host: CommandProcess): Command {
  return answersBy(
    new Command('diff')
      .description('show what a schema change opens or closes')
      .argument('<old>', 'a supergraph, or a supergraph.yaml to compose')
      .argument('<new>', 'the same, after the change')
      .addOption(coverageOption())
      .addOption(formatOption())
      .action((before: string, after: string, options: Pick<DiffOptions, 'coverage' | 'format'>) =>
        answer(host, async () => {
          const { diffFiles } = await import('../actions/diff.js');
          return diffFiles({ before, after, ...options }, host.printLine);
        }),
      ),
    'the change opens nothing',
    'the change opens something',
  );
}
