import { sql } from 'kysely';
import type { RawBuilder } from 'kysely';
import { withoutUndefined } from '@behalf/directives/internal';
import type { Position } from './cursor.js';
import type { AuditFilter } from './filter.js';

/** A span of the log, from its newest end. */
export interface Span {
  /** Records at this time or later. Absent: without end. */
  readonly since?: Date;
  /** Records before this time. Absent: up to the newest. */
  readonly before?: Date;
  /** Records before this place. */
  readonly after?: Position;
}

type Condition = RawBuilder<unknown>;
type Indexed = Exclude<keyof AuditFilter, 'subject' | 'from' | 'until'>;

/** Each as an index needs it: those of `outcome`, `event`, `actor` and `class` have only the rare ones. */
const CONDITIONS: { readonly [Name in Indexed]: (value: string) => Condition } = {
  transaction: (value) => sql`transaction_id = ${value}::uuid`,
  event: (value) => sql`event = ${value}`,
  actor: (value) => sql`actor = ${value}`,
  outcome: (value) =>
    value === 'answered' ? sql`outcome = 'answered'` : sql`outcome = ${value} and outcome <> 'answered'`,
  class: (value) =>
    value === 'access' ? sql`class = 'access'` : sql`class = ${value} and class <> 'access'`,
  client: (value) => sql`client_id = ${value}`,
  coordinate: (value) => sql`coordinates @> array[${value}]::text[]`,
};

const NAMES = Object.keys(CONDITIONS) as Indexed[];

/** Members that one index answers together, in the log's order. */
const INDEXES: readonly (readonly Indexed[])[] = [
  [],
  ['event'],
  ['actor'],
  ['client', 'outcome'],
  ['outcome'],
  ['class'],
  ['client'],
];

const COLUMNS =
  sql.raw(`record.occurred_at, record.clock_off, record.content, record.class, record.transaction_id,
  record.outcome, record.event, record.client_id, record.actor, record.coordinates`);

/** Where a search looks, and what it checks of each record that it finds there. */
export interface Plan {
  /** Selects the candidates of a span, the newest first. */
  readonly candidates: (span: Span, limit: number) => Condition;
  /** Whether the index has the log's order. Without it, every candidate of a span is read to find the newest. */
  readonly isOrdered: boolean;
  /** Whether a span may be long: what is read of it is little more than what matches. */
  readonly isExact: boolean;
  /** What the index does not answer. Absent: every candidate is a result. */
  readonly rest?: Condition;
}

/**
 * Chooses how candidates are found. If one index has them in the log's order, they are read in that order until enough match what is
 * left of the filter, and no more than the limit. Otherwise PostgreSQL combines indexes, and a search takes short spans.
 */
export function planOf(filter: AuditFilter): Plan {
  const { subject, transaction } = filter;
  if (transaction !== undefined) return planByIndex(['transaction'], filter);
  if (subject !== undefined) {
    const candidates: Plan['candidates'] = (span, limit) => aboutSubject(subject, span, limit);
    return { candidates, ...ORDERED, ...withoutUndefined({ rest: all(conditionsOf(filter, NAMES)) }) };
  }
  const selective = NAMES.filter((name) => isSelective(name, filter));
  const hasIndex = INDEXES.some(
    (names) => names.length === selective.length && names.every((name) => selective.includes(name)),
  );
  if (hasIndex) return planByIndex(selective, filter);
  const condition = all(conditionsOf(filter, NAMES)) ?? sql`true`;
  const candidates: Plan['candidates'] = (span, limit) => inRecords(condition, span, BY_SORTING, limit);
  return { candidates, isOrdered: false, isExact: selective.length === 1 };
}

function planByIndex(names: readonly Indexed[], filter: AuditFilter): Plan {
  const condition = all(conditionsOf(filter, names)) ?? sql`true`;
  const others = NAMES.filter((name) => !names.includes(name));
  const { subject } = filter;
  const rest = [...conditionsOf(filter, others), ...(subject === undefined ? [] : [isAbout(subject)])];
  const candidates: Plan['candidates'] = (span, limit) => inRecords(condition, span, BY_INDEX, limit);
  return { candidates, ...ORDERED, ...withoutUndefined({ rest: all(rest) }) };
}

const ORDERED = { isOrdered: true, isExact: true };

/** Nearly every record is an answered access: those two are found fastest by looking at every record. */
function isSelective(name: Indexed, filter: AuditFilter): boolean {
  const value = filter[name];
  return value !== undefined && value !== 'answered' && value !== 'access';
}

function conditionsOf(filter: AuditFilter, names: readonly Indexed[]): Condition[] {
  return names.flatMap((name) => {
    const value = filter[name];
    return value === undefined ? [] : [CONDITIONS[name](value)];
  });
}

function all(conditions: readonly Condition[]): Condition | undefined {
  return conditions.length === 0 ? undefined : sql.join(conditions, sql` and `);
}

const BY_INDEX = sql`record.recorded_at desc, record.seq desc`;
/**
 * Not what an index is sorted by: for a coordinate that few records have, PostgreSQL would otherwise read the log backwards, in the
 * hope of finding it soon.
 */
const BY_SORTING = sql`record.recorded_at + interval '0' desc, record.seq desc`;

function inRecords(condition: Condition, span: Span, order: Condition, limit: number): Condition {
  return sql`
    select record.recorded_at, record.seq, ${COLUMNS} from audit.record as record
    where ${condition} and ${within('record', span)}
    order by ${order} limit ${limit}`;
}

/**
 * A person's records, by the table that is not partitioned. Lateral, so that each is fetched by its key. A record that is gone
 * counts as a candidate without content, or the search would end at it.
 */
function aboutSubject(subject: string, span: Span, limit: number): Condition {
  return sql`
    select about.recorded_at, about.seq, ${COLUMNS} from (
      select recorded_at, seq from audit.record_subject as about
      where pseudonym = ${subject} and ${within('about', span)}
      order by recorded_at desc, seq desc limit ${limit}
    ) as about left join lateral (
      select * from audit.record as record
      where record.recorded_at = about.recorded_at and record.seq = about.seq and ${within('record', span)} limit 1
    ) as record on true
    order by about.recorded_at desc, about.seq desc`;
}

function isAbout(subject: string): Condition {
  return sql`exists (
    select from audit.record_subject as about
    where about.pseudonym = ${subject} and about.recorded_at = candidate.recorded_at and about.seq = candidate.seq)`;
}

/** Times on their own as well: PostgreSQL does not choose partitions by a pair. */
export function within(table: string, { after, before, since }: Span): Condition {
  const at = sql.ref(`${table}.recorded_at`);
  return sql.join(
    [
      sql`true`,
      ...(since === undefined ? [] : [sql`${at} >= ${since}`]),
      ...(before === undefined ? [] : [sql`${at} < ${before}`]),
      ...(after === undefined
        ? []
        : [
            sql`${at} <= ${after.recordedAt} and (${at}, ${sql.ref(`${table}.seq`)}) < (${after.recordedAt}, ${after.seq})`,
          ]),
    ],
    sql` and `,
  );
}
