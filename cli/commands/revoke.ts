import { Argument, Command } from 'commander';
import type { CommandProcess } from '../command-process.js';
import type { RevokeOptions } from '../actions/revoke.js';
import { answer, answersBy } from '../exit-codes.js';
import { dataOption, reasonOption, waitOption } from '../options.js';
import { findDatabaseUrl } from '../data-dir.js';

type Options = Pick<RevokeOptions, 'reason' | 'wait'> & { readonly data: string };

export function revokeCommand(host: CommandProcess): Command {
  return answersBy(
    new Command('revoke')
      .description(
        'end a consent, a token, a session, or everything of a client or subject, directly in the authority’s database',
      )
      .addArgument(
        new Argument('<kind>', 'what to end').choices(['consent', 'token', 'client', 'subject', 'session']),
      )
      .argument('<id>', 'its identifier: consent id, jti, client_id, sub or sid')
      .addOption(reasonOption())
      .addOption(waitOption())
      .addOption(dataOption(host.env))
      .action((kind: RevokeOptions['kind'], id: string, { data, ...options }: Options) =>
        answer(host, async () => {
          const { revoke } = await import('../actions/revoke.js');
          return revoke(
            { ...options, databaseUrl: await findDatabaseUrl(data, host.env), kind, id },
            host.printLine,
          );
        }),
      ),
    'it has ended',
    'the identifier is unknown, or (with --wait) not every gateway enforces it yet',
  );
}
