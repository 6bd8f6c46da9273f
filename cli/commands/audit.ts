import { resolve } from 'node:path';
import { Argument, Command, Option } from 'commander';
import type { RecordClass } from '@behalf/audit';
import type { CommandProcess } from '../command-process.js';
import { answer, answersBy, DEFAULT_EXIT_CODES, withExitCodes } from '../exit-codes.js';
import { recordClasses } from '@behalf/audit';
import {
  collect,
  dataOption,
  operatorOption,
  parseText,
  parseTime,
  parseTransaction,
  reasonOption,
} from '../options.js';
import { findDatabaseUrl } from '../data-dir.js';
import { exportCommand, searchCommand, tailCommand } from './audit-read.js';

interface SequencerOptions {
  readonly data: string;
  readonly key: readonly string[];
  readonly origin: string;
  readonly witnesses?: string;
  readonly requireWitnesses: boolean;
  readonly replaceLostKey?: string;
  readonly by: string;
}

function sequencerCommand(host: CommandProcess): Command {
  return withExitCodes(
    new Command('sequencer')
      .description('put audit records into the log and sign it, until SIGINT or SIGTERM')
      .requiredOption('--origin <name>', 'name of the log, such as audit.bank.example')
      .requiredOption(
        '--key <file>',
        'private key of the log (PEM); made if the file is missing and the log is new; can be repeated while a key is replaced',
        collect,
      )
      .option('--witnesses <file>', 'whose cosignatures it asks for, a C2SP tlog-policy (default: nobody’s)')
      .option('--require-witnesses', 'only checkpoints with the quorum of witnesses count', false)
      .option(
        '--replace-lost-key <reason>',
        'why keys sign that nobody trusts yet: those of the log are lost; recorded in the log (default: refuse such keys)',
        parseText,
      )
      .addOption(operatorOption())
      .addOption(dataOption(host.env))
      .action(async (options: SequencerOptions) => {
        const databaseUrl = await findDatabaseUrl(options.data, host.env);
        const stop = new AbortController();
        for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => stop.abort());
        const [first = '', ...others] = options.key;
        const { replaceLostKey: reason } = options;
        const { auditSequencer } = await import('../actions/audit-log.js');
        const { jsonLog } = await import('@behalf/gateway');
        await auditSequencer({
          databaseUrl,
          origin: options.origin,
          keyFiles: [resolve(first), ...others.map((file) => resolve(file))],
          replacesKey: reason === undefined ? undefined : { operator: options.by, reason },
          witnessPolicyFile: options.witnesses,
          needsWitnesses: options.requireWitnesses,
          log: jsonLog(),
          started: (verifierKeys) => {
            for (const key of verifierKeys) host.printLine(`log ${key}`);
          },
          signal: stop.signal,
        });
      }),
    { 0: 'it ran until SIGINT or SIGTERM', 1: 'it could not start' },
  );
}

function policyOption(): Option {
  return new Option(
    '--policy <file>',
    'whom you trust: the log’s key, its witnesses and their quorum (C2SP tlog-policy)',
  ).makeOptionMandatory();
}

function verifyCommand(host: CommandProcess): Command {
  return answersBy(
    new Command('verify')
      .description('verify the whole log: records, entries, tree, signatures')
      .argument('[folder]', 'an exported log (default: the database)', parseText)
      .addOption(policyOption())
      .option('--seen <file>', 'a checkpoint that was seen before; can be repeated', collect, [])
      .addOption(dataOption(host.env))
      .action((folder: string | undefined, options: { policy: string; seen: string[]; data: string }) =>
        answer(host, async () => {
          const { auditVerify } = await import('../actions/audit-verify.js');
          const verification = {
            policyFile: options.policy,
            seenFiles: options.seen,
            folder,
            findDatabaseUrl: () => findDatabaseUrl(options.data, host.env),
          };
          return auditVerify(verification, host.printLine);
        }),
      ),
    'the log is as it was signed',
    'something is wrong with it',
  );
}

function verifyProofCommand(host: CommandProcess): Command {
  return answersBy(
    new Command('verify-proof')
      .description('verify a proof, offline, and print its record')
      .argument('<file>', 'the .tlog-proof')
      .addOption(policyOption())
      .action((file: string, { policy }: { policy: string }) =>
        answer(host, async () => {
          const { auditVerifyProof } = await import('../actions/audit-verify.js');
          return auditVerifyProof(file, policy, host.printLine);
        }),
      ),
    'the record is in the log',
    'the proof does not hold',
  );
}

function proveCommand(host: CommandProcess): Command {
  return withExitCodes(
    new Command('prove')
      .description('write the proof that the record of a transaction is in the log (C2SP tlog-proof)')
      .argument('<transaction>', 'the behalf-transaction of a response', parseTransaction)
      .option('-o, --output <file>', 'the file to write (default: stdout)', parseText)
      .addOption(dataOption(host.env))
      .action(async (transactionId: string, options: { output?: string; data: string }) => {
        const databaseUrl = await findDatabaseUrl(options.data, host.env);
        const { auditProve } = await import('../actions/audit-log.js');
        await auditProve({ databaseUrl, transactionId, outputFile: options.output }, host.printLine);
      }),
    DEFAULT_EXIT_CODES,
  );
}

interface RotateKeyOptions extends ErasingOptions {
  readonly origin: string;
  readonly key: string;
  readonly next: string;
}

function rotateKeyCommand(host: CommandProcess): Command {
  return withExitCodes(
    new Command('rotate-key')
      .description('introduce the log’s next key, signed by its key, in the log itself')
      .requiredOption('--origin <name>', 'name of the log')
      .requiredOption('--key <file>', 'private key of the log that verifiers trust (PEM)')
      .requiredOption('--next <file>', 'private key that follows (PEM); made if the file is missing')
      .addOption(reasonOption())
      .addOption(operatorOption())
      .addOption(dataOption(host.env))
      .action(async ({ by, data, key, next, origin, reason }: RotateKeyOptions) => {
        const databaseUrl = await findDatabaseUrl(data, host.env);
        const { auditRotateKey } = await import('../actions/audit-log.js');
        const files = { keyFile: resolve(key), nextFile: resolve(next) };
        const who = { operator: by, reason };
        host.printLine(`log ${await auditRotateKey(databaseUrl, origin, files, who)}`);
      }),
    DEFAULT_EXIT_CODES,
  );
}

interface ErasingOptions {
  readonly data: string;
  readonly reason: string;
  readonly by: string;
}

function eraseCommand(host: CommandProcess): Command {
  return answersBy(
    new Command('erase')
      .description('destroy the key of a person: their name leads to no pseudonym any more')
      .argument('<subject>', 'as the gateway knows them', parseText)
      .addOption(reasonOption())
      .addOption(operatorOption())
      .addOption(dataOption(host.env))
      .action((subject: string, { by, data, reason }: ErasingOptions) =>
        answer(host, async () => {
          const databaseUrl = await findDatabaseUrl(data, host.env);
          const { auditErase } = await import('../actions/audit-erase.js');
          return auditErase(databaseUrl, subject, { operator: by, reason }, host.printLine);
        }),
      ),
    'the key is destroyed',
    'the log has no key of theirs',
  );
}

function pruneCommand(host: CommandProcess): Command {
  return withExitCodes(
    new Command('prune')
      .description('erase the texts of old records of one class; proofs and the whole log stay valid')
      .addArgument(new Argument('<class>', 'which records').choices(recordClasses))
      .requiredOption('--before <time>', 'only records stored before this time (ISO 8601)', parseTime)
      .addOption(reasonOption())
      .addOption(operatorOption())
      .addOption(dataOption(host.env))
      .action(async (recordClass: RecordClass, options: ErasingOptions & { before: Date }) => {
        const { before, by, data, reason } = options;
        const databaseUrl = await findDatabaseUrl(data, host.env);
        const { auditPrune } = await import('../actions/audit-erase.js');
        await auditPrune(databaseUrl, recordClass, before, { operator: by, reason }, host.printLine);
      }),
    DEFAULT_EXIT_CODES,
  );
}

export function auditCommand(host: CommandProcess): Command {
  return new Command('audit')
    .description('read, search, sign, prove and verify the audit log')
    .addCommand(tailCommand(host))
    .addCommand(searchCommand(host))
    .addCommand(verifyCommand(host))
    .addCommand(proveCommand(host))
    .addCommand(verifyProofCommand(host))
    .addCommand(exportCommand(host))
    .addCommand(eraseCommand(host))
    .addCommand(pruneCommand(host))
    .addCommand(sequencerCommand(host))
    .addCommand(rotateKeyCommand(host));
}
