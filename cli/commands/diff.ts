import { Command } from 'commander';
import type { DiffOptions } from '../actions/diff.js';
import { answer, answersBy } from '../exit-codes.js';
import { coverageOption, formatOption } from '../options.js';
import { printLine } from '../terminal.js';

export const diffCommand = answersBy(
  new Command('diff')
    .description('show what a schema change opens or closes')
    .argument('<old>', 'a supergraph, or a supergraph.yaml to compose')
    .argument('<new>', 'the same, after the change')
    .addOption(coverageOption())
    .addOption(formatOption())
    .action((before: string, after: string, options: Pick<DiffOptions, 'coverage' | 'format'>) =>
      answer(async () => {
        const { diffFiles } = await import('../actions/diff.js');
        return diffFiles({ before, after, ...options }, printLine);
      }),
    ),
  'the change opens nothing',
  'the change opens something',
);
