import { sql, type Transaction } from 'kysely';

import type { AuthorityDatabase, AuthoritySchema } from '../schema.js';
import { transact } from '../transact.js';
import { type ForgottenName, renameInEarlierChanges } from './rename.js';

type Trx = Transaction<AuthoritySchema>;

/**
 * How long the change log and the cut-off keep the name of a forgotten person: as long as gateways may let a token live, and longer
 * than a request to the authority may take.
 */
export const FORGETTING_SECONDS = 60 * 60;
const LIMIT = 50;

/** Removes what is left of people who were forgotten an hour ago, the first first. A later round does the rest of many. */
export async function finishForgetting(db: AuthorityDatabase): Promise<void> {
  await transact(db, async (trx) => {
    const names = await trx
      .selectFrom('authority.forgotten_person')
      .select(['subject', 'tombstone'])
      .where(
        'forgotten_at',
        '<',
        sql<Date>`clock_timestamp() - make_interval(secs => ${sql.lit(FORGETTING_SECONDS)})`,
      )
      .orderBy('forgotten_at')
      .limit(LIMIT)
      .forUpdate()
      .skipLocked()
      .execute();
    for (const name of names) await finish(trx, name);
  });
}

async function finish(trx: Trx, name: ForgottenName): Promise<void> {
  await renameInEarlierChanges(trx, name);
  await removeWrittenBack(trx, name);
  await sql`
    delete from authority.subject_cutoff c using authority.forgotten_person p
    where p.tombstone = ${name.tombstone} and c.subject = p.subject and c.not_before <= p.forgotten_at`.execute(
    trx,
  );
  await trx.deleteFrom('authority.forgotten_person').where('tombstone', '=', name.tombstone).execute();
}

/**
 * Sign-ins, codes and refresh tokens that a request in progress wrote back when the person was forgotten. They were of no use, but
 * name the person beside a consent. Whoever came back under the same name keeps theirs.
 */
async function removeWrittenBack(trx: Trx, { tombstone }: ForgottenName): Promise<void> {
  await sql`
    delete from authority.oidc_payload o using authority.forgotten_person p
    where p.tombstone = ${tombstone} and o.account_id = p.subject and (
      (o.model = 'Session'
        and coalesce((o.payload ->> 'loginTs')::double precision, 0) <= extract(epoch from p.forgotten_at))
      or (o.grant_id is not null and not exists (
        select from authority.consent c where c.id = o.grant_id and c.subject = p.subject)))`.execute(trx);
}
