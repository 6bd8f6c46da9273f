import { Command } from 'commander';
import type { CommandProcess } from '../command-process.js';
import { findDatabaseUrl } from '../data-dir.js';
import { answer, answersBy } from '../exit-codes.js';
import { dataOption, operatorOption, parseText, reasonOption } from '../options.js';

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

interface ForgetOptions {
  readonly data: string;
  readonly reason: string;
  readonly by: string;
}

function forgetCommand(host: CommandProcess): Command {
  return answersBy(
    new Command('forget')
      .description('remove a person: their account goes, and their consents no longer say whose they were')
      .argument('<subject>', 'the sub of their tokens', parseText)
      .addOption(reasonOption())
      .addOption(operatorOption())
      .addOption(dataOption(host.env))
      .action((subject: string, { by, data, reason }: ForgetOptions) =>
        answer(host, async () => {
          const databaseUrl = await findDatabaseUrl(data, host.env);
          const { consentsForget } = await import('../actions/consents-forget.js');
          return consentsForget(databaseUrl, subject, { operator: by, reason }, host.printLine);
        }),
      ),
    'the person is forgotten',
    'the authority has nothing of theirs',
  );
}

export function consentsCommand(host: CommandProcess): Command {
  return new Command('consents')
    .description('check the consents in the authority’s database, or forget whose they were')
    .addCommand(verifyCommand(host))
    .addCommand(forgetCommand(host));
}
