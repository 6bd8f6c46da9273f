import { writeFile } from 'node:fs/promises';
import type { Kysely } from 'kysely';
import { systemClock } from '@behalf/directives/internal';
import {
  DatabaseSource,
  exportLog,
  LastSigned,
  loadKeysOf,
  loadLogKey,
  newestCheckpoint,
  proveRecord,
  Sequencer,
  verifierKey,
} from '@behalf/audit/internal/log';
import type { SequencerLog } from '@behalf/audit/internal/log';
import { introduceKey, migrateAudit, recordReplacedKey } from '@behalf/audit/postgres';
import type { AuditDatabase, Erasing } from '@behalf/audit/postgres';
import { Witnesses } from '@behalf/witness';
import { CommandError } from '../command-error.js';
import { withDatabase } from '../database.js';
import { readText } from '../read-text.js';
import { unwritable } from '../unwritable.js';
import { withPolicy } from '../with-policy.js';

/** A log gets its next checkpoint within this time, or something is wrong with its sequencer. */
const MAX_WAIT_MS = 5_000;
const WAIT_STEP_MS = 100;

export interface SequencerCommandOptions {
  readonly databaseUrl: string;
  /** The log's name. */
  readonly origin: string;
  /** Files of its keys. Several while a key is replaced: each signs. One that is missing is made for a new log. */
  readonly keyFiles: readonly [string, ...string[]];
  /** Who says that the log's keys are lost, so that these replace them, and why. */
  readonly replacesKey?: Erasing | undefined;
  /** A C2SP tlog-policy with the witnesses that are asked. Default: none. */
  readonly witnessPolicyFile?: string | undefined;
  /** Whether checkpoints count only with the quorum of witnesses. */
  readonly needsWitnesses?: boolean | undefined;
  readonly log: SequencerLog;
  /** Called with the verifier keys when the sequencer has started. */
  readonly started: (verifierKeys: readonly string[]) => void;
  /** Aborting it ends the sequencer. */
  readonly signal: AbortSignal;
}

/** `behalf audit sequencer`: puts records into the log and signs it, until the signal. */
export async function auditSequencer(options: SequencerCommandOptions): Promise<void> {
  const { databaseUrl, keyFiles, log, needsWitnesses, origin, replacesKey, signal, started } = options;
  const { witnessPolicyFile } = options;
  if (needsWitnesses === true && witnessPolicyFile === undefined) {
    throw new CommandError('USAGE', '--require-witnesses needs --witnesses');
  }
  const witnessing =
    witnessPolicyFile === undefined
      ? undefined
      : await withPolicy(witnessPolicyFile, (policy) => new Witnesses(policy));
  const database = { max: 3, applicationName: 'behalf-audit-sequencer' };
  await withDatabase(databaseUrl, database, async (db: Kysely<AuditDatabase>) => {
    await migrateAudit(db);
    const keys = await loadKeysOf(db, origin, keyFiles, { mayReplace: replacesKey !== undefined });
    const lastSigned = await Promise.all(keyFiles.map((file) => LastSigned.open(`${file}.last-signed`)));
    const replacesLostKey =
      replacesKey !== undefined && (await recordReplacedKey(db, keys, replacesKey, systemClock.now()));
    const sequencer = new Sequencer({
      db,
      keys,
      lastSigned,
      replacesLostKey,
      witnessing,
      needsWitnesses,
      log,
    });
    sequencer.start();
    started(keys.map((each) => verifierKey(each)));
    if (!signal.aborted) {
      await new Promise((resolve) => signal.addEventListener('abort', resolve, { once: true }));
    }
    await sequencer.close();
  });
}

/** `behalf audit rotate-key`: introduces the next key in the log. @returns it, as verifiers trust it */
export async function auditRotateKey(
  databaseUrl: string,
  origin: string,
  { keyFile, nextFile }: { readonly keyFile: string; readonly nextFile: string },
  who: Erasing,
): Promise<string> {
  // A missing key must not be made here: nobody would trust it.
  await readText(keyFile);
  const database = { max: 1, applicationName: 'behalf-audit-rotate-key' };
  return withDatabase(databaseUrl, database, async (db: Kysely<AuditDatabase>) => {
    const [current] = await loadKeysOf(db, origin, [keyFile]);
    const next = await loadLogKey(nextFile, origin);
    await introduceKey(db, current, next, who, systemClock.now());
    return verifierKey(next);
  });
}

export interface ProveOptions {
  readonly databaseUrl: string;
  readonly transactionId: string;
  /** Default: stdout. */
  readonly outputFile: string | undefined;
}

/** `behalf audit prove`: writes the proof of a transaction's record. Waits for a checkpoint that covers it. */
export async function auditProve(
  { databaseUrl, outputFile, transactionId }: ProveOptions,
  print: (line: string) => void,
): Promise<void> {
  const database = { max: 1, applicationName: 'behalf-audit-prove' };
  const proof = await withDatabase(databaseUrl, database, async (db: Kysely<AuditDatabase>) => {
    for (let waitedMs = 0; ; waitedMs += WAIT_STEP_MS) {
      const result = await proveRecord(db, transactionId);
      if ('proof' in result) return result.proof;
      if (result.missing !== 'pending' || waitedMs >= MAX_WAIT_MS)
        throw unprovable(result.missing, transactionId);
      await systemClock.sleep(WAIT_STEP_MS);
    }
  });
  if (outputFile === undefined) print(proof.trimEnd());
  else
    await writeFile(outputFile, proof).catch((error: unknown) => {
      throw unwritable(outputFile, error);
    });
}

function unprovable(missing: 'unknown' | 'pending', transactionId: string): CommandError {
  const reasons = {
    unknown: 'the log has no record of it',
    pending: 'its record is stored, but no checkpoint covers it: does the sequencer run?',
  };
  return new CommandError('NOT_PROVABLE', `${transactionId}: ${reasons[missing]}`);
}

/** `behalf audit export`: writes the log to a folder. @returns the number of entries */
export async function auditExport(databaseUrl: string, folder: string): Promise<number> {
  const database = { max: 1, applicationName: 'behalf-audit-export' };
  return withDatabase(databaseUrl, database, async (db: Kysely<AuditDatabase>) => {
    const checkpoint = await newestCheckpoint(db);
    if (checkpoint === undefined) {
      throw new CommandError('NOT_PROVABLE', 'the log has no checkpoint: does the sequencer run?');
    }
    await exportLog(new DatabaseSource(db), checkpoint, folder).catch((error: unknown) => {
      throw unwritable(folder, error);
    });
    return checkpoint.size;
  });
}
