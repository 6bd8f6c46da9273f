import { Command } from 'commander';
import { answer, answersBy } from '../exit-codes.js';
import { dataOption } from '../options.js';
import { printLine } from '../terminal.js';

const verifyCommand = answersBy(
  new Command('verify')
    .description('compare every stored consent with a replay of the event log')
    .addOption(dataOption())
    .action(({ data }: { data: string }) =>
      answer(async () => {
        const { consentsVerify } = await import('../actions/consents-verify.js');
        return consentsVerify({ data }, printLine);
      }),
    ),
  'all consents agree with the log',
  'some consents differ from the log',
);

export const consentsCommand = new Command('consents')
  .description('check the consents in the authority’s database')
  .addCommand(verifyCommand);
