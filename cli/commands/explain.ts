import { Command } from 'commander';
import type { CommandProcess } from '../command-process.js';
import type { ExplainOptions } from '../actions/explain.js';
import { answer, answersBy } from '../exit-codes.js';
import { coverageOption, formatOption, parseLevels, parseNames, parseText } from '../options.js';

type Options = Omit<ExplainOptions, 'operationFile' | 'operationName' | 'stdin'> & {
  readonly operation?: string;
};

export function explainCommand(host: CommandProcess): Command {
  return answersBy(
    new Command('explain')
      .description('show what the gateway would do with each field of an operation, and why')
      .argument('<operation>', 'file with the operation, or - for standard input')
      .option('--supergraph <file>', 'a supergraph, or a supergraph.yaml to compose', 'supergraph.yaml')
      .addOption(coverageOption())
      .option('--operation <name>', 'which operation of the file (default: its only one)')
      .option(
        '--token <token>',
        'decide for the claims of this JWT, which is NOT verified; @FILE reads it from a file (default: no token)',
      )
      .option(
        '--scopes <names>',
        'decide for a token with these scopes, separated by commas or spaces (default: none)',
        parseNames,
      )
      .option('--purposes <names>', 'decide for a consent to these purposes (default: none)', parseNames)
      .option('--policies <names>', 'assume that these policies hold (default: none)', parseNames)
      .option(
        '--levels <levels>',
        'assume that the person chose these levels of detail, such as location=city,Customer.birthDate=year (default: none)',
        parseLevels,
      )
      .option(
        '--client <id>',
        'assume this client, for rules that name it (default: none of them)',
        parseText,
      )
      .option(
        '--policy <file>',
        'policy.yaml, for its levels of detail and its rules of minimization (default: none)',
      )
      .option('--anonymous', 'decide for a caller without a token, as when nothing else is given', false)
      .addOption(formatOption())
      .action((operationFile: string, { operation: operationName, ...options }: Options) =>
        answer(host, async () => {
          const { explainFile } = await import('../actions/explain.js');
          return explainFile(
            { ...options, stdin: host.stdin, operationFile, operationName },
            host.printLine,
            host.printError,
          );
        }),
      ),
    'every field is allowed',
    'at least one field is denied',
  );
}
