import { Command } from 'commander';
import { compose, ComposeError } from './compose.js';

const program = new Command('behalf').description('The authorization layer of a GraphQL federation');

program
  .command('compose')
  .description('compose the supergraph from the subgraphs’ schemas')
  .option('--config <file>', 'rover’s supergraph.yaml', 'supergraph.yaml')
  .option('--out <file>', 'where the supergraph goes', 'supergraph.graphql')
  .action(async ({ config, out }: { config: string; out: string }) => {
    const { subgraphs } = await compose(config, out);
    console.log(`${out}: composed from ${subgraphs.join(', ')}`);
  });

try {
  await program.parseAsync();
} catch (error) {
  if (!(error instanceof ComposeError)) throw error;
  console.error(`${error.code}: ${error.message}`);
  for (const detail of error.details) console.error(`  ${detail}`);
  process.exitCode = 1;
}
