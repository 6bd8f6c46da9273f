import { Command, Option } from 'commander';
import type { CommandProcess } from '../command-process.js';
import { DEFAULT_EXIT_CODES, withExitCodes } from '../exit-codes.js';
import { dataOption, reasonOption } from '../options.js';

const CLIENT_ID = 'the client’s identifier';

interface AddOptions {
  readonly file?: string;
  readonly name?: string;
  readonly owner?: string;
  readonly contact?: string;
  readonly redirectUri?: string[];
  readonly origin?: string[];
  readonly homePage?: string;
  readonly public: boolean;
  readonly policy: string;
  readonly data: string;
}

function addCommand(host: CommandProcess): Command {
  return new Command('add')
    .description('register an application; the secret of a confidential one is printed once')
    .argument('<client-id>', 'its identifier, as in the policy')
    .addOption(fileOption().conflicts(['name', 'owner', 'contact', 'redirectUri', 'origin', 'homePage']))
    .option('--name <name>', 'display name; required without --file')
    .option('--owner <name>', 'the organisation that is responsible for it; required without --file')
    .option(
      '--contact <address>',
      'where to ask that organisation: an e-mail address or https; required without --file',
    )
    .option(
      '--redirect-uri <uri...>',
      'redirect address, compared exactly: https, or http on 127.0.0.1; required without --file',
    )
    .option(
      '--origin <origin...>',
      'origin of its web pages that call the authority from a browser, such as https://app.example (default: none)',
    )
    .option('--home-page <uri>', 'its web site (default: none)')
    .option('--public', 'it cannot keep a secret, and uses PKCE alone', false)
    .addOption(policyOption())
    .addOption(dataOption(host.env))
    .action(async (clientId: string, options: AddOptions) => {
      const { clientsAdd } = await import('../actions/clients-add.js');
      const { public: isPublic, origin: origins, redirectUri: redirectUris, ...rest } = options;
      await clientsAdd(
        { ...rest, env: host.env, clientId, origins, redirectUris, confidential: !isPublic },
        host.printLine,
      );
    });
}

function changeCommand(host: CommandProcess): Command {
  return new Command('change')
    .description('replace the whole registration of an application')
    .argument('<client-id>', CLIENT_ID)
    .addOption(fileOption().makeOptionMandatory())
    .addOption(policyOption())
    .addOption(dataOption(host.env))
    .action(async (clientId: string, options: { file: string; policy: string; data: string }) => {
      const { clientsChange } = await import('../actions/clients-change.js');
      await clientsChange({ ...options, env: host.env, clientId }, host.printLine);
    });
}

function renewSecretCommand(host: CommandProcess): Command {
  return new Command('renew-secret')
    .description('give an application a new secret, printed once; the old one stops working at once')
    .argument('<client-id>', CLIENT_ID)
    .addOption(dataOption(host.env))
    .action(async (clientId: string, { data }: { data: string }) => {
      const { clientsRenewSecret } = await import('../actions/clients-change.js');
      await clientsRenewSecret({ data, env: host.env, clientId }, host.printLine);
    });
}

function listCommand(host: CommandProcess): Command {
  return new Command('list')
    .description('list the registered applications')
    .option('--all', 'include retired ones', false)
    .addOption(dataOption(host.env))
    .action(async (options: { data: string; all: boolean }) => {
      const { clientsList } = await import('../actions/clients-list.js');
      await clientsList({ ...options, env: host.env }, host.printLine);
    });
}

function showCommand(host: CommandProcess): Command {
  return new Command('show')
    .description('print the registration of an application')
    .argument('<client-id>', CLIENT_ID)
    .addOption(dataOption(host.env))
    .action(async (clientId: string, { data }: { data: string }) => {
      const { clientsShow } = await import('../actions/clients-show.js');
      await clientsShow({ data, env: host.env, clientId }, host.printLine);
    });
}

function retireCommand(host: CommandProcess): Command {
  return new Command('retire')
    .description('end an application, its consents and its tokens, for good')
    .argument('<client-id>', CLIENT_ID)
    .addOption(reasonOption())
    .addOption(dataOption(host.env))
    .action(async (clientId: string, { data, reason }: { data: string; reason: string }) => {
      const { clientsRetire } = await import('../actions/clients-retire.js');
      await clientsRetire({ data, env: host.env, clientId, reason }, host.printLine);
    });
}

export function clientsCommand(host: CommandProcess): Command {
  const group = new Command('clients').description('register applications in the authority’s database');
  for (const create of [
    addCommand,
    changeCommand,
    renewSecretCommand,
    listCommand,
    showCommand,
    retireCommand,
  ]) {
    group.addCommand(withExitCodes(create(host), DEFAULT_EXIT_CODES));
  }
  return group;
}

function fileOption(): Option {
  return new Option(
    '--file <file>',
    'the whole registration as JSON, including what the options cannot say, such as `oauth` (default: the options)',
  );
}

function policyOption(): Option {
  return new Option('--policy <file>', 'the policy, which must know the client').default('policy.yaml');
}
