import type { Kysely } from 'kysely';
import { compareTables, DatabaseSource } from '@behalf/audit/internal/log';
import type { TableProblem } from '@behalf/audit/internal/log';
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
  const report =
    options.folder === undefined
      ? await withDatabase(await options.findDatabaseUrl(), DATABASE, async (db: Kysely<AuditDatabase>) => {
          const { findings, ...rest } = await verify(new DatabaseSource(db));
          const others = await compareTables(db, MAX_FINDINGS);
          return { ...rest, findings: [...findings, ...others.map(tableFinding)] };
        })
      : await verify(new FolderSource(options.folder));
  for (const line of reportLines(report, policy, seen.length)) print(printable(line));
  return report.findings.length === 0 ? 0 : 1;
}

const PROBLEMS: Readonly<Record<TableProblem, string>> = {
  'not-logged': 'it can be found, but was never logged',
  text: 'it waits for the log with another text than was stored',
  columns: 'searches and histories read columns that differ from its text',
  'no-record': 'somebody’s history names it, and it is not there',
};

function tableFinding({ problem, seq }: { readonly problem: TableProblem; readonly seq: number }): Finding {
  return { code: 'CHANGED', message: `record with seq ${seq}: ${PROBLEMS[problem]}` };
}

function reportLines(report: LogReport, policy: Policy, seen: number): string[] {
  const { checkpoint, erased, erasures, findings, records, successors } = report;
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
