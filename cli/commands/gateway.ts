import { resolve } from 'node:path';
import { Command } from 'commander';
import type { CommandProcess } from '../command-process.js';
import { withExitCodes } from '../exit-codes.js';

export function gatewayCommand(host: CommandProcess): Command {
  return withExitCodes(
    new Command('gateway')
      .description('run the gateway')
      .requiredOption('--config <file>', 'the gateway’s configuration, YAML or JSON')
      .action(async ({ config }: { config: string }) => {
        const { readConfig, startGateway } = await import('@behalf/gateway');
        const { startTracing } = await import('../telemetry.js');
        const endTracing = startTracing('behalf-gateway');
        const gateway = await startGateway(await readConfig(resolve(config)));
        process.on('SIGHUP', () => void gateway.reload());
        const end = new Promise<void>((ended, failed) => {
          // A person at a terminal has no load balancer to inform; a second SIGTERM ends the process at once.
          process.once('SIGINT', () => void gateway.close().then(ended, failed));
          process.once('SIGTERM', () => void gateway.drain().then(ended, failed));
        });
        // Only now: whoever reads that it runs may end it at once.
        host.printLine(`gateway  ${gateway.url}/graphql`);
        await end;
        await endTracing();
      }),
    { 0: 'it ran until SIGINT or SIGTERM', 1: 'it could not start' },
  );
}
