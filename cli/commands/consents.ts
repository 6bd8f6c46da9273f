import { Command } from 'commander';
import type { CommandProcess } from '../command-process.js';
import { findDatabaseUrl } from '../data-dir.js';
import { answer, answersBy } from '../exit-codes.js';
import { dataOption } from '../options.js';

function verifyCommand(host: CommandProcess): Command {
  return answersBy(
    new Command('verify')
      .description('compare every stored consent with a replay of the event log')
      .addOption(dataOption(host.env))
      .action(({ data }: { data: string }) =>
        answer(host, async () => {
          const { consentsVerify } = await import('../actions/consents-verify.js');
          return consentsVerify(await findDatabaseUrl(data, host.env), host.printLine);
        }),
      ),
    'all consents agree with the log',
    'some consents differ from the log',
  );
}

export function consentsCommand(host: CommandProcess): Command {
  return new Command('consents')
    .description('check the consents in the authority’s database')
    .addCommand(verifyCommand(host));
}
