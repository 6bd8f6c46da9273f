import { resolve } from 'node:path';
import { Argument, Command, InvalidArgumentError, Option } from 'commander';
import { printableLines } from '@behalf/gateway/internal';
import { CommandError } from './command-error.js';
import { defaultDataDir } from './data-dir.js';
import type { ExplainOptions } from './explain-command.js';
import { DEFAULT_GATEWAY_PORT, portsFrom } from './ports.js';
import type { RevokeOptions } from './revoke-command.js';
import { readRunFile } from './run-file.js';
import type { StopOptions } from './suspend-command.js';
import { printBug, printError, printLine } from './terminal.js';

// Each command loads what it needs when it runs: composing does not load an authorization server.
const program = new Command('behalf')
  .description('The authorization layer of a GraphQL federation')
  .configureOutput({ writeErr: (text) => process.stderr.write(printableLines(text)) })
  .showHelpAfterError();

program
  .command('start')
  .description('run the whole example on this machine: database, authority, gateway, subgraphs')
  .option('--data <folder>', 'where the database and the secrets are kept', defaultDataDir())
  .option(
    '--port <number>',
    'the gateway’s; the others lie up to 14 above it',
    wholeNumber,
    DEFAULT_GATEWAY_PORT,
  )
  .action(async ({ data, port }: { data: string; port: number }) => {
    const { startCommand } = await import('./start-command.js');
    const { startTracing } = await import('./telemetry.js');
    const endTracing = startTracing('behalf');
    process.exitCode = await startCommand({
      dataDir: resolve(data),
      databaseUrl: process.env.DATABASE_URL,
      ports: portsFrom(port),
    });
    await endTracing();
  });

program
  .command('walkthrough')
  .description(
    'an application’s way through the example, printed: against a running start, or one of its own',
  )
  .option('--data <folder>', 'the data folder of the start', defaultDataDir())
  .action(async ({ data }: { data: string }) => {
    const { walkthroughCommand } = await import('./walkthrough.js');
    await walkthroughCommand({ dataDir: resolve(data), databaseUrl: process.env.DATABASE_URL });
  });

program
  .command('gateway')
  .description('run the gateway alone')
  .requiredOption('--config <file>', 'its configuration (YAML or JSON)')
  .action(async ({ config }: { config: string }) => {
    const { readConfig, startGateway } = await import('@behalf/gateway');
    const { startTracing } = await import('./telemetry.js');
    const endTracing = startTracing('behalf-gateway');
    const gateway = await startGateway(await readConfig(resolve(config)));
    printLine(`gateway  ${gateway.url}/graphql`);
    process.on('SIGHUP', () => void gateway.reload());
    await new Promise<void>((stop) => {
      process.once('SIGINT', () => stop());
      process.once('SIGTERM', () => stop());
    });
    await gateway.close();
    await endTracing();
  });

program
  .command('compose')
  .description('compose the supergraph from the subgraphs’ schemas')
  .option('--config <file>', 'rover’s supergraph.yaml', 'supergraph.yaml')
  .option('--out <file>', 'where the supergraph goes', 'supergraph.graphql')
  .action(async ({ config, out }: { config: string; out: string }) => {
    const { compose } = await import('@behalf/gateway/tools');
    const { subgraphs } = await compose(config, out);
    printLine(`${out}: composed from ${subgraphs.join(', ')}`);
  });

program
  .command('lint')
  .description('find what the rules of the schemas cannot mean. Exit: 0 no errors, 1 errors, 2 unusable')
  .option('--config <file>', 'rover’s supergraph.yaml (default: supergraph.yaml)')
  .option('--supergraph <file>', 'look at a composed supergraph instead of the subgraphs')
  .option('--policy <file>', 'policy.yaml: compares its scopes and purposes as well')
  .addOption(format())
  .exitOverride(exitAsUnusable)
  .action((options: { config?: string; supergraph?: string; policy?: string; format: 'human' | 'json' }) =>
    answer(async () => {
      const { lintCommand } = await import('./lint-command.js');
      return lintCommand(options, printLine);
    }),
  );

program
  .command('explain')
  .description(
    'tell what becomes of each field of an operation. Exit: 0 all allowed, 1 something denied, 2 unusable',
  )
  .argument('<operation>', 'file with the operation, or - for standard input')
  .option('--supergraph <file>', 'a supergraph, or a supergraph.yaml to compose', 'supergraph.yaml')
  .addOption(coverage())
  .option('--operation <name>', 'which operation of the file')
  .option(
    '--token <token>',
    'decide for the claims of this JWT, which is NOT verified; @FILE reads it from a file',
  )
  .option('--scopes <names>', 'decide for a token with these scopes, separated by commas', words)
  .option('--purposes <names>', 'decide for a consent to these purposes', words)
  .option('--policies <names>', 'suppose that these policies hold', words)
  .option('--anonymous', 'decide for a caller without a token (the default)', false)
  .addOption(format())
  .exitOverride(exitAsUnusable)
  .action(
    (
      operationFile: string,
      {
        operation: operationName,
        ...options
      }: Omit<ExplainOptions, 'operationFile'> & { operation?: string },
    ) =>
      answer(async () => {
        const { explainCommand } = await import('./explain-command.js');
        return explainCommand({ ...options, operationFile, operationName }, printLine, printError);
      }),
  );

program
  .command('diff')
  .description(
    'tell what a schema change opens or closes. Exit: 0 nothing opened, 1 something opened, 2 unusable',
  )
  .argument('<old>', 'a supergraph, or a supergraph.yaml to compose')
  .argument('<new>', 'the same, after the change')
  .addOption(coverage())
  .addOption(format())
  .exitOverride(exitAsUnusable)
  .action(
    (before: string, after: string, options: { coverage: 'required' | 'open'; format: 'human' | 'json' }) =>
      answer(async () => {
        const { diffCommand } = await import('./diff-command.js');
        return diffCommand({ before, after, ...options }, printLine);
      }),
  );

program
  .command('audit')
  .description('read the audit log')
  .command('tail')
  .description('print the newest records')
  .option(
    '--data <folder>',
    'the data folder of a running start, when DATABASE_URL is not set',
    defaultDataDir(),
  )
  .option('-n, --lines <count>', 'how many', wholeNumber, 10)
  .option('-f, --follow', 'go on with those that come', false)
  .option('--json', 'one JSON object per line', false)
  .action(async (options: { data: string; lines: number; follow: boolean; json: boolean }) => {
    const databaseUrl = await databaseUrlOf(options.data);
    const { lines: limit, follow, json } = options;
    const ended = new AbortController();
    process.once('SIGINT', () => ended.abort());
    const { auditTail } = await import('./audit-tail.js');
    await auditTail({ databaseUrl, limit, follow, json, signal: ended.signal }, printLine);
  });

const clients = program.command('clients').description('register applications in the authority’s store');

clients
  .command('add')
  .description('register an application; prints the secret of a confidential one, once')
  .argument('<client-id>', 'its identifier, which the policy must know')
  .addOption(registrationFile().conflicts(['name', 'owner', 'contact', 'redirectUri', 'homePage']))
  .option('--name <name>', 'as people see it')
  .option('--owner <name>', 'the organisation that answers for it')
  .option('--contact <address>', 'where to ask them: an e-mail address, or https')
  .option('--redirect-uri <uri...>', 'each exactly as it will be asked for: https, or http on 127.0.0.1')
  .option('--home-page <uri>', 'where it presents itself')
  .option('--public', 'it cannot keep a secret: PKCE alone', false)
  .addOption(policyFile())
  .addOption(dataFolder())
  .action(
    async (
      clientId: string,
      options: {
        file?: string;
        name?: string;
        owner?: string;
        contact?: string;
        redirectUri?: string[];
        homePage?: string;
        public: boolean;
        policy: string;
        data: string;
      },
    ) => {
      const { clientsAdd } = await import('./clients-add.js');
      const { public: isPublic, redirectUri: redirectUris, ...rest } = options;
      await clientsAdd({ ...rest, clientId, redirectUris, confidential: !isPublic }, printLine);
    },
  );

clients
  .command('change')
  .description('give an application another registration, as a whole')
  .argument('<client-id>')
  .addOption(registrationFile().makeOptionMandatory())
  .addOption(policyFile())
  .addOption(dataFolder())
  .action(async (clientId: string, options: { file: string; policy: string; data: string }) => {
    const { clientsChange } = await import('./clients-change.js');
    await clientsChange({ ...options, clientId }, printLine);
  });

clients
  .command('renew-secret')
  .description('give an application another secret, printed once; the old one ends at once')
  .argument('<client-id>')
  .addOption(dataFolder())
  .action(async (clientId: string, { data }: { data: string }) => {
    const { clientsRenewSecret } = await import('./clients-change.js');
    await clientsRenewSecret({ data, clientId }, printLine);
  });

clients
  .command('list')
  .description('print the registered applications')
  .option('--all', 'retired ones as well', false)
  .addOption(dataFolder())
  .action(async (options: { data: string; all: boolean }) => {
    const { clientsList } = await import('./clients-list.js');
    await clientsList(options, printLine);
  });

clients
  .command('show')
  .description('print what is registered of an application')
  .argument('<client-id>')
  .addOption(dataFolder())
  .action(async (clientId: string, { data }: { data: string }) => {
    const { clientsShow } = await import('./clients-show.js');
    await clientsShow({ data, clientId }, printLine);
  });

clients
  .command('retire')
  .description('end an application, its consents and its tokens, for ever')
  .argument('<client-id>')
  .requiredOption('--reason <words>', 'why; goes on record')
  .addOption(dataFolder())
  .action(async (clientId: string, { data, reason }: { data: string; reason: string }) => {
    const { clientsRetire } = await import('./clients-retire.js');
    await clientsRetire({ data, clientId, reason }, printLine);
  });

program
  .command('consents')
  .description('look after the consents in the authority’s store')
  .command('verify')
  .description('compare every consent with its log. Exit: 0 they agree, 1 some differ, 2 unusable')
  .addOption(dataFolder())
  .exitOverride(exitAsUnusable)
  .action(({ data }: { data: string }) =>
    answer(async () => {
      const { consentsVerify } = await import('./consents-verify.js');
      return consentsVerify({ data }, printLine);
    }),
  );

program
  .command('rotate-keys')
  .description('let the authority’s next signing key take over, or end one that has leaked')
  .addOption(data())
  .option('--revoke <kid>', 'end this key at once, with all that it signed; may be repeated', collect, [])
  .option('--reason <text>', 'why: for the change log, and for every gateway')
  .action(async ({ data, ...options }: { data: string; revoke: string[]; reason?: string }) => {
    const databaseUrl = await databaseUrlOf(data);
    const { rotateKeysCommand } = await import('./rotate-keys-command.js');
    await rotateKeysCommand({ databaseUrl, ...options }, printLine);
  });

program
  .command('revoke')
  .description(
    'end a consent, token, client, subject’s or one session, on the authority’s database. Exit: 0 ended, 1 unknown, or not everywhere in force, 2 unusable',
  )
  .addArgument(new Argument('<kind>', 'what').choices(['consent', 'token', 'client', 'subject', 'session']))
  .argument('<id>', 'consent, jti, client_id, sub or sid')
  .requiredOption('--reason <text>', 'why, for the log')
  .option('--wait', 'until every gateway enforces it', false)
  .addOption(data())
  .exitOverride(exitAsUnusable)
  .action((kind: RevokeOptions['kind'], id: string, options: ChangeOptions) =>
    answer(async () => {
      const { revokeCommand } = await import('./revoke-command.js');
      const databaseUrl = await databaseUrlOf(options.data);
      return revokeCommand({ ...options, databaseUrl, kind, id }, printLine);
    }),
  );

stops(
  program
    .command('suspend')
    .description(
      'stop a client, a scope or everything until it is resumed, on the authority’s database. Exit as revoke',
    ),
  'suspend',
);

stops(
  program
    .command('resume')
    .description('lift a suspension, also of everything, on the authority’s database. Exit as revoke'),
  'resume',
);

program
  .command('suspensions')
  .description('print what is suspended, since when, by whom and why')
  .addOption(data())
  .action(async (options: { data: string }) => {
    const { suspensionsCommand } = await import('./suspend-command.js');
    await suspensionsCommand(await databaseUrlOf(options.data), printLine);
  });

program
  .command('policies')
  .description('print the Cedar schema that policies of a supergraph are validated against')
  .option('--supergraph <file>', 'a composed supergraph', 'supergraph.graphql')
  .action(async ({ supergraph }: { supergraph: string }) => {
    const { policiesSchema } = await import('./policies-command.js');
    const schema = await policiesSchema(resolve(supergraph));
    // For a file it stays as it is: Cedar has escapes of its own.
    process.stdout.write(process.stdout.isTTY ? printableLines(schema) : schema);
  });

program
  .command('replay-store')
  .description('prepare the database that several gateways remember used DPoP proofs in (DATABASE_URL)')
  .option('--role <name>', 'the role that gateways connect as; its password is BEHALF_REPLAY_PASSWORD')
  .action(async ({ role }: { role?: string }) => {
    const { replayStoreCommand } = await import('./replay-store-command.js');
    const { DATABASE_URL: databaseUrl, BEHALF_REPLAY_PASSWORD: password } = process.env;
    printLine(await replayStoreCommand({ databaseUrl, password, role }));
  });

program
  .command('errors')
  .description('what an error code means; without one, all of them as Markdown')
  .argument('[code]')
  .action(async (code: string | undefined) => {
    const { explainError } = await import('./errors-command.js');
    const text = explainError(code);
    if (text === undefined) throw new CommandError('UNKNOWN_CODE', 'Behalf has no such error code');
    process.stdout.write(text);
  });

function stops(command: Command, action: StopOptions['action']): void {
  command
    .addArgument(new Argument('<kind>', 'what').choices(['client', 'scope', 'everything']))
    .argument('[name]', 'client_id, or the scope')
    .requiredOption('--reason <text>', 'why, for the log')
    .option('--wait', 'until every gateway enforces it', false)
    .addOption(data())
    .exitOverride(exitAsUnusable)
    .action((kind: StopOptions['kind'], name: string | undefined, options: ChangeOptions) =>
      answer(async () => {
        const { stopCommand } = await import('./suspend-command.js');
        const databaseUrl = await databaseUrlOf(options.data);
        return stopCommand({ ...options, databaseUrl, action, kind, name }, printLine);
      }),
    );
}

interface ChangeOptions {
  readonly data: string;
  readonly reason: string;
  readonly wait: boolean;
}

/** @throws CommandError `NO_DATABASE` */
async function databaseUrlOf(dataDir: string): Promise<string> {
  const databaseUrl = process.env.DATABASE_URL ?? (await readRunFile(resolve(dataDir)))?.databaseUrl;
  if (databaseUrl !== undefined) return databaseUrl;
  throw new CommandError('NO_DATABASE', `no start runs on ${dataDir}, and DATABASE_URL is not set`);
}

function data(): Option {
  return new Option(
    '--data <folder>',
    'the data folder of a running start, when DATABASE_URL is not set',
  ).default(defaultDataDir());
}

/** Commands whose exit code is an answer: 0 and 1 are, 2 says that there is none. */
async function answer(run: () => Promise<0 | 1 | 2>): Promise<void> {
  try {
    process.exitCode = await run();
  } catch (error) {
    report(error);
    process.exitCode = 2;
  }
}

/** What is mistaken in the call is no answer either. */
function exitAsUnusable({ exitCode }: { readonly exitCode: number }): never {
  process.exit(exitCode === 0 ? 0 : 2);
}

function collect(value: string, before: string[]): string[] {
  return [...before, value];
}

function words(value: string): string[] {
  return value.split(/[\s,]+/).filter((word) => word !== '');
}

function dataFolder(): Option {
  const words = 'the data folder of a running start, when DATABASE_URL is not set';
  return new Option('--data <folder>', words).default(defaultDataDir());
}

function registrationFile(): Option {
  return new Option('--file <file>', 'the whole registration as JSON: also what flags cannot say (`oauth`)');
}

function policyFile(): Option {
  return new Option('--policy <file>', 'what applications may ask for').default('policy.yaml');
}

function format(): Option {
  return new Option('--format <format>', 'for people or for programs')
    .choices(['human', 'json'])
    .default('human');
}

function coverage(): Option {
  return new Option('--coverage <coverage>', 'as the gateway’s authorization.coverage')
    .choices(['open', 'required'])
    .default('open');
}

function wholeNumber(value: string): number {
  const number = Number(value);
  if (!Number.isInteger(number) || number < 1)
    throw new InvalidArgumentError('must be a whole number above 0');
  return number;
}

/** Errors that tell a mistake of whoever runs the command; each has a stable code. By name, so as not to load their parts. */
const FORESEEN: ReadonlySet<string> = new Set([
  'ApplicationError',
  'AuthorityError',
  'CommandError',
  'ComposeError',
  'ConfigurationError',
  'PolicyError',
  'StoreError',
  'SupergraphError',
  'WalkthroughError',
]);

/** A foreseen failure is told in a line or two; anything else is a bug and keeps its stack. */
function report(error: unknown): void {
  process.exitCode = 1;
  if (!(error instanceof Error)) {
    printBug(error);
    return;
  }
  const { code, details } = error as { code?: unknown; details?: unknown };
  if (code === 'EADDRINUSE') printError(`ADDRESS_IN_USE: ${error.message}`);
  else if (FORESEEN.has(error.name) && typeof code === 'string') {
    printError(`${code}: ${error.message}`);
    if (Array.isArray(details)) for (const detail of details) printError(`  ${String(detail)}`);
  } else printBug(error);
}

try {
  await program.parseAsync();
} catch (error) {
  report(error);
}
