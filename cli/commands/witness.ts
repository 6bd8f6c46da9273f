import { resolve } from 'node:path';
import { systemClock } from '@behalf/directives/internal';
import { Command } from 'commander';
import type { CommandProcess } from '../command-process.js';
import { withExitCodes } from '../exit-codes.js';
import { parsePort } from '../options.js';

interface WitnessCommandOptions {
  readonly name: string;
  readonly key: string;
  readonly logs: string;
  readonly state: string;
  readonly host: string;
  readonly port: number;
}

export function witnessCommand(host: CommandProcess): Command {
  return withExitCodes(
    new Command('witness')
      .description(
        'cosign the checkpoints of logs that only grow (C2SP tlog-witness), until SIGINT or SIGTERM',
      )
      .requiredOption('--name <name>', 'name of the witness, such as witness.example/w1')
      .requiredOption('--key <file>', 'private key of the witness (PEM); made if the file is missing')
      .requiredOption(
        '--logs <file>',
        'the logs that it cosigns: `log` lines of a C2SP tlog-policy, which need no quorum',
      )
      .requiredOption('--state <folder>', 'folder of what it remembers; made if it is missing')
      .option('--host <host>', 'where it listens', '127.0.0.1')
      .option('--port <port>', 'where it listens', parsePort, 7380)
      .action(async (options: WitnessCommandOptions) => {
        const { startWitness } = await import('@behalf/witness');
        const { withPolicy } = await import('../with-policy.js');
        // Before it prints its line: whoever reads that may end it at once.
        const ended = new Promise<void>((resolveEnd) => {
          for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => resolveEnd());
        });
        const witness = await withPolicy(options.logs, (policy) =>
          startWitness({
            name: options.name,
            keyFile: resolve(options.key),
            policy,
            stateFolder: resolve(options.state),
            host: options.host,
            port: options.port,
            now: () => systemClock.now(),
          }),
        );
        host.printLine(`witness ${options.name} ${witness.verifierKey} ${witness.url}`);
        await ended;
        await witness.close();
      }),
    { 0: 'it ran until SIGINT or SIGTERM', 1: 'it could not start' },
  );
}
