import { Command } from 'commander';
import type { ManifestOptions } from '../actions/manifest.js';
import type { CommandProcess } from '../command-process.js';
import { answer, answersBy } from '../exit-codes.js';
import { formatOption } from '../options.js';

export function manifestCommand(host: CommandProcess): Command {
  return answersBy(
    new Command('manifest')
      .description(
        'list what each scope means: the fields that it opens, and how much detail is left of them',
      )
      .option('--supergraph <file>', 'a supergraph, or a supergraph.yaml to compose', 'supergraph.yaml')
      .option('--policy <file>', 'the policy', 'policy.yaml')
      .option('--translation <file...>', 'translations of the policy (default: none)')
      .option('--language <tag>', 'the language of the output for people (default: the policy’s)')
      .option('--scope <name>', 'only this scope, in the output for people (default: all)')
      .addOption(formatOption())
      .action((options: ManifestOptions) =>
        answer(host, async () => {
          const { printManifest } = await import('../actions/manifest.js');
          return printManifest(options, host.printLine);
        }),
      ),
    'the policy and the schema name the same scopes, purposes and levels',
    'they do not, and the manifest says so',
  );
}
