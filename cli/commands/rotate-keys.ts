import { Command } from 'commander';
import type { CommandProcess } from '../command-process.js';
import { DEFAULT_EXIT_CODES, withExitCodes } from '../exit-codes.js';
import { collect, dataOption } from '../options.js';
import { findDatabaseUrl } from '../data-dir.js';

interface Options {
  readonly data: string;
  readonly revoke: readonly string[];
  readonly reason?: string;
}

export function rotateKeysCommand(host: CommandProcess): Command {
  return withExitCodes(
    new Command('rotate-keys')
      .description('let the authority’s next signing key take over, or revoke keys that have leaked')
      .addOption(dataOption(host.env))
      .option(
        '--revoke <kid>',
        'revoke this key at once, with everything it signed; may be repeated (default: none)',
        collect,
        [],
      )
      .option('--reason <text>', 'why; sent to every gateway with the change (default: no reason)')
      .action(async ({ data, ...options }: Options) => {
        const databaseUrl = await findDatabaseUrl(data, host.env);
        const { rotateKeys } = await import('../actions/rotate-keys.js');
        await rotateKeys({ databaseUrl, ...options }, host.printLine);
      }),
    DEFAULT_EXIT_CODES,
  );
}
