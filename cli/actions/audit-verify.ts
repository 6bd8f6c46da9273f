import type { Kysely } from 'kysely';
import { compareTables, countUnproven, DatabaseSource } from '@behalf/audit/internal/log';
import type { TableFinding, TableProblem, Unproven } from '@behalf/audit/internal/log';
import type { AuditDatabase } from '@behalf/audit/postgres';
import { FolderSource, parsePolicy, VerificationError, verifyLog, verifyProof } from '@behalf/audit-verify';
import type { Finding, LogReport, LogSource, Policy } from '@behalf/audit-verify';
import { printable } from '@behalf/gateway/printable';
import { withDatabase } from '../database.js';
import { printedTime } from '../printed-time.js';
import { quantity } from '../quantity.js';
import { readText } from '../read-text.js';
import { withPolicy } from '../with-policy.js';

const MAX_FINDINGS = 100;
/** Somebody watches, and a large log takes minutes. */
const DATABASE = { max: 3, applicationName: 'behalf-audit-verify', statementTimeoutMs: 0 };

export interface AuditVerifyOptions {
  /** A C2SP tlog-policy. */
  readonly policyFile: string;
  /** Files with checkpoints that were seen before. */
  readonly seenFiles: readonly string[];
  /** An exported log. Default: the database. */
  readonly folder?: string | undefined;
  readonly findDatabaseUrl: () => Promise<string>;
}

/** `behalf audit verify`: verifies a whole log. @returns 0 when nothing is wrong, else 1 */
export async function auditVerify(
  options: AuditVerifyOptions,
  print: (line: string) => void,
): Promise<0 | 1> {
  const policy = await withPolicy(options.policyFile, parsePolicy);
  const seen = await Promise.all(options.seenFiles.map((file) => readText(file)));
  const verify = (source: LogSource): Promise<LogReport> => verifyLog(source, policy, { seen });
  const report: Report =
    options.folder === undefined
      ? await withDatabase(await options.findDatabaseUrl(), DATABASE, async (db: Kysely<AuditDatabase>) => {
          const { findings, ...rest } = await verify(new DatabaseSource(db));
          const verified = rest.checkpoint?.size ?? Number.MAX_SAFE_INTEGER;
          const others = await compareTables(db, { verified, max: MAX_FINDINGS });
          const unproven = await countUnproven(db);
          return { ...rest, unproven, findings: [...findings, ...others.map(tableFinding)] };
        })
      : await verify(new FolderSource(options.folder));
  for (const line of reportLines(report, policy, seen.length)) print(printable(line));
  return report.findings.length === 0 ? 0 : 1;
}

/** What was found, and for a database what its log does not prove yet. */
type Report = LogReport & { readonly unproven?: Unproven };

const PROBLEMS: Readonly<Record<TableProblem, (finding: TableFinding) => string>> = {
  'not-logged': (finding) => `${recordOf(finding)}: it can be found, but was never logged`,
  text: (finding) => `${recordOf(finding)}: it was logged, or waits for the log, with another text`,
  columns: (finding) => `${recordOf(finding)}: searches and histories read columns that differ from its text`,
  'no-record': (finding) => `${recordOf(finding)}: somebody’s history names it, and it is not there`,
  'no-record-waiting': (finding) => `${recordOf(finding)}: its entry waits for the log, and it is not there`,
  'stray-entry': ({ at }) => `entry ${at}: its place is outside of the log`,
  head: ({ at }) => `the head, of ${quantity(at, 'entry', 'entries')}, is not that of the log`,
  checkpoint: ({ at }) => `the checkpoint of ${quantity(at, 'entry', 'entries')} is not what was signed`,
  tile: ({ at, more }) => `tile ${at} of level ${more ?? '?'} has not as many hashes as the log needs`,
};

/** Searches show the number with `#`; the log counts its entries from 0. */
function recordOf({ at, more }: TableFinding): string {
  return more === null ? `record #${at}` : `record ${more} (#${at})`;
}

function tableFinding(finding: TableFinding): Finding {
  return { code: 'CHANGED', message: PROBLEMS[finding.problem](finding) };
}

function reportLines(report: Report, policy: Policy, seen: number): string[] {
  const { checkpoint, erased, erasures, findings, records, successors, unproven } = report;
  const lines = findings.map(({ code, message }) => `${code}  ${message}`);
  for (const { beforeMs, index, recordClass } of erasures) {
    const before = printedTime(beforeMs);
    lines.push(`Record ${index} says that records of class ${recordClass} before ${before} were erased`);
  }
  for (const { text } of successors) lines.push(`The log introduced the key ${text}`);
  if (checkpoint !== undefined) {
    const times = checkpoint.cosignatures.map(
      ({ witness, time }) => `${witness} at ${printedTime(time * 1_000)}`,
    );
    const witnessed = times.length === 0 ? 'cosigned by no witness' : `cosigned by ${times.join(', ')}`;
    lines.push(
      `${checkpoint.origin} has ${quantity(checkpoint.size, 'entry', 'entries')}, signed by its key, ${witnessed}`,
    );
  }
  if (unproven !== undefined) lines.push(...unprovenLines(unproven));
  const compared = quantity(records, 'record compared with its entry', 'records compared with their entries');
  const gone = erased === 0 ? '' : `, ${erased} erased`;
  lines.push(`${compared}${gone}, ${quantity(seen, 'earlier checkpoint')}`);
  if (findings.length > 0)
    lines.push(`The log is not as it was signed: ${quantity(findings.length, 'finding')}`);
  else if (seen === 0 && policy.witnesses.length === 0) {
    lines.push(
      'Nothing is wrong. Without a witness or an earlier checkpoint, records cut off at the end cannot be noticed',
    );
  } else lines.push('Nothing is wrong');
  return lines;
}

function unprovenLines({ unsigned, waiting, waitingSince }: Unproven): string[] {
  const lines: string[] = [];
  if (unsigned > 0)
    lines.push(
      `No stored checkpoint covers the last ${quantity(unsigned, 'entry', 'entries')} of the database`,
    );
  if (waitingSince !== null)
    lines.push(
      `${quantity(waiting, 'record waits', 'records wait')} to become entries, the oldest since ${printedTime(waitingSince)}`,
    );
  return lines;
}

/** `behalf audit verify-proof`: verifies a `.tlog-proof`. @returns 0 when it holds, else 1 */
export async function auditVerifyProof(
  proofFile: string,
  policyFile: string,
  print: (line: string) => void,
): Promise<0 | 1> {
  const policy = await withPolicy(policyFile, parsePolicy);
  const proof = await readText(proofFile);
  try {
    const { checkpoint, index, receipt, record, recordedAtMs } = verifyProof(proof, policy);
    print(printable(JSON.stringify(record)));
    const at = printedTime(recordedAtMs);
    print(
      printable(
        `This record is entry ${index} of ${checkpoint.origin} (${quantity(checkpoint.size, 'entry', 'entries')}), recorded at ${at}`,
      ),
    );
    print(`Its receipt is ${receipt}`);
    return 0;
  } catch (error) {
    if (!(error instanceof VerificationError)) throw error;
    print(printable(`${error.code}  ${error.message}`));
    return 1;
  }
}
