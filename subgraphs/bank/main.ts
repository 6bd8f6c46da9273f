import { resolve } from 'node:path';
import { Command, InvalidArgumentError } from 'commander';
import { reportError } from 'behalf/internal';
import { startTracing } from 'behalf/internal';
import { DEFAULT_GATEWAY_PORT, portsFrom } from './start/ports.js';

/** Highest distance of the example's ports from the gateway's. */
const MAX_GATEWAY_PORT = 65_535 - 14;

const program = new Command('example').description(
  'The worked example: a bank with customers, accounts and payments, and everything that Behalf adds',
);

program
  .command('start')
  .description('run the whole example on this machine: database, authority, gateway, subgraphs')
  .option('--data <folder>', 'where the database and the secrets are kept', defaultDataDir())
  .option(
    '--port <number>',
    'port of the gateway; the others listen up to 14 above it',
    readPort,
    DEFAULT_GATEWAY_PORT,
  )
  .action(async ({ data, port }: { data: string; port: number }) => {
    const { startCommand } = await import('./start/command.js');
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
    'print, step by step, what an application is given: against a running `start`, or one of its own',
  )
  .option('--data <folder>', 'the data folder of the start', defaultDataDir())
  .action(async ({ data }: { data: string }) => {
    const { walkthroughCommand } = await import('./walkthrough/walkthrough.js');
    await walkthroughCommand({ dataDir: resolve(data), databaseUrl: process.env.DATABASE_URL });
  });

function defaultDataDir(): string {
  return process.env.BEHALF_DATA ?? '.behalf';
}

function readPort(value: string): number {
  const port = Number(value);
  if (Number.isInteger(port) && port >= 1 && port <= MAX_GATEWAY_PORT) return port;
  throw new InvalidArgumentError(`must be a whole number from 1 to ${MAX_GATEWAY_PORT}`);
}

try {
  await program.parseAsync();
} catch (error) {
  reportError(error, ['WalkthroughError']);
}
