import {
  ACCESS_DECISIONS,
  defaultStatement,
  isRecord,
  MAX_SUBJECT_LENGTH,
  MAX_SUBJECTS,
  statementInForce,
  txnTokenRefusals,
  withoutUndefined,
} from '@behalf/directives/internal';
import type { AccessDecision, Delegation, TxnTokenRefusal } from '@behalf/directives';
import type { FieldAccess, MinimizeStatement } from '@behalf/directives/internal';
import type { AccountableField } from '../authorize/index.js';

/** The accepted part of a subgraph's facts. */
export interface Account {
  readonly accesses: readonly FieldAccess[];
  /** Rejected entries. */
  readonly dropped: number;
  /** The subjects whose rows were read. */
  readonly subjects: readonly string[];
  /** Rows of more subjects were read. */
  readonly hasMoreSubjects: boolean;
}

const DECISIONS: ReadonlySet<unknown> = new Set<AccessDecision>(ACCESS_DECISIONS);
/** More fields than fit into a 32 MiB response, the largest that is accepted. */
const MAX_COUNT = 10_000_000;
/** A denial at one coordinate by a row's owner is separate from one by a rule. */
const ENTRIES_PER_FIELD = ACCESS_DECISIONS.length + 2;
/** The rule that a subgraph names for a foreign row. */
const SUBJECT_RULE = '@subject';

/**
 * Reads a subgraph's facts about one response (`extensions.behalf`). The subgraph may be hostile, and the facts are recorded,
 * so only coordinates that it can resolve, known decisions and possible counts are accepted. Rule and strategy are the
 * gateway's own.
 *
 * @param fields the coordinates that this subgraph can report
 * @param delegation whose request it was
 * @returns undefined for invalid facts: another version or shape, or more entries than it has coordinates
 */
export function readAccount(
  facts: unknown,
  fields: ReadonlyMap<string, AccountableField>,
  delegation: Delegation | undefined,
): Account | undefined {
  if (!isRecord(facts) || facts.v !== 1 || !Array.isArray(facts.fields)) return undefined;
  const entries = facts.fields as readonly unknown[];
  if (entries.length > fields.size * ENTRIES_PER_FIELD) return undefined;
  const accesses = entries
    .map((entry) => readEntry(entry, fields, delegation))
    .filter((access) => access !== undefined);
  const { subjects, isWhole } = readSubjects(facts.subjects);
  return {
    accesses,
    dropped: entries.length - accesses.length + (isWhole ? 0 : 1),
    subjects,
    hasMoreSubjects: facts.moreSubjects === true || !isWhole,
  };
}

/** @returns the names that are accepted, and whether they are all that were said */
function readSubjects(said: unknown): { readonly subjects: readonly string[]; readonly isWhole: boolean } {
  if (said === undefined) return { subjects: [], isWhole: true };
  if (!Array.isArray(said)) return { subjects: [], isWhole: false };
  const names = said.slice(0, MAX_SUBJECTS) as readonly unknown[];
  const subjects = names.filter(isSubject);
  return { subjects, isWhole: subjects.length === said.length };
}

function isSubject(name: unknown): name is string {
  return typeof name === 'string' && name !== '' && name.length <= MAX_SUBJECT_LENGTH;
}

/**
 * Reads why the subgraph refused the transaction token. The reason becomes a label of a metric, so only known ones are accepted;
 * another one, of a newer or a hostile subgraph, counts as `TXN_TOKEN_INVALID`.
 *
 * @returns undefined if it says nothing of the kind
 */
export function readRefusedToken(facts: unknown): TxnTokenRefusal | undefined {
  if (!isRecord(facts) || facts.v !== 1 || typeof facts.refusedToken !== 'string') return undefined;
  return isRefusal(facts.refusedToken) ? facts.refusedToken : 'TXN_TOKEN_INVALID';
}

function isRefusal(code: string): code is TxnTokenRefusal {
  return Object.hasOwn(txnTokenRefusals, code);
}

function readEntry(
  entry: unknown,
  fields: ReadonlyMap<string, AccountableField>,
  delegation: Delegation | undefined,
): FieldAccess | undefined {
  if (!Array.isArray(entry)) return undefined;
  const [coordinate, decision, count, , saidRule] = entry as readonly unknown[];
  if (typeof coordinate !== 'string' || !isDecision(decision) || !isCount(count)) return undefined;
  const field = fields.get(coordinate);
  if (field === undefined) return undefined;
  const isDenial = decision === 'denied' || decision === 'would-deny';
  const rule = isDenial && field.isOwned && saidRule === SUBJECT_RULE ? SUBJECT_RULE : field.rule;
  const isMinimization = decision === 'minimized' || decision === 'would-minimize';
  const statement = isMinimization ? statementFor(field, delegation) : undefined;
  return withoutUndefined({
    coordinate,
    decision,
    count,
    strategy: statement?.to,
    level: statement?.level,
    rule,
  });
}

/** What the value was minimized by. A subgraph that knows another rule minimized it by its default, as far as is known. */
function statementFor(
  { minimization }: AccountableField,
  delegation: Delegation | undefined,
): MinimizeStatement | undefined {
  if (minimization === undefined) return undefined;
  return statementInForce(minimization, delegation) ?? defaultStatement(minimization);
}

function isDecision(value: unknown): value is AccessDecision {
  return DECISIONS.has(value);
}

function isCount(value: unknown): value is number {
  return typeof value === 'number' && Number.isInteger(value) && value >= 1 && value <= MAX_COUNT;
}
