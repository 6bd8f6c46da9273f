import type { AuditDatabase } from '@behalf/audit/postgres';
import { sql } from 'kysely';
import type { Kysely } from 'kysely';

/** The size of a filled log. */
export interface FillOptions {
  readonly days: number;
  readonly recordsPerDay: number;
  /** Each is the caller of about as many records. */
  readonly people: number;
  /** The end of the newest day, UTC. */
  readonly until: Date;
  /** Called after each day. */
  readonly progress?: (day: number) => void;
}

const DAY_MS = 86_400_000;
/** Room for one day's index build and no more: the machine is shared. */
const MAINTENANCE_MEMORY = '256MB';

export const pseudonymOf = (person: number): string => `person-${person}`;

/**
 * Fills a migrated, empty log as months of traffic would: 20 clients and a rare one, 5 % refused, intended or failed, one in a
 * thousand an event, and coordinates from one that most records have to one in a hundred thousand. Each day is filled before it
 * becomes a partition, so that its indexes are built at once.
 */
export async function fillAudit(db: Kysely<AuditDatabase>, options: FillOptions): Promise<void> {
  const { days, recordsPerDay, people, progress, until } = options;
  await sql`drop table if exists audit.record_other`.execute(db);
  await sql`alter table audit.record_subject drop constraint record_subject_pkey`.execute(db);
  await dropEmptyPartitions(db);
  for (let day = 0; day < days; day++) {
    const start = new Date(until.getTime() - (days - day) * DAY_MS);
    await fillDay(db, start, { first: day * recordsPerDay, count: recordsPerDay, people });
    progress?.(day);
  }
  await sql`alter table audit.record_subject add primary key (pseudonym, recorded_at, seq)`.execute(db);
  await sql`create table audit.record_other partition of audit.record default`.execute(db);
  for (const table of ['audit.record', 'audit.record_subject', 'audit.leaf']) {
    await sql`vacuum (analyze) ${sql.table(table)}`.execute(db);
  }
}

async function dropEmptyPartitions(db: Kysely<AuditDatabase>): Promise<void> {
  const { rows } = await sql<{ name: string }>`
    select inhrelid::regclass::text as name from pg_inherits where inhparent = 'audit.record'::regclass`.execute(
    db,
  );
  for (const { name } of rows) await sql`drop table ${sql.table(name)}`.execute(db);
}

interface Day {
  readonly first: number;
  readonly count: number;
  readonly people: number;
}

async function fillDay(db: Kysely<AuditDatabase>, start: Date, { count, first, people }: Day): Promise<void> {
  const end = new Date(start.getTime() + DAY_MS);
  const table = sql.table(`audit.record_${start.toISOString().slice(0, 10).replaceAll('-', '')}`);
  const [from, to] = [sql.lit(start.toISOString()), sql.lit(end.toISOString())];
  await db.transaction().execute(async (trx) => {
    await sql`select set_config('maintenance_work_mem', ${MAINTENANCE_MEMORY}, true),
      set_config('statement_timeout', '0', true)`.execute(trx);
    await sql`create table ${table} (like audit.record including defaults including constraints)`.execute(
      trx,
    );
    await sql`
      insert into ${table} (recorded_at, seq, class, content, occurred_at, transaction_id, outcome, event,
        subject_pseudonym, client_id, actor, coordinates)
      select at, n, class,
        json_strip_nulls(json_build_object('class', class, 'transactionId', id, 'time', (extract(epoch from at) * 1000)::bigint,
          'outcome', outcome, 'event', event, 'caller', json_build_object('subjectPseudonym', person, 'clientId', client,
            'actor', actor, 'consentId', md5('consent' || n), 'consentVersion', 1, 'purposes', array['budgeting']),
          'operationName', 'Overview', 'source', '192.0.2.0/24', 'fields', (
            select json_agg(json_build_object('coordinate', name, 'decision', 'allowed', 'count', 1, 'rule',
              '@requiresScope(accounts:read)', 'subgraph', 'accounts')) from unnest(coordinates) as list (name)),
          'salt', md5('salt' || n)))::text,
        at, id, outcome, event, person, client, actor, coordinates
      from generate_series(${first}::bigint, ${first + count - 1}::bigint) as n,
        lateral (select abs(hashint8extended(n, 1)) as drawn, abs(hashint8extended(n, 2)) as app,
          abs(hashint8extended(n, 3)) as asked) as draw,
        lateral (select
          date_trunc('milliseconds', ${from}::timestamptz + (n - ${first}) * interval '1 day' / ${count}) as at,
          md5('transaction' || n)::uuid as id,
          case when drawn % 1000 = 7 then 'subject-looked-up' end as event,
          case when drawn % 1000 = 7 then null when drawn % 50 = 1 then 'refused' when drawn % 50 = 2 then 'intended'
            when drawn % 1000 = 3 then 'failed' else 'answered' end as outcome,
          case when drawn % 1000 = 7 then 'log' else 'access' end as class,
          'person-' || (n * 7919) % ${people}::bigint as person,
          case when app % 5000 = 11 then 'rare-app' else 'client-' || app % 20 end as client,
          case when app / 5000 % 40 = 9 then 'agent-' || app / 200000 % 7 end as actor) as made,
        lateral (select array['Customer.id', 'Account.field' || asked % 40, 'Account.field' || 40 + asked / 40 % 40]
          || case when asked / 1600 % 10 < 6 then array['Customer.name'] else '{}' end
          || case when asked / 16000 % 100 = 42 then array['Customer.taxId'] else '{}' end
          || case when asked / 16000 % 10000 = 77 then array['Customer.secret'] else '{}' end as coordinates) as named`.execute(
      trx,
    );
    await sql`alter table audit.record attach partition ${table} for values from (${from}) to (${to})`.execute(
      trx,
    );
    await sql`
      insert into audit.record_subject (pseudonym, recorded_at, seq)
      select subject_pseudonym, recorded_at, seq from ${table}`.execute(trx);
    await sql`
      insert into audit.leaf (log_index, seq, recorded_at, class, content_hash)
      select seq, seq, recorded_at, class, sha256(convert_to(content, 'UTF8')) from ${table}`.execute(trx);
  });
}
