import { type QueryResult, type RawBuilder, sql, type Transaction } from 'kysely';

import type { AuthoritySchema } from '../schema.js';

type Trx = Transaction<AuthoritySchema>;

/** A person's name, and what takes its place. A row of `forgotten_person`, without which the logs refuse the change. */
export interface ForgottenName {
  readonly subject: string;
  readonly tombstone: string;
}

/**
 * The columns that name people, whatever the person's part in it. `change_event` and `audit_outbox` are below, because they have the
 * name within JSON. `test/authority/consent/named-columns.test.ts` has a decision for every column of the schema.
 */
const COLUMNS = {
  application_event: ['entity_id'],
  consent: ['subject', 'ended_by'],
  consent_event: ['pii_principal_id', 'entity_id'],
  consent_export: ['pii_principal_id', 'entity_id'],
  suspension: ['suspended_by', 'ended_by'],
  token_status: ['subject'],
} as const;

/** Puts the tombstone in the place of the name, except in the change log. @returns how many rows had it */
export async function renameEverywhere(trx: Trx, name: ForgottenName): Promise<number> {
  let count = 0;
  for (const [table, columns] of Object.entries(COLUMNS)) {
    const set = columns.map((column) => sql`${sql.id(column)} = ${renamed(column, name)}`);
    if (table === 'consent_event') set.push(sql`privacy_notice = ${unnamedNotice(name)}`);
    const has = columns.map((column) => sql`${sql.id(column)} = ${name.subject}`);
    const update = sql`update ${sql.table(`authority.${table}`)} set ${sql.join(set)} where ${sql.join(has, sql` or `)}`;
    count += countChanged(await update.execute(trx));
  }
  return count + (await renameInOutbox(trx, name));
}

/** The consent page greets the person by the name of their account. */
function unnamedNotice({ subject, tombstone }: ForgottenName): RawBuilder<unknown> {
  return sql`case when pii_principal_id = ${subject} and privacy_notice ? 'text'
    then jsonb_set(privacy_notice, '{text}',
      to_jsonb(authority.unnamed_words(privacy_notice, ${tombstone})))
    else privacy_notice end`;
}

/** The audit log would make a new pseudonym for the name. It makes one for the tombstone. */
async function renameInOutbox(trx: Trx, name: ForgottenName): Promise<number> {
  const { subject, tombstone } = name;
  return countChanged(
    await sql`
      update authority.audit_outbox set
        operator = ${renamed('operator', name)},
        subjects = array_replace(subjects, ${subject}, ${tombstone}),
        caller = case when caller ->> 'subject' = ${subject}
          then (caller::jsonb || jsonb_build_object('subject', ${tombstone}::text))::json else caller end
      where ${subject} = any(subjects) or caller ->> 'subject' = ${subject} or operator = ${subject}`.execute(
      trx,
    ),
  );
}

/** The same in the change log, for changes up to a time. @returns how many */
export async function renameInChanges(
  trx: Trx,
  name: ForgottenName,
  { olderThanSeconds }: { readonly olderThanSeconds: number },
): Promise<number> {
  const until = sql`clock_timestamp() - make_interval(secs => ${olderThanSeconds})`;
  return countChanged(await changesOf(name, until).execute(trx));
}

/** The same, for changes up to when the person was forgotten. Later ones are about somebody else of that name. */
export async function renameInEarlierChanges(trx: Trx, name: ForgottenName): Promise<void> {
  const until = sql`(select forgotten_at from authority.forgotten_person where tombstone = ${name.tombstone})`;
  await changesOf(name, until).execute(trx);
}

/** Rows that a statement changed. */
export function countChanged({ numAffectedRows = 0n }: QueryResult<unknown>): number {
  return Number(numAffectedRows);
}

function changesOf(name: ForgottenName, until: RawBuilder<unknown>): RawBuilder<unknown> {
  const { subject, tombstone } = name;
  return sql`
    update authority.change_event set
      entity_id = ${renamed('entity_id', name)},
      members = case when members ->> 'subject' = ${subject}
        then jsonb_set(members, '{subject}', to_jsonb(${tombstone}::text)) else members end
    where (members ->> 'subject' = ${subject} or entity_id = ${subject}) and occurred_at <= ${until}`;
}

function renamed(column: string, { subject, tombstone }: ForgottenName): RawBuilder<unknown> {
  return sql`case when ${sql.id(column)} = ${subject} then ${tombstone} else ${sql.id(column)} end`;
}
