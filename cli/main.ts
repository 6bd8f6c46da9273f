import { resolve } from 'node:path';
import { Command, InvalidArgumentError } from 'commander';
import { AuthorityError } from '../authority/index.js';
import { ConfigurationError, readConfig, startGateway, SupergraphError } from '../gateway/index.js';
import { StoreError } from '../store/index.js';
import { auditTail } from './audit-tail.js';
import { compose, ComposeError } from './compose.js';
import { readRunFile } from './run-file.js';
import { startCommand } from './start-command.js';
import { defaultDataDir } from './start.js';
import { WalkthroughError, walkthroughCommand } from './walkthrough.js';

const program = new Command('behalf')
  .description('The authorization layer of a GraphQL federation')
  .showHelpAfterError();

program
  .command('start')
  .description('run the whole example on this machine: database, authority, gateway, subgraphs')
  .option('--data <folder>', 'where the database and the secrets are kept', defaultDataDir())
  .action(async ({ data }: { data: string }) => {
    process.exitCode = await startCommand({ dataDir: resolve(data), databaseUrl: process.env.DATABASE_URL });
  });

program
  .command('walkthrough')
  .description(
    'an application’s way through the example, printed: against a running start, or one of its own',
  )
  .option('--data <folder>', 'the data folder of the start', defaultDataDir())
  .action(async ({ data }: { data: string }) => {
    await walkthroughCommand({ dataDir: resolve(data), databaseUrl: process.env.DATABASE_URL });
  });

program
  .command('gateway')
  .description('run the gateway alone')
  .requiredOption('--config <file>', 'its configuration (YAML or JSON)')
  .action(async ({ config }: { config: string }) => {
    const gateway = await startGateway(await readConfig(resolve(config)));
    console.log(`gateway  ${gateway.url}/graphql`);
    process.on('SIGHUP', () => void gateway.reloadSupergraph().catch((error: unknown) => report(error)));
    await new Promise<void>((stop) => {
      process.once('SIGINT', () => stop());
      process.once('SIGTERM', () => stop());
    });
    await gateway.close();
  });

program
  .command('compose')
  .description('compose the supergraph from the subgraphs’ schemas')
  .option('--config <file>', 'rover’s supergraph.yaml', 'supergraph.yaml')
  .option('--out <file>', 'where the supergraph goes', 'supergraph.graphql')
  .action(async ({ config, out }: { config: string; out: string }) => {
    const { subgraphs } = await compose(config, out);
    console.log(`${out}: composed from ${subgraphs.join(', ')}`);
  });

program
  .command('audit')
  .description('read the audit log')
  .command('tail')
  .description('print the newest records')
  .option(
    '--data <folder>',
    'the data folder of a running start, when DATABASE_URL is not set',
    defaultDataDir(),
  )
  .option('-n, --lines <count>', 'how many', wholeNumber, 10)
  .option('-f, --follow', 'go on with those that come', false)
  .option('--json', 'one JSON object per line', false)
  .action(async (options: { data: string; lines: number; follow: boolean; json: boolean }) => {
    const databaseUrl = process.env.DATABASE_URL ?? (await readRunFile(resolve(options.data)))?.databaseUrl;
    if (databaseUrl === undefined) {
      throw new CommandError('NO_DATABASE', `no start runs on ${options.data}, and DATABASE_URL is not set`);
    }
    const { lines: limit, follow, json } = options;
    const ended = new AbortController();
    process.once('SIGINT', () => ended.abort());
    await auditTail({ databaseUrl, limit, follow, json, signal: ended.signal }, (line) => console.log(line));
  });

class CommandError extends Error {
  constructor(
    readonly code: string,
    message: string,
  ) {
    super(message);
  }
}

function wholeNumber(value: string): number {
  const number = Number(value);
  if (!Number.isInteger(number) || number < 1)
    throw new InvalidArgumentError('must be a whole number above 0');
  return number;
}

/** A foreseen failure is told in a line or two; anything else is a bug and keeps its stack. */
function report(error: unknown): void {
  const isForeseen =
    error instanceof ComposeError ||
    error instanceof ConfigurationError ||
    error instanceof SupergraphError ||
    error instanceof StoreError ||
    error instanceof AuthorityError ||
    error instanceof WalkthroughError ||
    error instanceof CommandError;
  if (isForeseen) {
    console.error(`${error.code}: ${error.message}`);
    if (error instanceof ComposeError) for (const detail of error.details) console.error(`  ${detail}`);
  } else if (error instanceof Error && 'code' in error && error.code === 'EADDRINUSE') {
    console.error(`ADDRESS_IN_USE: ${error.message}`);
  } else console.error(error);
  process.exitCode = 1;
}

try {
  await program.parseAsync();
} catch (error) {
  report(error);
}
