import { Command } from 'commander';
import type { CommandProcess } from '../command-process.js';
import { withExitCodes, DEFAULT_EXIT_CODES } from '../exit-codes.js';
import { dataOption, parseCount } from '../options.js';
import { findDatabaseUrl } from '../data-dir.js';

function tailCommand(host: CommandProcess): Command {
  return withExitCodes(
    new Command('tail')
      .description('print the newest audit records')
      .addOption(dataOption(host.env))
      .option('-n, --lines <count>', 'how many records', parseCount, 10)
      .option('-f, --follow', 'keep printing new records until Ctrl-C', false)
      .option('--json', 'print one JSON object per line', false)
      .action(async (options: { data: string; lines: number; follow: boolean; json: boolean }) => {
        const databaseUrl = await findDatabaseUrl(options.data, host.env);
        const { lines: limit, follow, json } = options;
        const stop = new AbortController();
        process.once('SIGINT', () => stop.abort());
        const { auditTail } = await import('../actions/audit-tail.js');
        await auditTail({ databaseUrl, limit, follow, json, signal: stop.signal }, host.printLine);
      }),
    DEFAULT_EXIT_CODES,
  );
}

export function auditCommand(host: CommandProcess): Command {
  return new Command('audit').description('read the audit log').addCommand(tailCommand(host));
}
