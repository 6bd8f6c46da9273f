import { Command } from 'commander';
import type { CommandProcess } from '../command-process.js';
import { DEFAULT_EXIT_CODES, withExitCodes } from '../exit-codes.js';

export function replayStoreCommand(host: CommandProcess): Command {
  return withExitCodes(
    new Command('replay-store')
      .description('prepare the database (DATABASE_URL) in which several gateways share used DPoP proofs')
      .option(
        '--role <name>',
        'the role that the gateways connect as, with the password in BEHALF_REPLAY_PASSWORD (default: "behalf_replay")',
      )
      .action(async ({ role }: { role?: string }) => {
        const { prepareReplayStore } = await import('../actions/replay-store.js');
        const { DATABASE_URL: databaseUrl, BEHALF_REPLAY_PASSWORD: password } = host.env;
        host.printLine(await prepareReplayStore({ databaseUrl, password, role }));
      }),
    DEFAULT_EXIT_CODES,
  );
}
