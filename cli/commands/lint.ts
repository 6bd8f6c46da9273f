import { Command } from 'commander';
import type { CommandProcess } from '../command-process.js';
import type { LintOptions } from '../actions/lint.js';
import { answer, answersBy } from '../exit-codes.js';
import { formatOption } from '../options.js';

export function lintCommand(host: CommandProcess): Command {
  return answersBy(
    new Command('lint')
      .description('find mistakes in the rules of the schemas')
      .option(
        '--config <file>',
        'the subgraphs, in the format of rover’s supergraph.yaml (default: "supergraph.yaml")',
      )
      .option('--supergraph <file>', 'check a composed supergraph instead of the subgraphs (default: none)')
      .option(
        '--policy <file>',
        'policy.yaml, to check the names of scopes and purposes as well (default: none)',
      )
      .option(
        '--translation <file...>',
        'translations of the policy, to find what is missing or superfluous in them (default: none)',
      )
      .addOption(formatOption())
      .action((options: LintOptions) =>
        answer(host, async () => {
          const { lintSchemas } = await import('../actions/lint.js');
          return lintSchemas(options, host.printLine);
        }),
      ),
    'no errors (there may be warnings)',
    'errors',
  );
}
