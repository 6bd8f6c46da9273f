import { Command } from 'commander';
import { withExitCodes, DEFAULT_EXIT_CODES } from '../exit-codes.js';
import { dataOption, parseCount } from '../options.js';
import { findDatabaseUrl } from '../data-dir.js';
import { printLine } from '../terminal.js';

const tailCommand = withExitCodes(
  new Command('tail')
    .description('print the newest audit records')
    .addOption(dataOption())
    .option('-n, --lines <count>', 'how many records', parseCount, 10)
    .option('-f, --follow', 'keep printing new records until Ctrl-C', false)
    .option('--json', 'print one JSON object per line', false)
    .action(async (options: { data: string; lines: number; follow: boolean; json: boolean }) => {
      const databaseUrl = await findDatabaseUrl(options.data);
      const { lines: limit, follow, json } = options;
      const stop = new AbortController();
      process.once('SIGINT', () => stop.abort());
      const { auditTail } = await import('../actions/audit-tail.js');
      await auditTail({ databaseUrl, limit, follow, json, signal: stop.signal }, printLine);
    }),
  DEFAULT_EXIT_CODES,
);

export const auditCommand = new Command('audit').description('read the audit log').addCommand(tailCommand);
