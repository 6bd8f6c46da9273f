import { Command, InvalidArgumentError, Option } from 'commander';
import { auditEvents, recordClasses } from '@behalf/audit';
import type { AuditEventName, AuditOutcome, RecordClass } from '@behalf/audit';
import { auditOutcomes } from '@behalf/audit/internal';
import { withoutUndefined } from '@behalf/directives/internal';
import type { AuditSource, Printing } from '../actions/audit-tail.js';
import { CommandError } from '../command-error.js';
import type { CommandProcess } from '../command-process.js';
import { findDatabaseUrl } from '../data-dir.js';
import { DEFAULT_EXIT_CODES, withExitCodes } from '../exit-codes.js';
import {
  dataOption,
  operatorOption,
  parseCount,
  parseText,
  parseTime,
  parseTransaction,
} from '../options.js';

interface SourceOptions {
  readonly data: string;
  readonly file?: string;
}

function fileOption(): Option {
  return new Option('--file <file>', 'a gateway’s `audit.file` (default: the database)');
}

function auditFormatOption(): Option {
  return new Option('--format <format>', 'output for people, as JSON lines, or as OCSF API Activity')
    .choices(['human', 'json', 'ocsf'])
    .default('human');
}

async function sourceOf({ data, file }: SourceOptions, host: CommandProcess): Promise<AuditSource> {
  return file === undefined ? { databaseUrl: await findDatabaseUrl(data, host.env) } : { file };
}

const printingOf = (host: CommandProcess): Printing => ({ print: host.printLine, warn: host.printError });

interface TailOptions extends SourceOptions {
  readonly lines: number;
  readonly follow: boolean;
  readonly format: 'human' | 'json' | 'ocsf';
}

export function tailCommand(host: CommandProcess): Command {
  return withExitCodes(
    new Command('tail')
      .description('print the newest audit records')
      .option('-n, --lines <count>', 'how many records', parseCount, 10)
      .option('-f, --follow', 'keep printing new records until Ctrl-C', false)
      .addOption(fileOption())
      .addOption(auditFormatOption())
      .addOption(dataOption(host.env))
      .action(async ({ follow, format, lines: limit, ...options }: TailOptions) => {
        const source = await sourceOf(options, host);
        const stop = new AbortController();
        process.once('SIGINT', () => stop.abort());
        const { auditTail } = await import('../actions/audit-tail.js');
        await auditTail({ source, limit, follow, format, signal: stop.signal }, printingOf(host));
      }),
    DEFAULT_EXIT_CODES,
  );
}

interface SearchOptions extends SourceOptions {
  readonly lines: number;
  readonly format: 'human' | 'json' | 'ocsf';
  readonly subject?: string;
  readonly pseudonym?: string;
  readonly client?: string;
  readonly actor?: string;
  readonly coordinate?: string;
  readonly outcome?: AuditOutcome;
  readonly event?: AuditEventName;
  readonly class?: RecordClass;
  readonly transaction?: string;
  readonly from?: Date;
  readonly until?: Date;
  readonly reason?: string;
  readonly by: string;
}

export function searchCommand(host: CommandProcess): Command {
  return withExitCodes(
    new Command('search')
      .description('print the newest audit records that match every option')
      .option(
        '--subject <name>',
        'about a person, as the gateway knows them; needs --reason (default: anybody)',
      )
      .option(
        '--pseudonym <pseudonym>',
        'about a person, as records name them; needs --reason, but not with --file (default: anybody)',
      )
      .option('--client <id>', 'by an application (default: any)')
      .option('--actor <id>', 'by an actor that acts for an application (default: any)')
      .option('--coordinate <field>', 'that asked for a field, such as Customer.email (default: any)')
      .addOption(
        new Option('--outcome <outcome>', 'how a request ended (default: any)').choices(auditOutcomes),
      )
      .option(
        '--event <event>',
        'what happened besides requests, such as consent-revoked (default: any)',
        parseEvent,
      )
      .addOption(new Option('--class <class>', 'which kind of records (default: any)').choices(recordClasses))
      .option('--transaction <id>', 'of one transaction (default: any)', parseTransaction)
      .option('--from <time>', 'stored at this time or later (default: the log’s beginning)', parseTime)
      .option('--until <time>', 'stored before this time (default: now)', parseTime)
      .option('-n, --lines <count>', 'how many records', parseCount, 10)
      .option('--reason <text>', 'why somebody’s records are looked for; recorded in the log (default: none)')
      .addOption(operatorOption())
      .addOption(fileOption())
      .addOption(auditFormatOption())
      .addOption(dataOption(host.env))
      .action(async (options: SearchOptions) => {
        refuseContradictions(options);
        const source = await sourceOf(options, host);
        const { format, lines: limit } = options;
        const search = { source, limit, format, subject: subjectOf(options), filter: filterOf(options) };
        const { auditSearch } = await import('../actions/audit-search.js');
        await auditSearch(search, printingOf(host));
      }),
    DEFAULT_EXIT_CODES,
  );
}

/** @throws InvalidArgumentError */
function parseEvent(value: string): AuditEventName {
  if (Object.hasOwn(auditEvents, value)) return value as AuditEventName;
  throw new InvalidArgumentError('must be an event of docs/reference/audit-events.md');
}

/** @throws CommandError `USAGE` */
function refuseContradictions({ file, pseudonym, reason, subject }: SearchOptions): void {
  const refuse = (message: string): never => {
    throw new CommandError('USAGE', message);
  };
  if (subject !== undefined && pseudonym !== undefined)
    refuse('--subject and --pseudonym name a person twice');
  if (subject !== undefined && file !== undefined)
    refuse('--subject needs the database: with --file, give --pseudonym');
  const person = subject ?? pseudonym;
  if (file !== undefined || person === undefined) {
    if (reason !== undefined) refuse('--reason is for --subject and --pseudonym, in the database');
    return;
  }
  if (reason === undefined || reason.trim() === '') {
    const option = subject === undefined ? '--pseudonym' : '--subject';
    refuse(`${option} needs --reason: looking for a person’s records is recorded, and they can see it`);
  }
}

function subjectOf({ by, reason, subject }: SearchOptions) {
  return reason === undefined ? undefined : { name: subject, operator: by, reason };
}

function filterOf(options: SearchOptions) {
  const {
    actor,
    class: recordClass,
    client,
    coordinate,
    event,
    from,
    outcome,
    pseudonym,
    transaction,
    until,
  } = options;
  const filter = {
    subject: pseudonym,
    client,
    actor,
    coordinate,
    outcome,
    event,
    class: recordClass,
    transaction,
  };
  return withoutUndefined({ ...filter, from, until });
}

interface ExportOptions extends SourceOptions {
  readonly format: 'tiles' | 'json' | 'ocsf';
  readonly from?: Date;
  readonly until?: Date;
}

export function exportCommand(host: CommandProcess): Command {
  return withExitCodes(
    new Command('export')
      .description('write the log to a folder that others can verify, or its records to a file')
      .argument(
        '<target>',
        'a folder for tiles, created if it is missing; a new file for the other formats',
        parseText,
      )
      .addOption(
        new Option(
          '--format <format>',
          'C2SP tlog-tiles with the records (again: what is new), or the records as JSON lines or OCSF API Activity',
        )
          .choices(['tiles', 'json', 'ocsf'])
          .default('tiles'),
      )
      .option('--from <time>', 'only records of this time or later, not for tiles (default: all)', parseTime)
      .option('--until <time>', 'only records before this time, not for tiles (default: all)', parseTime)
      .addOption(fileOption())
      .addOption(dataOption(host.env))
      .action(async (target: string, options: ExportOptions) => {
        if (options.format === 'tiles') await exportTiles(target, options, host);
        else await exportRecords(target, { ...options, format: options.format }, host);
      }),
    DEFAULT_EXIT_CODES,
  );
}

async function exportTiles(folder: string, options: ExportOptions, host: CommandProcess): Promise<void> {
  const { file, from, until } = options;
  if (file !== undefined)
    throw new CommandError('USAGE', 'a file is no log, so it has no tiles: see --format');
  if (from !== undefined || until !== undefined) {
    throw new CommandError('USAGE', 'tiles are of the whole log: --from and --until need another --format');
  }
  const databaseUrl = await findDatabaseUrl(options.data, host.env);
  const { auditExport } = await import('../actions/audit-log.js');
  host.printLine(`${await auditExport(databaseUrl, folder)} entries are in ${folder}`);
}

async function exportRecords(
  target: string,
  { format, from, until, ...options }: ExportOptions & { readonly format: 'json' | 'ocsf' },
  host: CommandProcess,
): Promise<void> {
  const source = await sourceOf(options, host);
  const { auditExportRecords } = await import('../actions/audit-export.js');
  const count = await auditExportRecords({ source, target, format, from, until, warn: host.printError });
  host.printLine(`${count} records are in ${target}`);
}
