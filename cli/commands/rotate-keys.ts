import { Command } from 'commander';
import { DEFAULT_EXIT_CODES, withExitCodes } from '../exit-codes.js';
import { collect, dataOption } from '../options.js';
import { findDatabaseUrl } from '../data-dir.js';
import { printLine } from '../terminal.js';

interface Options {
  readonly data: string;
  readonly revoke: readonly string[];
  readonly reason?: string;
}

export const rotateKeysCommand = withExitCodes(
  new Command('rotate-keys')
    .description('let the authority’s next signing key take over, or revoke keys that have leaked')
    .addOption(dataOption())
    .option(
      '--revoke <kid>',
      'revoke this key at once, with everything it signed; may be repeated (default: none)',
      collect,
      [],
    )
    .option('--reason <text>', 'why; sent to every gateway with the change (default: no reason)')
    .action(async ({ data, ...options }: Options) => {
      const databaseUrl = await findDatabaseUrl(data);
      const { rotateKeys } = await import('../actions/rotate-keys.js');
      await rotateKeys({ databaseUrl, ...options }, printLine);
    }),
  DEFAULT_EXIT_CODES,
);
