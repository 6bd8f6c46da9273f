import { resolve } from 'node:path';
import { Command, InvalidArgumentError } from 'commander';
import { CommandError } from './command-error.js';
import { defaultDataDir } from './data-dir.js';
import { DEFAULT_GATEWAY_PORT, portsFrom } from './ports.js';
import { readRunFile } from './run-file.js';

// Each command loads what it needs when it runs: composing does not load an authorization server.
const program = new Command('behalf')
  .description('The authorization layer of a GraphQL federation')
  .showHelpAfterError();

program
  .command('start')
  .description('run the whole example on this machine: database, authority, gateway, subgraphs')
  .option('--data <folder>', 'where the database and the secrets are kept', defaultDataDir())
  .option(
    '--port <number>',
    'the gateway’s; the others lie up to 14 above it',
    wholeNumber,
    DEFAULT_GATEWAY_PORT,
  )
  .action(async ({ data, port }: { data: string; port: number }) => {
    const { startCommand } = await import('./start-command.js');
    const { startTracing } = await import('./telemetry.js');
    const endTracing = startTracing('behalf');
    process.exitCode = await startCommand({
      dataDir: resolve(data),
      databaseUrl: process.env.DATABASE_URL,
      ports: portsFrom(port),
    });
    await endTracing();
  });

program
  .command('walkthrough')
  .description(
    'an application’s way through the example, printed: against a running start, or one of its own',
  )
  .option('--data <folder>', 'the data folder of the start', defaultDataDir())
  .action(async ({ data }: { data: string }) => {
    const { walkthroughCommand } = await import('./walkthrough.js');
    await walkthroughCommand({ dataDir: resolve(data), databaseUrl: process.env.DATABASE_URL });
  });

program
  .command('gateway')
  .description('run the gateway alone')
  .requiredOption('--config <file>', 'its configuration (YAML or JSON)')
  .action(async ({ config }: { config: string }) => {
    const { readConfig, startGateway } = await import('../gateway/index.js');
    const { startTracing } = await import('./telemetry.js');
    const endTracing = startTracing('behalf-gateway');
    const gateway = await startGateway(await readConfig(resolve(config)));
    console.log(`gateway  ${gateway.url}/graphql`);
    process.on('SIGHUP', () => void gateway.reloadSupergraph().catch((error: unknown) => report(error)));
    await new Promise<void>((stop) => {
      process.once('SIGINT', () => stop());
      process.once('SIGTERM', () => stop());
    });
    await gateway.close();
    await endTracing();
  });

program
  .command('compose')
  .description('compose the supergraph from the subgraphs’ schemas')
  .option('--config <file>', 'rover’s supergraph.yaml', 'supergraph.yaml')
  .option('--out <file>', 'where the supergraph goes', 'supergraph.graphql')
  .action(async ({ config, out }: { config: string; out: string }) => {
    const { compose } = await import('./compose.js');
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
    const { auditTail } = await import('./audit-tail.js');
    await auditTail({ databaseUrl, limit, follow, json, signal: ended.signal }, (line) => console.log(line));
  });

program
  .command('errors')
  .description('what an error code means; without one, all of them as Markdown')
  .argument('[code]')
  .action(async (code: string | undefined) => {
    const { explainError } = await import('./errors-command.js');
    const text = explainError(code);
    if (text === undefined) throw new CommandError('UNKNOWN_CODE', 'Behalf has no such error code');
    process.stdout.write(text);
  });

function wholeNumber(value: string): number {
  const number = Number(value);
  if (!Number.isInteger(number) || number < 1)
    throw new InvalidArgumentError('must be a whole number above 0');
  return number;
}

/** Errors that tell a mistake of whoever runs the command; each has a stable code. By name, so as not to load their parts. */
const FORESEEN: ReadonlySet<string> = new Set([
  'AuthorityError',
  'CommandError',
  'ComposeError',
  'ConfigurationError',
  'StoreError',
  'SupergraphError',
  'WalkthroughError',
]);

/** A foreseen failure is told in a line or two; anything else is a bug and keeps its stack. */
function report(error: unknown): void {
  process.exitCode = 1;
  if (!(error instanceof Error)) {
    console.error(error);
    return;
  }
  const { code, details } = error as { code?: unknown; details?: unknown };
  if (code === 'EADDRINUSE') console.error(`ADDRESS_IN_USE: ${error.message}`);
  else if (FORESEEN.has(error.name) && typeof code === 'string') {
    console.error(`${code}: ${error.message}`);
    if (Array.isArray(details)) for (const detail of details) console.error(`  ${String(detail)}`);
  } else console.error(error);
}

try {
  await program.parseAsync();
} catch (error) {
  report(error);
}
